// SPDX-License-Identifier: Apache-2.0
#include "tools/oracle/cache.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "models/base/errors.h"
#include "sim/result/sha256.h"
#include "tools/oracle/sqlite.h"

namespace bitline::oracle {
namespace {

using sqlite::Error;
using sqlite::Statement;

constexpr std::int64_t kApplication = 0x62746c6e;  // "btln": tells the file from other programs'
constexpr std::int64_t kFormat = 1;
constexpr int kPatienceMs = 10'000;  // for another process to finish writing
/// Room is looked for after this many answers of a process.
constexpr std::int64_t kLookEvery = 64;

std::int64_t pragma(sqlite3* database, const char* sql) {
  Statement statement(database, sql);
  return statement.step() ? statement.number(0) : 0;
}

constexpr const char* kChanged = "an answer is not what was kept";

/// SQLite finds damage to its own structure; this one finds it in what it carries.
std::string check_of(const std::string& key, const std::string& answer) {
  return result::sha256(key + "\n" + answer).substr(0, 16);
}

/// Held while the file is looked at as a whole; released by the system if the process ends.
class FileLock {
 public:
  explicit FileLock(const std::string& path)
      : file_(::open((path + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)) {
    if (file_ < 0)
      throw base::UsageError({path, std::string("cannot be written: ") + std::strerror(errno),
                              "a file in a folder that can be written", ""});
    while (flock(file_, LOCK_EX) != 0 && errno == EINTR) {
    }
  }
  ~FileLock() { ::close(file_); }
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  int file_;
};

void prepare(sqlite3* database) {
  sqlite::run(database, "PRAGMA journal_mode=WAL");
  sqlite::run(database, "PRAGMA synchronous=NORMAL");
  if (pragma(database, "PRAGMA user_version") == kFormat) return;
  sqlite::run(database, "BEGIN IMMEDIATE");
  sqlite::run(database, "DROP TABLE IF EXISTS answers");
  sqlite::run(database,
              "CREATE TABLE answers(id INTEGER PRIMARY KEY, key BLOB UNIQUE NOT NULL, answer BLOB NOT NULL, "
              "sum BLOB NOT NULL)");
  sqlite::run(database, ("PRAGMA application_id=" + std::to_string(kApplication)).c_str());
  sqlite::run(database, ("PRAGMA user_version=" + std::to_string(kFormat)).c_str());
  sqlite::run(database, "COMMIT");
}

/// Whether the whole file can be read as what it says it is. Large files are not read for it: damage shows
/// where it is met.
void verify(sqlite3* database) {
  constexpr std::int64_t kQuick = std::int64_t{1} << 26;
  if (pragma(database, "PRAGMA page_count") * pragma(database, "PRAGMA page_size") > kQuick) return;
  Statement check(database, "PRAGMA quick_check(1)");
  if (!check.step() || check.bytes(0) != "ok") throw Error(SQLITE_CORRUPT, "its pages contradict each other");
}

/// Whether all answers are what was kept.
void verify_answers(sqlite3* database) {
  Statement rows(database, "SELECT key, answer, sum FROM answers");
  while (rows.step()) {
    if (rows.bytes(2) != check_of(rows.bytes(0), rows.bytes(1))) throw Error(SQLITE_CORRUPT, kChanged);
  }
}

sqlite3* opened(const std::string& path) {
  sqlite3* database = nullptr;
  const int result = sqlite3_open_v2(
      path.c_str(), &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX, nullptr);
  if (result != SQLITE_OK) {
    const std::string text = database == nullptr ? "out of memory" : sqlite3_errmsg(database);
    sqlite3_close(database);
    throw Error(result, text);
  }
  sqlite3_busy_timeout(database, kPatienceMs);
  return database;
}

}  // namespace

void Cache::Close::operator()(sqlite3* database) const {
  sqlite3_close_v2(database);
}

Cache::Cache(std::string path, Warn warning, std::int64_t most_bytes)
    : path_(std::move(path)), warn_(std::move(warning)), most_bytes_(most_bytes) {
  try {
    const FileLock lock(path_);
    try {
      open();
    } catch (const Error& error) {
      if (!error.damaged()) throw;
      warn("cache " + path_ + " is damaged (" + error.what() + "): moved to " + path_ +
           ".damaged, begun anew");
      rebuild();
    }
  } catch (const Error& error) {
    throw base::UsageError({path_, std::string("cannot be used as a cache: ") + error.what(),
                            "a file in a folder that can be written", ""});
  }
}

Cache::~Cache() = default;

void Cache::open() {
  database_.reset(opened(path_));
  const std::int64_t application = pragma(database_.get(), "PRAGMA application_id");
  const std::int64_t tables = pragma(database_.get(), "SELECT count(*) FROM sqlite_master");
  if (application != kApplication && (application != 0 || tables != 0)) {
    database_.reset();
    throw base::UsageError(
        {path_, "is a database of another program", "a cache of bitline, or a new file", ""});
  }
  prepare(database_.get());
  verify(database_.get());
}

void Cache::rebuild() {
  database_.reset();
  std::error_code ignored;
  std::filesystem::rename(path_, path_ + ".damaged", ignored);
  for (const char* companion : {"-wal", "-shm"}) std::filesystem::remove(path_ + companion, ignored);
  open();
}

void Cache::warn(const std::string& text) {
  if (warn_) warn_(text);
}

/// Works on the database. Where the file turns out to be damaged it is begun anew, unless another process has
/// done so meanwhile.
template <class Work>
void Cache::guarded(const char* what, const Work& work) {
  const std::lock_guard lock(mutex_);
  if (!database_) return;
  try {
    work();
  } catch (const Error& error) {
    if (!error.damaged()) {
      if (!std::exchange(failed_, true)) warn("cache " + path_ + ": cannot be " + what + ": " + error.what());
      return;
    }
    try {
      const FileLock file(path_);
      try {
        open();
        verify_answers(database_.get());
      } catch (const Error& again) {
        if (!again.damaged()) throw;
        rebuild();
      }
      warn("cache " + path_ + " was damaged (" + error.what() + ") and has been begun anew");
    } catch (const std::exception& failure) {
      database_.reset();
      warn("cache " + path_ + " is damaged and not used any more: " + failure.what());
    }
  }
}

std::optional<std::string> Cache::find(const std::string& key) {
  std::optional<std::string> answer;
  guarded("read", [&] {
    Statement row(database_.get(), "SELECT answer, sum FROM answers WHERE key = ?");
    if (!row.bind(1, key).step()) return;
    std::string found = row.bytes(0);
    if (row.bytes(1) != check_of(key, found)) throw Error(SQLITE_CORRUPT, kChanged);
    answer = std::move(found);
  });
  return answer;
}

void Cache::keep(const std::string& key, const std::string& answer) {
  guarded("written", [&] {
    Statement insert(database_.get(), "INSERT OR IGNORE INTO answers(key, answer, sum) VALUES(?, ?, ?)");
    insert.bind(1, key).bind(2, answer).bind(3, check_of(key, answer)).step();
    if (++kept_ % kLookEvery == 0) make_room();
  });
}

void Cache::make_room() {
  sqlite3* database = database_.get();
  const auto used = [&] {
    return (pragma(database, "PRAGMA page_count") - pragma(database, "PRAGMA freelist_count")) *
           pragma(database, "PRAGMA page_size");
  };
  // An eighth at once: what is deleted leaves pages for the next answers.
  while (used() > most_bytes_) {
    sqlite::run(database,
                "DELETE FROM answers WHERE id IN (SELECT id FROM answers ORDER BY id LIMIT "
                "(SELECT count(*) / 8 + 1 FROM answers))");
    if (sqlite3_changes(database) == 0) return;
  }
}

Cache::Contents Cache::contents() {
  Contents contents;
  guarded("read", [&] {
    contents.answers = pragma(database_.get(), "SELECT count(*) FROM answers");
    contents.file_bytes =
        pragma(database_.get(), "PRAGMA page_count") * pragma(database_.get(), "PRAGMA page_size");
  });
  return contents;
}

void Cache::clear() {
  const std::lock_guard lock(mutex_);
  try {
    sqlite::run(database_.get(), "DELETE FROM answers");
    sqlite::run(database_.get(), "VACUUM");
  } catch (const Error& error) {
    throw base::UsageError({path_, std::string("cannot be written: ") + error.what(), "", ""});
  }
}

}  // namespace bitline::oracle
