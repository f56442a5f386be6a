// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace bitline::result {

/// A folder for output files. The constructor creates it (with its parents) and proves that a file can be
/// written, so that an unwritable place is found before the long work. Throws base::UsageError naming
/// `option` and the path.
class OutputFolder {
 public:
  OutputFolder(const std::string& path, const std::string& option);
  /// Writes a file of the folder in one step: readers see the old file or the whole new one. Throws
  /// base::UsageError.
  void write(const std::string& name, std::string_view content) const;
  [[nodiscard]] std::string path(const std::string& name) const { return (folder_ / name).string(); }

 private:
  std::filesystem::path folder_;
};

}  // namespace bitline::result
