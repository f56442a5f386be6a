// SPDX-License-Identifier: Apache-2.0
// How much of a quantity of time falls where, without knowing beforehand how long it all takes: equal bins
// from time zero, which become twice as wide whenever the last one is passed. Exact: sums of bins are sums of
// spans.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "models/base/units.h"

namespace bitline::cycle {

class TimeBins {
 public:
  static constexpr std::size_t kBins = 128;
  /// A span that belongs to the quantity; spans may come in any order.
  void add(base::Time from, base::Time to);
  [[nodiscard]] base::Time width() const { return base::Time::from_fs(width_); }
  /// Makes the bins at least this wide; `width` is a power of two of femtoseconds, as width() of others is.
  void widen(base::Time width);
  [[nodiscard]] const std::array<std::int64_t, kBins>& fs() const { return fs_; }

 private:
  void halve();
  std::int64_t width_ = 1;
  std::array<std::int64_t, kBins> fs_{};
};

}  // namespace bitline::cycle
