// SPDX-License-Identifier: Apache-2.0
#include "sim/analytic/window_table.h"

#include <gtest/gtest.h>

#include <numeric>

namespace bitline::analytic {
namespace {

place::Window sliding() {
  place::Window w;
  w.kind = place::Window::Kind::sliding;
  w.in_h = w.out_h = 4;
  w.in_w = w.out_w = 5;
  w.kernel_h = w.kernel_w = 3;
  w.pad_top = w.pad_left = 1;
  return w;
}

TEST(WindowTable, HoldsWhatTheWindowSays) {
  const auto table = window_table(sliding(), 20);
  ASSERT_EQ(table->needed.size(), 20u);
  EXPECT_EQ(table->in_pixels, 20);
  // The first output needs up to pixel (1, 1), the last all; padding is not taken.
  EXPECT_EQ(table->needed.front(), 7);
  EXPECT_EQ(table->needed.back(), 20);
  EXPECT_EQ(table->released.back(), 20);
  EXPECT_EQ(table->taken.front(), 4);
  // 3x3 taps of 4x5 outputs less the padding: (4*3-2) rows x (5*3-2) columns.
  EXPECT_EQ(std::accumulate(table->taken.begin(), table->taken.end(), 0), 10 * 13);
}

TEST(WindowTable, EqualWindowsShareOne) {
  EXPECT_EQ(window_table(sliding(), 20), window_table(sliding(), 20));
  place::Window other = sliding();
  other.dilation_h = 2;
  EXPECT_NE(window_table(sliding(), 20), window_table(other, 20));
}

TEST(WindowTable, PixelwiseTakesOneEach) {
  place::Window w;
  w.in_h = w.out_h = 2;
  const auto table = window_table(w, 2);
  EXPECT_TRUE(table->taken.empty());
  EXPECT_EQ(table->needed, (std::vector<std::int32_t>{1, 2}));
}

}  // namespace
}  // namespace bitline::analytic
