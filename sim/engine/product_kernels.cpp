// SPDX-License-Identifier: Apache-2.0
// Integer matrix products on pairs of 16-bit rows: four positions x two vectors of columns at a time.
#include <cstring>

#include "sim/engine/kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sim/engine/product_kernels.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include "sim/engine/accumulate-inl.h"
#include "sim/engine/scalar_kernels.h"

HWY_BEFORE_NAMESPACE();
namespace bitline::engine::HWY_NAMESPACE {
#if HWY_TARGET == HWY_SCALAR

void MultiplyAdd(const ProductJob& job, int shift, std::int64_t* y, std::size_t stride) {
  scalar::multiply_add(job, shift, y, stride);
}

void Multiply(const ProductJob& job, std::int32_t* sums) {
  scalar::multiply(job, sums);
}

std::int64_t ConvertSums(const SumsJob& job) {
  return scalar::convert_sums(job);
}

#else
namespace hn = hwy::HWY_NAMESPACE;

using P32 = hn::CappedTag<std::int32_t, kProductPanel>;
using W32 = hn::Vec<P32>;
using P16 = hn::RepartitionToNarrow<P32>;
using P64 = hn::RepartitionToWide<P32>;

HWY_INLINE hn::Vec<P16> BroadcastPair(const std::int16_t* pair) {
  std::int32_t both;
  std::memcpy(&both, pair, sizeof both);
  return hn::BitCast(P16(), hn::Set(P32(), both));
}

/// The two halves that a widening multiply-add may keep apart.
struct Sum {
  W32 even;
  W32 odd;
  HWY_INLINE void Add(hn::Vec<P16> a, hn::Vec<P16> b) {
    even = hn::ReorderWidenMulAccumulate(P32(), a, b, even, odd);
  }
  HWY_INLINE W32 Total() const { return hn::RearrangeToOddPlusEven(even, odd); }
};

/// y[position][column] += product << shift.
struct AddTo {
  int shift;
  std::int64_t* y;
  std::size_t stride;
  HWY_INLINE void operator()(W32 product, int position, std::size_t column) const {
    const P64 d64;
    const hn::Half<P32> half;
    std::int64_t* at = y + static_cast<std::size_t>(position) * stride + column;
    const auto low = hn::ShiftLeftSame(hn::PromoteTo(d64, hn::LowerHalf(half, product)), shift);
    const auto high = hn::ShiftLeftSame(hn::PromoteTo(d64, hn::UpperHalf(half, product)), shift);
    hn::StoreU(hn::Add(hn::LoadU(d64, at), low), d64, at);
    at += hn::Lanes(d64);
    hn::StoreU(hn::Add(hn::LoadU(d64, at), high), d64, at);
  }
};

struct StoreTo {
  std::int32_t* sums;
  std::size_t stride;
  HWY_INLINE void operator()(W32 product, int position, std::size_t column) const {
    hn::StoreU(product, P32(), sums + static_cast<std::size_t>(position) * stride + column);
  }
};

/// The columns [column, column + 2 vectors) of the product.
struct Columns {
  const std::int16_t* b0;
  const std::int16_t* b1;
  std::size_t column;
  std::size_t lanes;
};

template <class Emit>
HWY_INLINE void FourPositions(const ProductJob& job, const Columns& at, int position, const Emit& emit) {
  const P16 d;
  const std::int16_t* a0 = job.a + static_cast<std::size_t>(position) * job.a_stride;
  const std::int16_t* a1 = a0 + job.a_stride;
  const std::int16_t* a2 = a1 + job.a_stride;
  const std::int16_t* a3 = a2 + job.a_stride;
  const Sum none{hn::Zero(P32()), hn::Zero(P32())};
  Sum s00 = none, s01 = none, s10 = none, s11 = none, s20 = none, s21 = none, s30 = none, s31 = none;
  for (int pair = 0; pair < job.pairs; ++pair) {
    const auto b0 = hn::LoadU(d, at.b0 + pair * 2 * kProductPanel);
    const auto b1 = hn::LoadU(d, at.b1 + pair * 2 * kProductPanel);
    auto a = BroadcastPair(a0 + 2 * pair);
    s00.Add(a, b0);
    s01.Add(a, b1);
    a = BroadcastPair(a1 + 2 * pair);
    s10.Add(a, b0);
    s11.Add(a, b1);
    a = BroadcastPair(a2 + 2 * pair);
    s20.Add(a, b0);
    s21.Add(a, b1);
    a = BroadcastPair(a3 + 2 * pair);
    s30.Add(a, b0);
    s31.Add(a, b1);
  }
  emit(s00.Total(), position, at.column);
  emit(s01.Total(), position, at.column + at.lanes);
  emit(s10.Total(), position + 1, at.column);
  emit(s11.Total(), position + 1, at.column + at.lanes);
  emit(s20.Total(), position + 2, at.column);
  emit(s21.Total(), position + 2, at.column + at.lanes);
  emit(s30.Total(), position + 3, at.column);
  emit(s31.Total(), position + 3, at.column + at.lanes);
}

template <class Emit>
HWY_INLINE void OnePosition(const ProductJob& job, const Columns& at, int position, const Emit& emit) {
  const P16 d;
  const std::int16_t* a0 = job.a + static_cast<std::size_t>(position) * job.a_stride;
  const Sum none{hn::Zero(P32()), hn::Zero(P32())};
  Sum s0 = none, s1 = none;
  for (int pair = 0; pair < job.pairs; ++pair) {
    const auto a = BroadcastPair(a0 + 2 * pair);
    s0.Add(a, hn::LoadU(d, at.b0 + pair * 2 * kProductPanel));
    s1.Add(a, hn::LoadU(d, at.b1 + pair * 2 * kProductPanel));
  }
  emit(s0.Total(), position, at.column);
  emit(s1.Total(), position, at.column + at.lanes);
}

template <class Emit>
HWY_INLINE void Product(const ProductJob& job, const Emit& emit) {
  const std::size_t lanes = hn::Lanes(P32());
  const std::size_t columns = static_cast<std::size_t>(job.panels) * kProductPanel;
  const auto cells = [&job](std::size_t column) {
    const std::size_t panel = column / kProductPanel;
    return job.b + (panel * static_cast<std::size_t>(job.pairs) * kProductPanel + column % kProductPanel) * 2;
  };
  for (std::size_t column = 0; column < columns; column += 2 * lanes) {
    const Columns at{.b0 = cells(column), .b1 = cells(column + lanes), .column = column, .lanes = lanes};
    int position = 0;
    for (; position + 4 <= job.positions; position += 4) FourPositions(job, at, position, emit);
    for (; position < job.positions; ++position) OnePosition(job, at, position, emit);
  }
}

void MultiplyAdd(const ProductJob& job, int shift, std::int64_t* y, std::size_t stride) {
  Product(job, AddTo{.shift = shift, .y = y, .stride = stride});
}

void Multiply(const ProductJob& job, std::int32_t* sums) {
  Product(job, StoreTo{.sums = sums, .stride = static_cast<std::size_t>(job.panels) * kProductPanel});
}

std::int64_t ConvertSums(const SumsJob& job) {
  const P32 d;
  const P64 d64;
  const hn::Half<P32> half;
  const auto limit = hn::Set(d, static_cast<std::int32_t>(job.conversion.limit));
  const auto lowest = job.conversion.analog ? hn::Neg(limit) : hn::Zero(d);
  auto clipped = hn::Zero(d);
  for (int position = 0; position < job.positions; ++position) {
    const std::size_t row = static_cast<std::size_t>(position) * job.chunks.size();
    for (int column = 0; column < job.columns; column += static_cast<int>(hn::Lanes(d))) {
      auto low = hn::Zero(d64);
      auto high = hn::Zero(d64);
      for (std::size_t k = 0; k < job.chunks.size(); ++k) {
        auto sum = hn::LoadU(d, job.sums + (row + k) * static_cast<std::size_t>(job.columns) + column);
        if (job.conversion.drop > 0) sum = RoundAway(d, sum, job.conversion.drop);
        const auto beyond =
            hn::Or(hn::VecFromMask(d, hn::Gt(sum, limit)), hn::VecFromMask(d, hn::Lt(sum, lowest)));
        clipped = hn::Sub(clipped, beyond);
        sum = hn::Max(hn::Min(sum, limit), lowest);
        const int shift = job.chunks[k].shift;
        const auto wide_low = hn::ShiftLeftSame(hn::PromoteTo(d64, hn::LowerHalf(half, sum)), shift);
        const auto wide_high = hn::ShiftLeftSame(hn::PromoteTo(d64, hn::UpperHalf(half, sum)), shift);
        low = job.chunks[k].sign > 0 ? hn::Add(low, wide_low) : hn::Sub(low, wide_low);
        high = job.chunks[k].sign > 0 ? hn::Add(high, wide_high) : hn::Sub(high, wide_high);
      }
      AddValues(d64, low, job.into, position, static_cast<std::size_t>(column));
      AddValues(d64, high, job.into, position, static_cast<std::size_t>(column) + hn::Lanes(d64));
    }
  }
  return hn::GetLane(hn::SumOfLanes(d, clipped));
}

#endif  // HWY_TARGET == HWY_SCALAR
}  // namespace bitline::engine::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bitline::engine {

HWY_EXPORT(ConvertSums);
HWY_EXPORT(Multiply);
HWY_EXPORT(MultiplyAdd);

void multiply_add(const ProductJob& job, int shift, std::int64_t* y, std::size_t stride) {
  HWY_DYNAMIC_DISPATCH(MultiplyAdd)(job, shift, y, stride);
}

void multiply(const ProductJob& job, std::int32_t* sums) {
  HWY_DYNAMIC_DISPATCH(Multiply)(job, sums);
}

std::int64_t convert_sums(const SumsJob& job) {
  return HWY_DYNAMIC_DISPATCH(ConvertSums)(job);
}

}  // namespace bitline::engine
#endif
