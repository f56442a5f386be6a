// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "mapper/place/program.h"

namespace bitline::place {
namespace {

/// Input pixels needed for one output position alone, from the first.
std::int64_t needed_alone(const Window& w, std::int64_t out_row, std::int64_t out_col) {
  const std::int64_t row = std::min(w.in_h - 1, out_row * w.stride_h - w.pad_top + w.kernel_h - 1);
  const std::int64_t col = std::min(w.in_w - 1, out_col * w.stride_w - w.pad_left + w.kernel_w - 1);
  if (row < 0) return 0;
  return row * w.in_w + std::max<std::int64_t>(col, -1) + 1;
}

/// Taps of a kernel of this extent, from `first` on in steps of `dilation`, that lie in [0, size).
std::int64_t taps_inside(std::int64_t first, std::int64_t extent, std::int64_t dilation, std::int64_t size) {
  std::int64_t taps = 0;
  for (std::int64_t at = first; at < first + extent; at += dilation) taps += at >= 0 && at < size ? 1 : 0;
  return taps;
}

}  // namespace

std::int64_t Window::needed(std::int64_t j) const {
  if (kind == Kind::pixelwise) return j + 1;
  if (kind == Kind::gathered) return gather->needed[static_cast<std::size_t>(j)];
  if (kind != Kind::sliding) return in_h * in_w;
  const std::int64_t row = j / out_w;
  const std::int64_t own = needed_alone(*this, row, j % out_w);
  // At the bottom border the last input row is clamped, so that the start of a row asks for less than the end
  // of the one before.
  return row == 0 ? own : std::max(own, needed_alone(*this, row - 1, out_w - 1));
}

std::int64_t Window::released(std::int64_t j) const {
  const std::int64_t pixels = in_h * in_w;
  const std::int64_t row = j / out_w;
  const std::int64_t col = j % out_w;
  if (kind == Kind::pixelwise) return j + 1;
  if (kind == Kind::gathered) return gather->released[static_cast<std::size_t>(j)];
  if (j + 1 >= out_h * out_w) return pixels;
  if (kind != Kind::sliding) return 0;
  std::int64_t first = pixels;
  if (col + 1 < out_w) {
    const std::int64_t in_row = std::max<std::int64_t>(0, row * stride_h - pad_top);
    const std::int64_t in_col = std::clamp<std::int64_t>((col + 1) * stride_w - pad_left, 0, in_w);
    first = in_row * in_w + in_col;
  }
  if (row + 1 < out_h)
    first = std::min(first, std::max<std::int64_t>(0, (row + 1) * stride_h - pad_top) * in_w);
  return std::min(first, pixels);
}

std::int64_t Window::taken(std::int64_t j) const {
  if (kind == Kind::pixelwise) return 1;
  if (kind == Kind::gathered) return gather->taken[static_cast<std::size_t>(j)];
  if (kind != Kind::sliding) return in_h * in_w;
  return taps_inside(j / out_w * stride_h - pad_top, kernel_h, dilation_h, in_h) *
         taps_inside(j % out_w * stride_w - pad_left, kernel_w, dilation_w, in_w);
}

}  // namespace bitline::place
