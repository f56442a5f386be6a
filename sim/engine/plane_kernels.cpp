// SPDX-License-Identifier: Apache-2.0
// Conversions on bit planes: S = sum over input bits i and cell bits j of 2^(i+j) * popcount(X_i & C_j), 16
// columns x 16 rows per 256 bits.
#include "sim/engine/kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sim/engine/plane_kernels.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include "sim/engine/accumulate-inl.h"
#include "sim/engine/scalar_kernels.h"

HWY_BEFORE_NAMESPACE();
namespace bitline::engine::HWY_NAMESPACE {
#if HWY_TARGET == HWY_SCALAR

std::int64_t ConvertPlanes(const PlaneJob& job) {
  return scalar::convert_planes(job);
}

void SplitPlanes(const std::uint16_t* codes, int rows, int bits, std::uint32_t* planes) {
  scalar::split_planes(codes, rows, bits, planes);
}

#else
namespace hn = hwy::HWY_NAMESPACE;

using D16 = hn::CappedTag<std::int16_t, kPlanePanel>;
using V16 = hn::Vec<D16>;
using D32 = hn::RepartitionToWide<D16>;
using V32 = hn::Vec<D32>;
using D64 = hn::RepartitionToWide<D32>;

/// `word` of an input plane in every column.
HWY_INLINE V16 Broadcast(std::uint32_t word) {
  return hn::BitCast(D16(), hn::Set(hn::RebindToUnsigned<D32>(), word));
}

/// Per column: rows that are 1 in both the input plane and the cell plane. kWords 0: `words` at run time.
template <int kWords>
HWY_INLINE V16 CountPlane(const std::uint32_t* x, const std::int16_t* cells, int words) {
  const D16 d;
  const int count = kWords == 0 ? words : kWords;
  auto total = hn::Zero(d);
#if HWY_TARGET == HWY_AVX3_DL
  for (int w = 0; w < count; ++w) {
    const auto both = hn::And(Broadcast(x[w]), hn::LoadU(d, cells + w * kPlanePanel));
    total = hn::Add(total, hn::PopulationCount(both));
  }
#else
  constexpr int kSegment = 31;  // 8 ones per word: 31 words fit 8 bits
  const hn::Repartition<std::uint8_t, D16> d8;
  for (int first = 0; first < count; first += kSegment) {
    const int last = first + kSegment < count ? first + kSegment : count;
    auto bytes = hn::Zero(d8);
    for (int w = first; w < last; ++w) {
      const auto both = hn::And(Broadcast(x[w]), hn::LoadU(d, cells + w * kPlanePanel));
      bytes = hn::Add(bytes, hn::PopulationCount(hn::BitCast(d8, both)));
    }
    const hn::RebindToUnsigned<D16> du;
    const auto pairs = hn::BitCast(du, bytes);
    const auto sums = hn::Add(hn::And(pairs, hn::Set(du, 0xff)), hn::ShiftRight<8>(pairs));
    total = hn::Add(total, hn::BitCast(d, sums));
  }
#endif
  return total;
}

/// The analog sum of one chunk: `x` points at its lowest bit plane.
template <int kWords>
HWY_INLINE V16 Sum(const PlaneJob& job, const std::uint32_t* x, int width, const std::int16_t* cells) {
  auto sum = hn::Zero(D16());
  for (int i = width - 1; i >= 0; --i) {
    auto part = CountPlane<kWords>(x + i * job.words, cells + (job.cell_bits - 1) * job.words * kPlanePanel,
                                   job.words);
    for (int j = job.cell_bits - 2; j >= 0; --j) {
      const auto plane =
          CountPlane<kWords>(x + i * job.words, cells + j * job.words * kPlanePanel, job.words);
      part = hn::Add(hn::Add(part, part), plane);
    }
    sum = hn::Add(hn::Add(sum, sum), part);
  }
  return sum;
}

/// One conversion; counts clipped columns in `clipped` (per lane).
template <bool kAnalog>
HWY_INLINE V16 Convert(const Conversion& how, V16 sum, V16& clipped) {
  const D16 d;
  if (how.drop > 0) sum = RoundAway(d, sum, how.drop);
  const auto limit = hn::Set(d, static_cast<std::int16_t>(how.limit));
  clipped = hn::Sub(clipped, hn::VecFromMask(d, hn::Gt(sum, limit)));
  sum = hn::Min(sum, limit);
  if constexpr (kAnalog) {
    const auto lowest = hn::Neg(limit);
    clipped = hn::Sub(clipped, hn::VecFromMask(d, hn::Lt(sum, lowest)));
    sum = hn::Max(sum, lowest);
  }
  return sum;
}

HWY_INLINE void AddWide(V32 value, const PlaneJob& job, int position, std::size_t column) {
  const D64 d64;
  const hn::Half<D32> half;
  AddValues(d64, hn::PromoteTo(d64, hn::LowerHalf(half, value)), job.into, position, column);
  AddValues(d64, hn::PromoteTo(d64, hn::UpperHalf(half, value)), job.into, position, column + hn::Lanes(d64));
}

/// All chunks of one position for the columns of one vector.
template <int kWords, bool kAnalog>
HWY_INLINE void ConvertPosition(const PlaneJob& job, int position, const std::int16_t* cells,
                                const std::int16_t* partner, std::size_t column, V16& clipped) {
  const D32 d32;
  const hn::Half<D16> half;
  const std::uint32_t* planes = job.planes + static_cast<std::size_t>(position) * job.planes_stride;
  auto low = hn::Zero(d32);
  auto high = hn::Zero(d32);
  for (const ChunkGroup& group : job.groups) {
    auto joined = hn::Zero(D16());
    for (int k = group.last - 1; k >= group.first; --k) {
      const slice::InputChunk& chunk = job.chunks[static_cast<std::size_t>(k)];
      const std::uint32_t* x = planes + chunk.shift * job.words;
      auto sum = Sum<kWords>(job, x, chunk.width, cells);
      if constexpr (kAnalog) sum = hn::Sub(sum, Sum<kWords>(job, x, chunk.width, partner));
      for (int bit = 0; bit < job.dac_bits; ++bit) joined = hn::Add(joined, joined);
      joined = hn::Add(joined, Convert<kAnalog>(job.conversion, sum, clipped));
    }
    const auto wide_low = hn::ShiftLeftSame(hn::PromoteTo(d32, hn::LowerHalf(half, joined)), group.shift);
    const auto wide_high = hn::ShiftLeftSame(hn::PromoteTo(d32, hn::UpperHalf(half, joined)), group.shift);
    low = group.sign > 0 ? hn::Add(low, wide_low) : hn::Sub(low, wide_low);
    high = group.sign > 0 ? hn::Add(high, wide_high) : hn::Sub(high, wide_high);
  }
  AddWide(low, job, position, column);
  AddWide(high, job, position, column + hn::Lanes(d32));
}

template <int kWords, bool kAnalog>
std::int64_t ConvertPanels(const PlaneJob& job) {
  const D16 d;
  const D32 d32;
  const hn::Half<D16> half;
  const std::size_t lanes = hn::Lanes(d);
  const std::size_t panel_cells = static_cast<std::size_t>(job.cell_bits) * job.words * kPlanePanel;
  std::int64_t total = 0;
  for (int panel = 0; panel < job.panels; ++panel) {
    for (std::size_t lane = 0; lane < kPlanePanel; lane += lanes) {
      const std::size_t at = static_cast<std::size_t>(panel) * panel_cells + lane;
      const auto* cells = reinterpret_cast<const std::int16_t*>(job.cells) + at;
      const auto* partner = kAnalog ? reinterpret_cast<const std::int16_t*>(job.partner) + at : nullptr;
      auto clipped = hn::Zero(d);
      for (int position = 0; position < job.positions; ++position) {
        ConvertPosition<kWords, kAnalog>(job, position, cells, partner,
                                         static_cast<std::size_t>(panel) * kPlanePanel + lane, clipped);
      }
      const auto wide = hn::Add(hn::PromoteTo(d32, hn::LowerHalf(half, clipped)),
                                hn::PromoteTo(d32, hn::UpperHalf(half, clipped)));
      total += hn::GetLane(hn::SumOfLanes(d32, wide));
    }
  }
  return total;
}

template <bool kAnalog>
std::int64_t ConvertWords(const PlaneJob& job) {
  switch (job.words) {
    case 4:
      return ConvertPanels<4, kAnalog>(job);
    case 8:
      return ConvertPanels<8, kAnalog>(job);
    case 16:
      return ConvertPanels<16, kAnalog>(job);
    default:
      return ConvertPanels<0, kAnalog>(job);
  }
}

std::int64_t ConvertPlanes(const PlaneJob& job) {
  return job.partner != nullptr ? ConvertWords<true>(job) : ConvertWords<false>(job);
}

void SplitPlanes(const std::uint16_t* codes, int rows, int bits, std::uint32_t* planes) {
  const hn::CappedTag<std::uint16_t, kWordRows> d;
  const auto lanes = static_cast<int>(hn::Lanes(d));
  const int words = (rows + kWordRows - 1) / kWordRows;
  for (int word = 0; word < words; ++word) {
    for (int bit = 0; bit < bits; ++bit) {
      const auto probe = hn::Set(d, static_cast<std::uint16_t>(1u << bit));
      std::uint32_t ones = 0;
      for (int row = 0; row < kWordRows; row += lanes) {
        std::uint8_t bytes[8] = {};
        hn::StoreMaskBits(d, hn::TestBit(hn::LoadU(d, codes + word * kWordRows + row), probe), bytes);
        ones |= static_cast<std::uint32_t>(bytes[0] | bytes[1] << 8) << row;
      }
      ones &= 0xffff;
      planes[bit * words + word] = ones | ones << 16;
    }
  }
}

#endif  // HWY_TARGET == HWY_SCALAR
}  // namespace bitline::engine::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bitline::engine {

HWY_EXPORT(ConvertPlanes);
HWY_EXPORT(SplitPlanes);

std::int64_t convert_planes(const PlaneJob& job) {
  return HWY_DYNAMIC_DISPATCH(ConvertPlanes)(job);
}

void split_planes(const std::uint16_t* codes, int rows, int bits, std::uint32_t* planes) {
  HWY_DYNAMIC_DISPATCH(SplitPlanes)(codes, rows, bits, planes);
}

}  // namespace bitline::engine
#endif
