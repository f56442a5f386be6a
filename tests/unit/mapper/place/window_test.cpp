// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>

#include "mapper/place/program.h"

namespace bitline::place {
namespace {

/// Input pixels of one output pixel, straight from the definition of a convolution window.
std::vector<std::int64_t> taken(const Window& w, std::int64_t j) {
  std::vector<std::int64_t> pixels;
  for (std::int64_t kh = 0; kh < w.kernel_h; kh += w.dilation_h) {
    for (std::int64_t kw = 0; kw < w.kernel_w; kw += w.dilation_w) {
      const std::int64_t r = j / w.out_w * w.stride_h - w.pad_top + kh;
      const std::int64_t c = j % w.out_w * w.stride_w - w.pad_left + kw;
      if (r >= 0 && r < w.in_h && c >= 0 && c < w.in_w) pixels.push_back(r * w.in_w + c);
    }
  }
  return pixels;
}

Window sliding(std::int64_t h, std::int64_t w, std::int64_t k, std::int64_t stride, std::int64_t pad) {
  Window window;
  window.kind = Window::Kind::sliding;
  window.in_h = h, window.in_w = w;
  window.kernel_h = window.kernel_w = k;
  window.stride_h = window.stride_w = stride;
  window.pad_top = window.pad_left = pad;
  window.out_h = (h + 2 * pad - k) / stride + 1;
  window.out_w = (w + 2 * pad - k) / stride + 1;
  return window;
}

/// needed() and released() against the sets of pixels that the windows really take.
TEST(Window, MatchesTheDefinitionOfAConvolution) {
  int cases = 0;
  for (std::int64_t h : {1, 3, 4, 7}) {
    for (std::int64_t w : {1, 2, 5, 8}) {
      for (std::int64_t k : {1, 2, 3, 5}) {
        for (std::int64_t stride : {1, 2, 3}) {
          for (std::int64_t pad : {0, 1, 2}) {
            if (h + 2 * pad < k || w + 2 * pad < k) continue;
            const Window window = sliding(h, w, k, stride, pad);
            const std::int64_t outputs = window.out_h * window.out_w;
            std::int64_t need = 0;
            for (std::int64_t j = 0; j < outputs; ++j) {
              for (std::int64_t p : taken(window, j)) need = std::max(need, p + 1);
              const auto text = ::testing::Message()
                                << h << 'x' << w << " k" << k << " s" << stride << " p" << pad << " j" << j;
              // A window that lies in padding alone may wait for pixels that it does not take.
              EXPECT_GE(window.needed(j), need) << text;
              EXPECT_LE(window.needed(j), h * w) << text;
              if (pad < k && stride <= k) {
                EXPECT_EQ(window.needed(j), need) << text;
              }
              std::int64_t first_later = h * w;
              for (std::int64_t later = j + 1; later < outputs; ++later) {
                for (std::int64_t p : taken(window, later)) first_later = std::min(first_later, p);
              }
              // Pixels that nobody takes may be kept a little longer, never released too early.
              EXPECT_LE(window.released(j), first_later);
              if (stride <= k && pad == 0) {
                EXPECT_EQ(window.released(j), first_later);
              }
            }
            EXPECT_EQ(window.released(outputs - 1), h * w);
            ++cases;
          }
        }
      }
    }
  }
  EXPECT_GT(cases, 200);
}

TEST(Window, CountsTheTapsOfADilatedKernelInsideTheImage) {
  Window window = sliding(9, 7, 5, 2, 3);
  window.dilation_h = 2, window.dilation_w = 4;
  for (std::int64_t j = 0; j < window.out_h * window.out_w; ++j) {
    EXPECT_EQ(window.taken(j), static_cast<std::int64_t>(taken(window, j).size())) << j;
  }
}

TEST(Window, WholeImageIsNeededFromTheStartAndKeptToTheEnd) {
  Window w;
  w.kind = Window::Kind::all;
  w.in_h = 3, w.in_w = 4, w.out_h = 1, w.out_w = 2;
  EXPECT_EQ(w.needed(0), 12);
  EXPECT_EQ(w.released(0), 0);
  EXPECT_EQ(w.released(1), 12);
  EXPECT_EQ(w.taken(0), 12);
}

}  // namespace
}  // namespace bitline::place
