// SPDX-License-Identifier: Apache-2.0
#include "sim/cycle/time_bins.h"

#include <algorithm>

namespace bitline::cycle {

void TimeBins::halve() {
  for (std::size_t i = 0; i < kBins / 2; ++i) fs_[i] = fs_[2 * i] + fs_[2 * i + 1];
  std::fill(fs_.begin() + kBins / 2, fs_.end(), 0);
  width_ *= 2;
}

void TimeBins::add(base::Time from, base::Time to) {
  if (to <= from) return;
  while (to.fs() > width_ * static_cast<std::int64_t>(kBins)) halve();
  for (std::int64_t at = from.fs(); at < to.fs();) {
    const std::int64_t bin = at / width_;
    const std::int64_t end = std::min(to.fs(), (bin + 1) * width_);
    fs_[static_cast<std::size_t>(bin)] += end - at;
    at = end;
  }
}

void TimeBins::widen(base::Time width) {
  while (width_ < width.fs()) halve();
}

}  // namespace bitline::cycle
