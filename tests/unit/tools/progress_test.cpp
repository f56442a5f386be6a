// SPDX-License-Identifier: Apache-2.0
#include "tools/bitline/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "tools/bitline/log.h"

namespace bitline::cli {
namespace {

TEST(ProgressBar, IsDrawnOnATerminalAndRemoved) {
  std::ostringstream out;
  std::ostringstream err;
  const Streams terminal{out, err, true};
  {
    ProgressBar bar(terminal, false);
    bar.update("values", 15, 30);
    EXPECT_EQ(err.str(), "\rvalues   [" + std::string(15, '#') + std::string(15, ' ') + "] 15/30 images ");
  }
  EXPECT_THAT(err.str(), ::testing::EndsWith("\r"));
  EXPECT_EQ(out.str(), "");
}

TEST(ProgressBar, IsSilentElsewhereAndWhenQuiet) {
  std::ostringstream out;
  std::ostringstream err;
  const Streams file{out, err, false};
  const Streams terminal{out, err, true};
  ProgressBar(file, false).update("values", 1, 2);
  ProgressBar(terminal, true).update("values", 1, 2);
  EXPECT_EQ(err.str(), "");
}

TEST(Log, QuietLeavesWarnings) {
  std::ostringstream out;
  std::ostringstream err;
  const Streams streams{out, err, false};
  const Log log(streams, true);
  log.info("a note");
  log.warn("a warning");
  EXPECT_EQ(err.str(), "bitline: a warning\n");
  Log(streams, false).info("100 % {done}");
  EXPECT_EQ(err.str(), "bitline: a warning\nbitline: 100 % {done}\n");
}

}  // namespace
}  // namespace bitline::cli
