// SPDX-License-Identifier: Apache-2.0
// Finished points, safe on disk: a file that only grows. A line is the CRC-32 of a JSON text, a space, the
// text. One writer at a time; text, so that a person can read it, and one file without a library, since all
// that is needed is to add a record and to read them all.
#pragma once

#include <string>
#include <vector>

#include "tools/sweep/figures.h"

namespace bitline::sweep {

class Journal {
 public:
  /// Opens `path` for this process alone, or creates it with `header` as its first line. A last line that was
  /// cut off (a kill, a full disk) is removed. Throws base::UsageError: it cannot be written, another process
  /// has it, a line before the last one is damaged.
  Journal(const std::string& path, const Json& header);
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;
  ~Journal();

  /// The first line, as it was written.
  [[nodiscard]] const Json& header() const { return header_; }
  /// The others when it was opened.
  [[nodiscard]] const std::vector<Json>& records() const { return records_; }
  /// Whether a cut-off line was removed.
  [[nodiscard]] bool was_torn() const { return torn_; }
  /// Adds a line: safe from a kill of this process at once, from a loss of power after sync().
  void add(const Json& record);
  void sync();

 private:
  void lock();
  void read(const std::string& text);
  [[noreturn]] void fail(const std::string& what, const std::string& remedy) const;
  void write(const std::string& text) const;

  std::string path_;
  int file_ = -1;
  Json header_;
  std::vector<Json> records_;
  bool torn_ = false;
};

}  // namespace bitline::sweep
