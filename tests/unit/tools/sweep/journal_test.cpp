// SPDX-License-Identifier: Apache-2.0
#include "tools/sweep/journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "models/base/errors.h"

namespace bitline::sweep {
namespace {

using ::testing::HasSubstr;

class JournalFile : public ::testing::Test {
 protected:
  void SetUp() override { std::filesystem::remove(path_); }
  void TearDown() override { std::filesystem::remove(path_); }

  [[nodiscard]] std::string text() const {
    std::ostringstream all;
    all << std::ifstream(path_).rdbuf();
    return all.str();
  }
  void write(const std::string& text) const { std::ofstream(path_) << text; }
  void fill(int records) const {
    Journal journal(path_, header_);
    for (int i = 0; i < records; ++i) journal.add({{"point", i}});
  }

  const std::string path_ = testing::TempDir() + "journal-" + std::to_string(getpid()) + ".jsonl";
  const Json header_ = {{"schema", "test"}};
};

TEST_F(JournalFile, KeepsRecordsInOrder) {
  fill(3);
  const Journal journal(path_, {{"another", "header"}});
  EXPECT_EQ(journal.header(), header_);
  EXPECT_FALSE(journal.was_torn());
  ASSERT_EQ(journal.records().size(), 3);
  EXPECT_EQ(journal.records()[2]["point"], 2);
}

TEST_F(JournalFile, CutAnywhereItKeepsTheWholeLinesAndGoesOn) {
  fill(3);
  const std::string whole = text();
  std::size_t lines_before = 0;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    write(whole.substr(0, size));
    const auto lines = static_cast<std::size_t>(
        std::count(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size), '\n'));
    {
      Journal journal(path_, header_);
      EXPECT_EQ(journal.header(), header_);
      EXPECT_EQ(journal.records().size(), lines == 0 ? 0 : lines - 1) << size;
      EXPECT_EQ(journal.was_torn(), size > 0 && whole[size - 1] != '\n') << size;
      journal.add({{"point", "new"}});
    }
    const Journal again(path_, header_);
    EXPECT_FALSE(again.was_torn());
    EXPECT_EQ(again.records().back()["point"], "new");
    EXPECT_EQ(again.records().size(), (lines == 0 ? 0 : lines - 1) + 1);
    lines_before = lines;
  }
  EXPECT_EQ(lines_before, 3);
}

TEST_F(JournalFile, ADamagedLineIsFoundWhereverAByteIsWrong) {
  fill(2);
  const std::string whole = text();
  const std::size_t last = whole.rfind('\n', whole.size() - 2) + 1;
  // (without the newline before the last line, which would make the last two one that was cut off)
  for (std::size_t at = 0; at + 1 < last; ++at) {
    std::string wrong = whole;
    wrong[at] = static_cast<char>(wrong[at] ^ 1);
    write(wrong);
    try {
      const Journal journal(path_, header_);
      ADD_FAILURE() << "byte " << at << " is not missed";
    } catch (const base::UsageError& error) {
      EXPECT_THAT(error.what(), HasSubstr("is damaged")) << at;
    }
  }
}

TEST_F(JournalFile, IsForOneProcessAtATime) {
  const Journal journal(path_, header_);
  try {
    const Journal second(path_, header_);
    FAIL() << "two at once";
  } catch (const base::UsageError& error) {
    EXPECT_THAT(error.what(), HasSubstr("another sweep is at work"));
  }
}

TEST_F(JournalFile, APlaceThatCannotBeWrittenIsNamed) {
  try {
    const Journal journal("/nowhere/at/all.jsonl", header_);
    FAIL();
  } catch (const base::UsageError& error) {
    EXPECT_THAT(error.what(), HasSubstr("/nowhere/at/all.jsonl: cannot be written: No such file"));
  }
}

}  // namespace
}  // namespace bitline::sweep
