// SPDX-License-Identifier: Apache-2.0
#include "sim/result/output_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <fstream>
#include <iterator>

#include "models/base/errors.h"

namespace bitline::result {
namespace {

namespace fs = std::filesystem;

class OutputFolderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::temp_directory_path() / ("bitline_output_" + std::to_string(::getpid()));
    fs::create_directories(root_);
  }
  void TearDown() override { fs::remove_all(root_); }
  static std::string read(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  fs::path root_;
};

TEST_F(OutputFolderTest, CreatesParentsAndLeavesNoTemporaryFiles) {
  const OutputFolder folder((root_ / "a" / "b").string(), "--out");
  folder.write("result.json", "one");
  folder.write("result.json", "two");
  EXPECT_EQ(read(root_ / "a" / "b" / "result.json"), "two");
  EXPECT_EQ(std::distance(fs::directory_iterator(root_ / "a" / "b"), {}), 1);
}

TEST_F(OutputFolderTest, AFileInTheWayIsAUsageErrorThatNamesOptionAndPath) {
  std::ofstream(root_ / "file") << "x";
  try {
    const OutputFolder folder((root_ / "file").string(), "--out");
    FAIL() << "accepted a file as a folder";
  } catch (const base::UsageError& error) {
    EXPECT_EQ(error.code(), base::ExitCode::usage);
    EXPECT_THAT(error.what(), ::testing::HasSubstr("--out " + (root_ / "file").string()));
  }
  EXPECT_THROW(OutputFolder("", "--out"), base::UsageError);
  EXPECT_THROW(OutputFolder("/proc/bitline", "--out"), base::UsageError);
}

TEST_F(OutputFolderTest, AFolderInTheWayOfAFileIsReportedAndCleanedUp) {
  const OutputFolder folder(root_.string(), "--out");
  fs::create_directories(root_ / "result.json" / "x");
  EXPECT_THROW(folder.write("result.json", "text"), base::UsageError);
  EXPECT_EQ(std::distance(fs::directory_iterator(root_), {}), 1);
}

}  // namespace
}  // namespace bitline::result
