// SPDX-License-Identifier: Apache-2.0
#include "models/base/files.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "models/base/errors.h"

namespace bitline::base {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::ThrowsMessage;

class Files : public testing::Test {
 protected:
  Files() : folder_(fs::temp_directory_path() / ("bitline_files_" + std::to_string(::getpid()))) {
    fs::create_directories(folder_);
  }
  ~Files() override {
    fs::permissions(folder_, fs::perms::owner_all);
    fs::remove_all(folder_);
  }
  [[nodiscard]] std::string path(const std::string& name) const { return (folder_ / name).string(); }
  [[nodiscard]] std::size_t entries() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }
  fs::path folder_;
};

TEST_F(Files, WhatIsWrittenIsRead) {
  const std::string bytes("a\0b\n\xff", 5);
  write_file_atomically(path("x"), bytes);
  EXPECT_EQ(read_file(path("x"), 5), bytes);
  EXPECT_EQ(entries(), 1u);
}

TEST_F(Files, ReplacesAnOldFile) {
  write_file_atomically(path("x"), "a long old text");
  write_file_atomically(path("x"), "new");
  EXPECT_EQ(read_file(path("x"), 100), "new");
  EXPECT_EQ(entries(), 1u);
}

TEST_F(Files, ManyThreadsLeaveOneWholeFile) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([this, t] {
      for (int i = 0; i < 20; ++i)
        write_file_atomically(path("x"), std::string(10000, static_cast<char>('a' + t)));
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::string text = read_file(path("x"), 100000);
  EXPECT_EQ(text, std::string(10000, text.at(0)));
  EXPECT_EQ(entries(), 1u);
}

TEST_F(Files, AFolderThatDoesNotExistIsAUsageError) {
  EXPECT_THAT([&] { write_file_atomically(path("none/x"), "a"); },
              ThrowsMessage<UsageError>(HasSubstr("none/x: cannot be written: No such file")));
}

TEST_F(Files, AFolderCannotBeOverwritten) {
  fs::create_directory(path("folder"));
  EXPECT_THAT([&] { write_file_atomically(path("folder"), "a"); },
              ThrowsMessage<UsageError>(HasSubstr("Is a directory")));
  EXPECT_EQ(entries(), 1u);
}

TEST_F(Files, ADeviceIsWrittenToAndNotReplaced) {
  write_file_atomically("/dev/null", "a");
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
  EXPECT_THAT([&] { write_file_atomically("/dev/full", "a"); },
              ThrowsMessage<UsageError>(HasSubstr("/dev/full: cannot be written: No space left on device")));
  EXPECT_TRUE(fs::is_character_file("/dev/full"));
}

TEST_F(Files, AFolderThatTakesNoFilesIsAUsageError) {
  EXPECT_THAT([&] { write_file_atomically("/proc/bitline", "a"); },
              ThrowsMessage<UsageError>(HasSubstr("/proc/bitline: cannot be written")));
}

TEST_F(Files, MissingLargeAndIrregularFilesAreUsageErrors) {
  EXPECT_THAT([&] { (void)read_file(path("x"), 10); },
              ThrowsMessage<UsageError>(HasSubstr("x: cannot be read")));
  write_file_atomically(path("x"), "12345678901");
  EXPECT_THAT([&] { (void)read_file(path("x"), 10); },
              ThrowsMessage<UsageError>(HasSubstr("is too large; allowed: at most 10 bytes")));
  EXPECT_THAT([&] { (void)read_file(folder_.string(), 10); },
              ThrowsMessage<UsageError>(HasSubstr("is not a regular file")));
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  EXPECT_THAT([&] { (void)read_file(path("pipe"), 10); },
              ThrowsMessage<UsageError>(HasSubstr("is not a regular file")));
}

}  // namespace
}  // namespace bitline::base
