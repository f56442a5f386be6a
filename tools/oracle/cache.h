// SPDX-License-Identifier: Apache-2.0
// Answers kept on disk by what they follow from, for other calls, processes and days. One SQLite file in WAL
// mode: any number of processes read, one at a time writes, a process that is killed leaves it whole.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

struct sqlite3;

namespace bitline::oracle {

class Cache {
 public:
  using Warn = std::function<void(const std::string&)>;

  /// Opens `path`, or makes it. A damaged file is moved to `path`.damaged, with a warning, and made anew; so
  /// is (within the file) what another version of the format left. `most_bytes`: the oldest answers make room
  /// for new ones. Throws base::UsageError where the place is not writable or the file is another program's.
  explicit Cache(std::string path, Warn warning = {}, std::int64_t most_bytes = kMostBytes);
  ~Cache();
  Cache(const Cache&) = delete;
  Cache& operator=(const Cache&) = delete;

  // For any thread. Neither throws: what cannot be read is not there, what cannot be written is not kept,
  // with one warning.
  [[nodiscard]] std::optional<std::string> find(const std::string& key);
  void keep(const std::string& key, const std::string& answer);

  struct Contents {
    std::int64_t answers = 0;
    std::int64_t file_bytes = 0;
  };
  [[nodiscard]] Contents contents();
  /// Forgets all answers. Throws base::UsageError where that cannot be written.
  void clear();

  static constexpr std::int64_t kMostBytes = std::int64_t{1} << 30;

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };
  using Database = std::unique_ptr<sqlite3, Close>;

  void open();
  /// Another one may have made it anew meanwhile; else it is moved aside.
  void rebuild();
  void make_room();
  template <class Work>
  void guarded(const char* what, const Work& work);
  void warn(const std::string& text);

  std::string path_;
  Warn warn_;
  std::int64_t most_bytes_;
  std::mutex mutex_;
  Database database_;
  std::int64_t kept_ = 0;
  bool failed_ = false;  ///< it could not be read or written, and that was said
};

}  // namespace bitline::oracle
