// SPDX-License-Identifier: Apache-2.0
#include "sim/deadline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "models/base/errors.h"

namespace bitline::sim {
namespace {

TEST(Deadline, WithoutALimitNeverEnds) {
  const Deadline none(0);
  EXPECT_NO_THROW(none.check("anything"));
  EXPECT_EQ(none.left_s(), 0.0);
}

TEST(Deadline, SaysWhatWasUnderWay) {
  const Deadline soon(0.01);
  EXPECT_NO_THROW(soon.check("the start"));
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(soon.left_s(), 1e-3);  // never 0, which would mean no limit
  try {
    soon.check("the mapping");
    FAIL() << "the time was not up";
  } catch (const base::TimeoutError& error) {
    EXPECT_EQ(error.code(), base::ExitCode::timeout);
    EXPECT_THAT(error.what(),
                ::testing::AllOf(::testing::HasSubstr("0.01 s"), ::testing::HasSubstr("the mapping")));
  }
}

}  // namespace
}  // namespace bitline::sim
