// SPDX-License-Identifier: Apache-2.0
// Times of two pipelines, bit by bit.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>

#include "sim/analytic/pipeline.h"

namespace bitline::timing_test {

inline void expect_equal(const analytic::PipelineTimes& a, const analytic::PipelineTimes& b,
                         std::uint32_t seed) {
  ASSERT_EQ(a.image_start, b.image_start) << seed;
  ASSERT_EQ(a.image_end, b.image_end) << seed;
  ASSERT_EQ(a.stages.size(), b.stages.size()) << seed;
  for (std::size_t s = 0; s < a.stages.size(); ++s) {
    ASSERT_EQ(a.stages[s].first_start, b.stages[s].first_start) << seed << " " << s;
    ASSERT_EQ(a.stages[s].last_end, b.stages[s].last_end) << seed << " " << s;
    ASSERT_EQ(a.stages[s].busy, b.stages[s].busy) << seed << " " << s;
    ASSERT_EQ(a.stages[s].input_stall, b.stages[s].input_stall) << seed << " " << s;
    ASSERT_EQ(a.stages[s].output_stall, b.stages[s].output_stall) << seed << " " << s;
  }
}

}  // namespace bitline::timing_test
