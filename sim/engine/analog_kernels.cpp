// SPDX-License-Identifier: Apache-2.0
#include "sim/engine/analog_kernels.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sim/engine/analog_kernels.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace bitline::engine::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// One vector of columns from column `c` on.
template <bool kSquares>
HWY_INLINE void SumVector(const ColumnSumsJob& job, std::size_t c) {
  const hn::CappedTag<float, kAnalogPanel> d;
  auto sum = hn::Zero(d);
  auto ideal = hn::Zero(d);
  auto squares = hn::Zero(d);
  for (int k = 0; k < job.count; ++k) {
    const std::size_t at = static_cast<std::size_t>(job.rows[k]) * job.columns + c;
    const auto value = hn::Set(d, job.values[k]);
    const auto current = hn::Mul(value, hn::LoadU(d, job.cells + at));
    sum = hn::Add(sum, current);
    ideal = hn::Add(ideal, hn::Mul(value, hn::LoadU(d, job.levels + at)));
    if constexpr (kSquares) squares = hn::Add(squares, hn::Mul(current, current));
  }
  hn::StoreU(sum, d, job.sums + c);
  hn::StoreU(ideal, d, job.ideal + c);
  if constexpr (kSquares) hn::StoreU(squares, d, job.squares + c);
}

void SumColumns(const ColumnSumsJob& job) {
  const hn::CappedTag<float, kAnalogPanel> d;
  for (std::size_t c = 0; c < job.columns; c += hn::Lanes(d)) {
    if (job.squares == nullptr) {
      SumVector<false>(job, c);
    } else {
      SumVector<true>(job, c);
    }
  }
}

}  // namespace bitline::engine::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bitline::engine {

HWY_EXPORT(SumColumns);

void sum_columns(const ColumnSumsJob& job) {
  HWY_DYNAMIC_DISPATCH(SumColumns)(job);
}

}  // namespace bitline::engine
#endif
