// SPDX-License-Identifier: Apache-2.0
// Conversions on bit planes: S = sum over input bits i and cell bits j of 2^(i+j) * popcount(X_i & C_j), 16
// columns x 16 rows per 256 bits.
#include "sim/engine/kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sim/engine/plane_kernels.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include "sim/engine/convert-inl.h"
#include "sim/engine/scalar_kernels.h"
#include "sim/engine/x86_products.h"

HWY_BEFORE_NAMESPACE();
namespace bitline::engine::HWY_NAMESPACE {
#if HWY_TARGET == HWY_SCALAR

std::int64_t ConvertPlanes(const PlaneJob& job) {
  return scalar::convert_planes(job);
}

int PlanePairLimit() {
  return 6;
}

#else
namespace hn = hwy::HWY_NAMESPACE;

using D16 = hn::CappedTag<std::int16_t, kStrip>;
using V16 = hn::Vec<D16>;
using D32 = hn::RepartitionToWide<D16>;

/// `word` of an input plane in every column.
HWY_INLINE V16 Broadcast(std::uint32_t word) {
  return hn::BitCast(D16(), hn::Set(hn::RebindToUnsigned<D32>(), word));
}

/// The cells of one vector of columns: [cell bit][word].
template <int kWords, int kBits>
struct HeldCells {
  V16 cells[kBits][kWords];
  explicit HeldCells(const std::int16_t* from, int /*words*/) {
    for (int j = 0; j < kBits; ++j) {
      for (int w = 0; w < kWords; ++w) cells[j][w] = hn::LoadU(D16(), from + (j * kWords + w) * kStrip);
    }
  }
  HWY_INLINE V16 At(int bit, int word) const { return cells[bit][word]; }
  [[nodiscard]] HWY_INLINE int Words() const { return kWords; }
};
/// The same in memory, for any number of words.
struct StoredCells {
  const std::int16_t* cells;
  int words;
  StoredCells(const std::int16_t* from, int count) : cells(from), words(count) {}
  HWY_INLINE V16 At(int bit, int word) const {
    return hn::LoadU(D16(), cells + (bit * words + word) * kStrip);
  }
  [[nodiscard]] HWY_INLINE int Words() const { return words; }
};

/// Per column: rows that are 1 in both the input plane and plane `bit` of the cells.
template <class Cells>
HWY_INLINE V16 CountPlane(const std::uint32_t* x, const Cells& cells, int bit) {
  const D16 d;
  auto total = hn::Zero(d);
#if HWY_TARGET == HWY_AVX3_DL
  for (int w = 0; w < cells.Words(); ++w) {
    total = hn::Add(total, hn::PopulationCount(hn::And(Broadcast(x[w]), cells.At(bit, w))));
  }
#else
  constexpr int kSegment = 31;  // 8 ones per word: 31 words fit 8 bits
  const hn::Repartition<std::uint8_t, D16> d8;
  for (int first = 0; first < cells.Words(); first += kSegment) {
    const int last = first + kSegment < cells.Words() ? first + kSegment : cells.Words();
    auto bytes = hn::Zero(d8);
    for (int w = first; w < last; ++w) {
      const auto both = hn::And(Broadcast(x[w]), cells.At(bit, w));
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
template <class Cells>
HWY_INLINE V16 Sum(const std::uint32_t* x, int width, const Cells& cells, int bits) {
  auto sum = hn::Zero(D16());
  for (int i = width - 1; i >= 0; --i) {
    auto part = CountPlane(x + i * cells.Words(), cells, bits - 1);
    for (int j = bits - 2; j >= 0; --j) {
      const auto plane = CountPlane(x + i * cells.Words(), cells, j);
      part = hn::Add(hn::Add(part, part), plane);
    }
    sum = hn::Add(hn::Add(sum, sum), part);
  }
  return sum;
}

/// All reads on one vector of columns. kBits 0: as many as the job says, of one array or the difference of
/// two.
template <class Cells, int kBits>
std::int64_t ConvertColumns(const PlaneJob& job, std::size_t at, std::size_t column) {
  const D16 d;
  const D32 d32;
  const hn::Half<D16> half;
  const int bits = kBits == 0 ? job.cell_bits : kBits;
  const Cells cells(reinterpret_cast<const std::int16_t*>(job.cells) + at, job.words);
  const bool partnered = kBits == 0 && job.partner != nullptr;
  const StoredCells partner(reinterpret_cast<const std::int16_t*>(job.partner) + (partnered ? at : 0),
                            job.words);
  const Converter<D16, kBits != 0> convert(job.conversion);
  auto clipped = hn::Zero(d);
  for (const ReadGroup& group : job.groups) {
    const std::uint32_t* planes = job.planes + static_cast<std::size_t>(group.position) * job.planes_stride;
    auto joined = hn::Zero(d);
    for (int r = group.first; r < group.last; ++r) {
      const Read& read = job.reads[static_cast<std::size_t>(r)];
      const std::uint32_t* x = planes + read.chunk_shift * job.words;
      auto sum = Sum(x, kBits == 0 ? read.width : 1, cells, bits);
      if (partnered) sum = hn::Sub(sum, Sum(x, read.width, partner, bits));
      joined = hn::Add(joined, hn::ShiftLeftSame(convert(sum, clipped), read.shift));
    }
    AddValues(d32, hn::PromoteTo(d32, hn::LowerHalf(half, joined)), job.into, group, column);
    AddValues(d32, hn::PromoteTo(d32, hn::UpperHalf(half, joined)), job.into, group, column + hn::Lanes(d32));
  }
  const auto wide = hn::Add(hn::PromoteTo(d32, hn::LowerHalf(half, clipped)),
                            hn::PromoteTo(d32, hn::UpperHalf(half, clipped)));
  return hn::GetLane(hn::SumOfLanes(d32, wide));
}

template <class Cells, int kBits>
std::int64_t ConvertStrips(const PlaneJob& job) {
  const std::size_t lanes = hn::Lanes(D16());
  const std::size_t strip_cells = static_cast<std::size_t>(job.cell_bits) * job.words * kStrip;
  std::int64_t total = 0;
  for (std::size_t strip = 0; strip < static_cast<std::size_t>(job.strips); ++strip) {
    for (std::size_t lane = 0; lane < kStrip; lane += lanes) {
      total += ConvertColumns<Cells, kBits>(job, strip * strip_cells + lane, strip * kStrip + lane);
    }
  }
  return total;
}

/// Cells of up to 128 rows and 2 bits, read a bit at a time and only clipped, stay in registers.
std::int64_t ConvertPlanes(const PlaneJob& job) {
  bool held = job.partner == nullptr && IsPlain(job.conversion);
  for (const Read& read : job.reads) held = held && read.width == 1;
  if (held && job.cell_bits == 2 && job.words == 8) return ConvertStrips<HeldCells<8, 2>, 2>(job);
  if (held && job.cell_bits == 2 && job.words == 4) return ConvertStrips<HeldCells<4, 2>, 2>(job);
  if (held && job.cell_bits == 1 && job.words == 8) return ConvertStrips<HeldCells<8, 1>, 1>(job);
  if (held && job.cell_bits == 1 && job.words == 16) return ConvertStrips<HeldCells<16, 1>, 1>(job);
  return ConvertStrips<StoredCells, 0>(job);
}

int PlanePairLimit() {
#if HWY_TARGET == HWY_AVX3_DL
  return x86::tiles_in_use() ? 0 : 2;
#else
  return 6;
#endif
}

#endif  // HWY_TARGET == HWY_SCALAR
}  // namespace bitline::engine::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bitline::engine {

HWY_EXPORT(ConvertPlanes);
HWY_EXPORT(PlanePairLimit);

std::int64_t convert_planes(const PlaneJob& job) {
  return HWY_DYNAMIC_DISPATCH(ConvertPlanes)(job);
}

int plane_pair_limit() {
  return HWY_DYNAMIC_DISPATCH(PlanePairLimit)();
}

}  // namespace bitline::engine
#endif
