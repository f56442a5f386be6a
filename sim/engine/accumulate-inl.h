// SPDX-License-Identifier: Apache-2.0
// Included once per instruction set by the kernels: adds 64-bit values into the accumulators.
#if defined(BITLINE_SIM_ENGINE_ACCUMULATE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef BITLINE_SIM_ENGINE_ACCUMULATE_INL_H_
#undef BITLINE_SIM_ENGINE_ACCUMULATE_INL_H_
#else
#define BITLINE_SIM_ENGINE_ACCUMULATE_INL_H_
#endif

#include <hwy/highway.h>
#include "sim/engine/kernels.h"

HWY_BEFORE_NAMESPACE();
namespace bitline::engine::HWY_NAMESPACE {
#if HWY_TARGET != HWY_SCALAR
namespace hn = hwy::HWY_NAMESPACE;

/// One vector of converted values of `position`, columns from `column` on.
template <class D64>
HWY_INLINE void AddValues(D64 d, hn::Vec<D64> value, const Accumulation& into, int position,
                          std::size_t column) {
  value = hn::ShiftLeftSame(value, into.drop);
  if (into.flip != nullptr) {
    const auto mask = hn::LoadU(d, into.flip + column);
    const auto whole = hn::Set(d, into.full * into.input_sums[position]);
    value = hn::Add(hn::Sub(hn::Xor(value, mask), mask), hn::And(mask, whole));
  }
  value = hn::ShiftLeftSame(value, into.shift);
  std::int64_t* y = into.y + static_cast<std::size_t>(position) * into.stride + column;
  const auto old = hn::LoadU(d, y);
  hn::StoreU(into.negate ? hn::Sub(old, value) : hn::Add(old, value), d, y);
}

/// Rounds the low `drop` bits away, half to even: floor((x + half - 1 + odd) / 2^drop).
template <class D, class V = hn::Vec<D>>
HWY_INLINE V RoundAway(D d, V x, int drop) {
  const auto odd = hn::And(hn::ShiftRightSame(x, drop), hn::Set(d, 1));
  const auto below_half = hn::Set(d, static_cast<hn::TFromD<D>>((1 << (drop - 1)) - 1));
  return hn::ShiftRightSame(hn::Add(hn::Add(x, below_half), odd), drop);
}

#endif  // HWY_TARGET != HWY_SCALAR
}  // namespace bitline::engine::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
