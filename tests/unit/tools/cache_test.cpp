// SPDX-License-Identifier: Apache-2.0
// The bound of the file of kept costs, and files of other formats. Damage, readers and kills:
// tests/cli/test_cache.py.
#include "tools/oracle/cache.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "models/base/errors.h"
#include "tools/oracle/sqlite.h"

namespace bitline::oracle {
namespace {

class CacheFile : public testing::Test {
 protected:
  void SetUp() override {
    path_ = testing::TempDir() + "cache_test-" +
            testing::UnitTest::GetInstance()->current_test_info()->name() + ".sqlite";
    remove();
  }
  void TearDown() override { remove(); }

  /// What another program, or another version of this one, does to the file.
  void change(const char* sql) const {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(path_.c_str(), &database), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(database, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sql;
    sqlite3_close(database);
  }
  [[nodiscard]] Cache opened(std::int64_t most_bytes = Cache::kMostBytes) {
    return Cache(
        path_, [this](const std::string& text) { warnings_ += text + "\n"; }, most_bytes);
  }

  std::string path_, warnings_;

 private:
  void remove() const {
    for (const char* part : {"", "-wal", "-shm", ".lock", ".damaged"}) std::filesystem::remove(path_ + part);
  }
};

std::string key(int i) {
  return "key " + std::to_string(i);
}

/// A kibibyte that does not repeat another one.
std::string answer(int i) {
  std::string text(1024, 'x');
  return text.replace(0, 8, std::to_string(10'000'000 + i));
}

TEST_F(CacheFile, OldestAnswersMakeRoom) {
  constexpr std::int64_t kMost = 256 << 10;
  constexpr int kAnswers = 2000;
  Cache cache = opened(kMost);
  std::int64_t largest = 0;
  for (int i = 0; i < kAnswers; ++i) {
    cache.keep(key(i), answer(i));
    if (i % 50 == 0) largest = std::max(largest, cache.contents().file_bytes);
  }
  // Room is looked for after every 64 answers, which take up to 2 KiB each with their keys and sums.
  EXPECT_LE(largest, kMost + 64 * 2048);
  EXPECT_LE(cache.contents().file_bytes, kMost + 64 * 2048);
  EXPECT_GT(cache.contents().answers, 64);  // an eighth goes at once, not all
  EXPECT_LT(cache.contents().answers, 320);
  EXPECT_FALSE(cache.find(key(0)));
  EXPECT_EQ(cache.find(key(kAnswers - 1)), answer(kAnswers - 1));
  EXPECT_EQ(cache.find(key(kAnswers - 60)), answer(kAnswers - 60));
  EXPECT_EQ(warnings_, "");
}

TEST_F(CacheFile, AllStaysWithinTheBound) {
  Cache cache = opened();
  for (int i = 0; i < 500; ++i) cache.keep(key(i), answer(i));
  EXPECT_EQ(cache.contents().answers, 500);
  for (int i = 0; i < 500; ++i) EXPECT_EQ(cache.find(key(i)), answer(i));
}

TEST_F(CacheFile, AnotherFormatIsEmptied) {
  opened().keep(key(1), answer(1));
  ASSERT_EQ(opened().find(key(1)), answer(1));
  for (const char* sql : {"PRAGMA user_version = 999", "PRAGMA user_version = 0",
                          "ALTER TABLE answers RENAME COLUMN answer TO reply; PRAGMA user_version = 2"}) {
    opened().keep(key(1), answer(1));
    change(sql);
    Cache cache = opened();
    EXPECT_EQ(cache.contents().answers, 0) << sql;
    EXPECT_FALSE(cache.find(key(1))) << sql;
    cache.keep(key(2), answer(2));
    EXPECT_EQ(opened().find(key(2)), answer(2)) << sql;
  }
  EXPECT_EQ(warnings_, "");
  EXPECT_FALSE(std::filesystem::exists(path_ + ".damaged"));
}

TEST_F(CacheFile, AnotherProgramsFileIsLeftAlone) {
  change("CREATE TABLE theirs(x); INSERT INTO theirs VALUES(7)");
  EXPECT_THROW(opened(), base::UsageError);
  change("UPDATE theirs SET x = x + 1");  // still there
}

}  // namespace
}  // namespace bitline::oracle
