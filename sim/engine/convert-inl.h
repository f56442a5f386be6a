// SPDX-License-Identifier: Apache-2.0
// Included once per instruction set by the kernels: conversions, and where their values go.
#if defined(BITLINE_SIM_ENGINE_CONVERT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef BITLINE_SIM_ENGINE_CONVERT_INL_H_
#undef BITLINE_SIM_ENGINE_CONVERT_INL_H_
#else
#define BITLINE_SIM_ENGINE_CONVERT_INL_H_
#endif

#include <hwy/highway.h>
#include "sim/engine/kernels.h"

HWY_BEFORE_NAMESPACE();
namespace bitline::engine::HWY_NAMESPACE {
#if HWY_TARGET != HWY_SCALAR
namespace hn = hwy::HWY_NAMESPACE;

/// count + 1 where the mask is set.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V CountIf(D d, hn::Mask<D> mask, V count) {
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL
  if constexpr (sizeof(hn::TFromD<D>) == 4 && sizeof(V) == 64) {
    return V{_mm512_mask_sub_epi32(count.raw, mask.raw, count.raw, _mm512_set1_epi32(-1))};
  } else if constexpr (sizeof(V) == 64) {
    return V{_mm512_mask_sub_epi16(count.raw, mask.raw, count.raw, _mm512_set1_epi16(-1))};
  }
#endif
  return hn::Sub(count, hn::VecFromMask(d, mask));
}

/// Rounds the low `drop` bits away, half to even: floor((x + half - 1 + odd) / 2^drop).
template <class D, class V = hn::Vec<D>>
HWY_INLINE V RoundAway(D d, V x, int drop) {
  const auto odd = hn::And(hn::ShiftRightSame(x, drop), hn::Set(d, 1));
  const auto below_half = hn::Set(d, static_cast<hn::TFromD<D>>((1 << (drop - 1)) - 1));
  return hn::ShiftRightSame(hn::Add(hn::Add(x, below_half), odd), drop);
}

/// Conversions of one kind, a vector of columns at a time; counts per lane those that clip.
template <class D, bool kAnalog>
class Converter {
 public:
  using V = hn::Vec<D>;
  explicit Converter(const Conversion& how) : how_(how), clipped_(hn::Zero(D())) {}

  HWY_INLINE V operator()(V sum) {
    const D d;
    if (how_.drop > 0) sum = RoundAway(d, sum, how_.drop);
    const auto limit = hn::Set(d, static_cast<hn::TFromD<D>>(how_.limit));
    clipped_ = CountIf(d, hn::Gt(sum, limit), clipped_);
    sum = hn::Min(sum, limit);
    if constexpr (kAnalog) {
      const auto lowest = hn::Neg(limit);
      clipped_ = CountIf(d, hn::Lt(sum, lowest), clipped_);
      sum = hn::Max(sum, lowest);
    }
    return sum;
  }
  [[nodiscard]] HWY_INLINE V clipped() const { return clipped_; }

 private:
  const Conversion& how_;
  V clipped_;
};

/// A group's values of one vector of columns: y += value << shift.
template <class D32, class V = hn::Vec<D32>>
HWY_INLINE void AddValues(D32 d, V value, const Accumulation& into, const ReadGroup& group,
                          std::size_t column) {
  const hn::RepartitionToWide<D32> d64;
  const hn::Half<D32> half;
  const bool negate = into.negate != group.negative;
  const int shift = into.shift + group.shift;
  if (into.flip != nullptr) {
    const auto mask = hn::LoadU(d, into.flip + column);
    value = hn::Sub(hn::Xor(value, mask), mask);
  }
  std::int64_t* y = into.y + static_cast<std::size_t>(group.position) * into.stride;
  if (into.columns == nullptr) {
    y += column;
    const auto low = hn::ShiftLeftSame(hn::PromoteTo(d64, hn::LowerHalf(half, value)), shift);
    const auto high = hn::ShiftLeftSame(hn::PromoteTo(d64, hn::UpperHalf(half, value)), shift);
    std::int64_t* next = y + hn::Lanes(d64);
    hn::StoreU(negate ? hn::Sub(hn::LoadU(d64, y), low) : hn::Add(hn::LoadU(d64, y), low), d64, y);
    hn::StoreU(negate ? hn::Sub(hn::LoadU(d64, next), high) : hn::Add(hn::LoadU(d64, next), high), d64, next);
    return;
  }
  HWY_ALIGN std::int32_t lanes[kPanel];
  hn::StoreU(value, d, lanes);
  const std::size_t used = static_cast<std::size_t>(into.count);
  for (std::size_t i = 0; i < hn::Lanes(d) && column + i < used; ++i) {
    const std::int64_t wide = std::int64_t{lanes[i]} * (std::int64_t{1} << shift);
    y[into.columns[column + i]] += negate ? -wide : wide;
  }
}

#endif  // HWY_TARGET != HWY_SCALAR
}  // namespace bitline::engine::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
