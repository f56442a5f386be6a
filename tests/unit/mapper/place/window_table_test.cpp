// SPDX-License-Identifier: Apache-2.0
#include "mapper/place/window_table.h"

#include <gtest/gtest.h>

#include <numeric>

namespace bitline::place {
namespace {

Window sliding() {
  Window w;
  w.kind = Window::Kind::sliding;
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
  EXPECT_EQ(table->gone.front(), 0);
  EXPECT_EQ(table->gone.back(), 20);
  EXPECT_EQ(table->taken.front(), 4);
  // 3x3 taps of 4x5 outputs less the padding: (4*3-2) rows x (5*3-2) columns.
  EXPECT_EQ(std::accumulate(table->taken.begin(), table->taken.end(), 0), 10 * 13);
}

TEST(WindowTable, TurnsNeedsAndReleasesRound) {
  Window strided = sliding();
  strided.stride_h = strided.stride_w = 2;
  strided.out_h = 2;
  strided.out_w = 3;
  for (const auto& [window, outputs] : {std::pair(sliding(), 20), std::pair(strided, 6)}) {
    const auto table = window_table(window, outputs);
    ASSERT_EQ(table->ready.size(), 21u);
    for (int pixels = 0; pixels <= 20; ++pixels) {
      int can = 0;
      while (can < outputs && window.needed(can) <= pixels) ++can;
      EXPECT_EQ(table->ready[static_cast<std::size_t>(pixels)], can) << pixels;
    }
    ASSERT_EQ(table->freed.size(), 20u);
    for (int pixel = 0; pixel < 20; ++pixel) {
      int last = 0;
      while (window.released(last) <= pixel) ++last;
      EXPECT_EQ(table->freed[static_cast<std::size_t>(pixel)], last) << pixel;
    }
  }
  // Two rows of five and three pixels of the next, of which none is released before the first output.
  EXPECT_EQ(window_table(sliding(), 20)->span, 13);
}

TEST(WindowTable, EqualWindowsShareOne) {
  EXPECT_EQ(window_table(sliding(), 20), window_table(sliding(), 20));
  Window other = sliding();
  other.dilation_h = 2;
  EXPECT_NE(window_table(sliding(), 20), window_table(other, 20));
}

TEST(WindowTable, PixelwiseTakesOneEach) {
  Window w;
  w.in_h = w.out_h = 2;
  const auto table = window_table(w, 2);
  EXPECT_TRUE(table->taken.empty());
  EXPECT_EQ(table->needed, (std::vector<std::int32_t>{1, 2}));
}

}  // namespace
}  // namespace bitline::place
