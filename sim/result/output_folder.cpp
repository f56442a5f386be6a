// SPDX-License-Identifier: Apache-2.0
#include "sim/result/output_folder.h"

#include <system_error>

#include "models/base/errors.h"
#include "models/base/files.h"

namespace bitline::result {
namespace {

[[noreturn]] void unwritable(const std::filesystem::path& path, const std::string& option,
                             const std::string& why) {
  throw base::UsageError(base::Problem{option + " " + path.string(), "cannot be written: " + why,
                                       "a folder in which files can be created", "choose another path"});
}

}  // namespace

OutputFolder::OutputFolder(const std::string& path, const std::string& option) : folder_(path) {
  if (path.empty()) unwritable(folder_, option, "the path is empty");
  std::error_code error;
  std::filesystem::create_directories(folder_, error);
  if (error) unwritable(folder_, option, error.message());
  const std::filesystem::path probe = folder_ / ".bitline-probe";
  try {
    base::write_file_atomically(probe.string(), "");
  } catch (const base::UsageError& problem) {
    unwritable(folder_, option, problem.problems().front().given);
  }
  std::filesystem::remove(probe, error);
}

void OutputFolder::write(const std::string& name, std::string_view content) const {
  base::write_file_atomically(path(name), content);
}

}  // namespace bitline::result
