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
#include "sim/engine/scalar_kernels.h"

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

/// Conversions, a vector of columns at a time. kPlain: of sums that are not negative and not rounded.
template <class D, bool kPlain>
class Converter {
 public:
  using V = hn::Vec<D>;
  explicit HWY_INLINE Converter(const Conversion& how)
      : limit_(hn::Set(D(), static_cast<hn::TFromD<D>>(how.limit))),
        lowest_(how.analog ? hn::Neg(limit_) : hn::Zero(D())),
        drop_(how.drop) {}

  /// Adds to `clipped` where the sum is beyond a limit. Loops keep that in a variable of their own: a member
  /// would go through memory every time.
  HWY_INLINE V operator()(V sum, V& clipped) const {
    const D d;
    if constexpr (!kPlain) {
      if (drop_ > 0) sum = RoundAway(d, sum, drop_);
      clipped = CountIf(d, hn::Lt(sum, lowest_), clipped);
      sum = hn::Max(sum, lowest_);
    }
    clipped = CountIf(d, hn::Gt(sum, limit_), clipped);
    return hn::Min(sum, limit_);
  }

 private:
  V limit_, lowest_;
  int drop_;
};

[[nodiscard]] HWY_INLINE bool IsPlain(const Conversion& how) {
  return how.drop == 0 && !how.analog;
}

/// A group's values of one vector of columns: y += value << shift.
template <class D32, class V = hn::Vec<D32>>
HWY_INLINE void AddValues(D32 d, V value, const Accumulation& into, const ReadGroup& group,
                          std::size_t column) {
  const hn::RepartitionToWide<D32> d64;
  const hn::Half<D32> half;
  const int shift = into.shift + group.shift;
  if (into.flip != nullptr) {
    const auto mask = hn::LoadU(d, into.flip + column);
    value = hn::Sub(hn::Xor(value, mask), mask);
  }
  if (into.negate != group.negative) value = hn::Neg(value);
  std::int64_t* y = into.y + static_cast<std::size_t>(group.position) * into.stride;
  if (into.columns == nullptr) {
    y += column;
    const auto low = hn::ShiftLeftSame(hn::PromoteTo(d64, hn::LowerHalf(half, value)), shift);
    const auto high = hn::ShiftLeftSame(hn::PromoteTo(d64, hn::UpperHalf(half, value)), shift);
    hn::StoreU(hn::Add(hn::LoadU(d64, y), low), d64, y);
    y += hn::Lanes(d64);
    hn::StoreU(hn::Add(hn::LoadU(d64, y), high), d64, y);
    return;
  }
  HWY_ALIGN std::int32_t lanes[kPanel];
  hn::Store(value, d, lanes);
  const int left = into.count - static_cast<int>(column);
  const int count = left < static_cast<int>(hn::Lanes(d)) ? left : static_cast<int>(hn::Lanes(d));
  scalar::scatter(lanes, into.columns + column, count, shift, y);
}

#endif  // HWY_TARGET != HWY_SCALAR
}  // namespace bitline::engine::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
