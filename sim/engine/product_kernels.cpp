// SPDX-License-Identifier: Apache-2.0
// Products of bytes, a block of reads and a strip of columns at a time: their sums stay in the first-level
// cache until they are converted or added up.
#include <algorithm>
#include <cstring>

#include "sim/engine/kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sim/engine/product_kernels.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include "sim/engine/convert-inl.h"
#include "sim/engine/scalar_kernels.h"
#include "sim/engine/x86_products.h"

HWY_BEFORE_NAMESPACE();
namespace bitline::engine::HWY_NAMESPACE {
#if HWY_TARGET == HWY_SCALAR

void MultiplyAdd(const ProductJob& job, int shift, std::int64_t* y, std::size_t stride) {
  scalar::multiply_add(job, shift, y, stride);
}

std::int64_t ConvertSums(const SumsJob& job) {
  return scalar::convert_sums(job);
}

#else
namespace hn = hwy::HWY_NAMESPACE;

using D32 = hn::CappedTag<std::int32_t, kPanel>;
using V32 = hn::Vec<D32>;
using D16 = hn::RepartitionToNarrow<D32>;
using V16 = hn::Vec<D16>;
using D64 = hn::RepartitionToWide<D32>;
using x86::Block;
using x86::kBlockReads;

#if HWY_TARGET == HWY_AVX3_DL
using Session = x86::TileSession;
#else

/// Pairs of rows in 16 bits: the even bytes of every quad, and the odd ones.
struct Pairs {
  V16 even, odd;
};
HWY_INLINE Pairs BroadcastQuad(const std::uint8_t* quad) {
  const hn::RebindToUnsigned<D16> du;
  std::int32_t four;
  std::memcpy(&four, quad, sizeof four);
  const auto bytes = hn::BitCast(du, hn::Set(D32(), four));
  return {hn::BitCast(D16(), hn::And(bytes, hn::Set(du, 0xff))),
          hn::BitCast(D16(), hn::ShiftRight<8>(bytes))};
}
HWY_INLINE Pairs LoadQuads(const std::int8_t* b) {
  const hn::Repartition<std::int8_t, D32> d8;
  const auto bytes = hn::BitCast(D16(), hn::LoadU(d8, b));
  return {hn::ShiftRight<8>(hn::ShiftLeft<8>(bytes)), hn::ShiftRight<8>(bytes)};
}

/// The two halves that a widening multiply-add may keep apart.
struct Sum {
  V32 even;
  V32 odd;
  HWY_INLINE void Add(const Pairs& a, const Pairs& b) {
    even = hn::ReorderWidenMulAccumulate(D32(), a.even, b.even, even, odd);
    even = hn::ReorderWidenMulAccumulate(D32(), a.odd, b.odd, even, odd);
  }
  HWY_INLINE void Store(std::int32_t* to) const {
    hn::StoreU(hn::RearrangeToOddPlusEven(even, odd), D32(), to);
  }
};

/// Two vectors of columns, four reads at a time.
class Session {
 public:
  void multiply(const Block& block) const {
    const std::size_t lanes = hn::Lanes(D32());
    const auto columns = [&block](std::size_t column) {
      return block.b + column / kPanel * block.panel_bytes + column % kPanel * kQuad;
    };
    for (std::size_t column = 0; column < kStrip; column += 2 * lanes) {
      const std::int8_t* b0 = columns(column);
      const std::int8_t* b1 = columns(column + lanes);
      int read = 0;
      for (; read + 4 <= block.reads; read += 4) FourReads(block, b0, b1, read, column);
      for (; read < block.reads; ++read) OneRead(block, b0, b1, read, column);
    }
  }

 private:
  static HWY_INLINE void FourReads(const Block& block, const std::int8_t* b0, const std::int8_t* b1, int read,
                                   std::size_t column) {
    const std::uint8_t* a0 = block.a + static_cast<std::size_t>(read) * block.a_stride;
    const std::uint8_t* a1 = a0 + block.a_stride;
    const std::uint8_t* a2 = a1 + block.a_stride;
    const std::uint8_t* a3 = a2 + block.a_stride;
    const Sum none{hn::Zero(D32()), hn::Zero(D32())};
    Sum s00 = none, s01 = none, s10 = none, s11 = none, s20 = none, s21 = none, s30 = none, s31 = none;
    for (int quad = 0; quad < block.quads; ++quad) {
      const Pairs c0 = LoadQuads(b0 + quad * kPanel * kQuad);
      const Pairs c1 = LoadQuads(b1 + quad * kPanel * kQuad);
      Pairs a = BroadcastQuad(a0 + quad * kQuad);
      s00.Add(a, c0);
      s01.Add(a, c1);
      a = BroadcastQuad(a1 + quad * kQuad);
      s10.Add(a, c0);
      s11.Add(a, c1);
      a = BroadcastQuad(a2 + quad * kQuad);
      s20.Add(a, c0);
      s21.Add(a, c1);
      a = BroadcastQuad(a3 + quad * kQuad);
      s30.Add(a, c0);
      s31.Add(a, c1);
    }
    const std::size_t lanes = hn::Lanes(D32());
    std::int32_t* to = block.sums + static_cast<std::size_t>(read) * kStrip + column;
    s00.Store(to);
    s01.Store(to + lanes);
    s10.Store(to + kStrip);
    s11.Store(to + kStrip + lanes);
    s20.Store(to + 2 * kStrip);
    s21.Store(to + 2 * kStrip + lanes);
    s30.Store(to + 3 * kStrip);
    s31.Store(to + 3 * kStrip + lanes);
  }

  static HWY_INLINE void OneRead(const Block& block, const std::int8_t* b0, const std::int8_t* b1, int read,
                                 std::size_t column) {
    const std::uint8_t* a0 = block.a + static_cast<std::size_t>(read) * block.a_stride;
    const Sum none{hn::Zero(D32()), hn::Zero(D32())};
    Sum s0 = none, s1 = none;
    for (int quad = 0; quad < block.quads; ++quad) {
      const Pairs a = BroadcastQuad(a0 + quad * kQuad);
      s0.Add(a, LoadQuads(b0 + quad * kPanel * kQuad));
      s1.Add(a, LoadQuads(b1 + quad * kPanel * kQuad));
    }
    std::int32_t* to = block.sums + static_cast<std::size_t>(read) * kStrip + column;
    s0.Store(to);
    s1.Store(to + hn::Lanes(D32()));
  }
};
#endif  // HWY_TARGET == HWY_AVX3_DL

/// The block of `job` from read `first` on, in strip `strip`.
HWY_INLINE Block BlockOf(const ProductJob& job, int first, int reads, int strip, std::int32_t* sums) {
  return {.a = job.a + static_cast<std::size_t>(first) * job.a_stride,
          .a_stride = job.a_stride,
          .reads = reads,
          .b = job.b + static_cast<std::size_t>(strip) * 2 * job.panel_bytes(),
          .panel_bytes = job.panel_bytes(),
          .quads = job.quads,
          .sums = sums};
}

/// y[column] += sums << shift, for one strip.
HWY_INLINE void AddStrip(const std::int32_t* sums, int shift, std::int64_t* y) {
  const D64 d;
  const hn::Rebind<std::int32_t, D64> d32;
  for (std::size_t column = 0; column < kStrip; column += hn::Lanes(d)) {
    const auto wide = hn::ShiftLeftSame(hn::PromoteTo(d, hn::LoadU(d32, sums + column)), shift);
    hn::StoreU(hn::Add(hn::LoadU(d, y + column), wide), d, y + column);
  }
}

void MultiplyAdd(const ProductJob& job, int shift, std::int64_t* y, std::size_t stride) {
  alignas(64) std::int32_t sums[kBlockReads * kStrip];
  const Session session;
  for (int first = 0; first < job.reads; first += kBlockReads) {
    const int reads = std::min(kBlockReads, job.reads - first);
    for (int strip = 0; strip < job.strips; ++strip) {
      session.multiply(BlockOf(job, first, reads, strip, sums));
      for (int read = 0; read < reads; ++read) {
        AddStrip(
            sums + read * kStrip, shift,
            y + static_cast<std::size_t>(first + read) * stride + static_cast<std::size_t>(strip) * kStrip);
      }
    }
  }
}

/// The sums of a block of reads, all limbs of the cells together.
HWY_INLINE void SumBlock(const Session& session, const SumsJob& job, Block block) {
  session.multiply(block);
  if (job.limbs == 1) return;
  const D32 d;
  alignas(64) std::int32_t limb[kBlockReads * kStrip];
  std::int32_t* sums = block.sums;
  block.b += job.limb_bytes;
  block.sums = limb;
  session.multiply(block);
  for (int i = 0; i < block.reads * kStrip; i += static_cast<int>(hn::Lanes(d))) {
    const auto high = hn::ShiftLeft<8>(hn::LoadU(d, limb + i));
    hn::StoreU(hn::Add(hn::LoadU(d, sums + i), high), d, sums + i);
  }
}

/// Two vectors of sums side by side in lanes of 16 bits, in an order that only Wide undoes.
HWY_INLINE V16 Narrow(V32 even, V32 odd) {
  return hn::OddEven(hn::BitCast(D16(), hn::ShiftLeft<16>(odd)), hn::BitCast(D16(), even));
}
HWY_INLINE V32 WideEven(V16 v) {
  return hn::ShiftRight<16>(hn::ShiftLeft<16>(hn::BitCast(D32(), v)));
}
HWY_INLINE V32 WideOdd(V16 v) {
  return hn::ShiftRight<16>(hn::BitCast(D32(), v));
}

/// What one block's conversions need: groups, and the number of the first read, which is row 0 of `sums`.
struct GroupRun {
  std::span<const Read> reads;
  std::span<const ReadGroup> groups;
  [[nodiscard]] HWY_INLINE std::span<const Read> ReadsOf(const ReadGroup& group) const {
    return reads.subspan(static_cast<std::size_t>(group.first),
                         static_cast<std::size_t>(group.last - group.first));
  }
  [[nodiscard]] HWY_INLINE std::size_t RowOf(const ReadGroup& group) const {
    return static_cast<std::size_t>(group.first - groups.front().first) * kStrip;
  }
};

/// Converts two vectors of columns and leaves the values of group g in row g of `sums`, which was read by
/// then. In lanes of 16 bits, where sums and weighted sums of codes fit them. Nothing is called: all stays in
/// registers.
template <bool kPlain>
HWY_NOINLINE std::int64_t ConvertNarrow(const GroupRun& run, const Conversion& how, std::int32_t* sums) {
  const D32 d;
  const D16 d16;
  const std::size_t lanes = hn::Lanes(d);
  const Converter<D16, kPlain> convert(how);
  auto clipped = hn::Zero(d16);
  std::int32_t* out = sums;
  for (const ReadGroup& group : run.groups) {
    const std::int32_t* at = sums + run.RowOf(group);
    auto value = hn::Zero(d16);
    for (const Read& read : run.ReadsOf(group)) {
      const auto code = convert(Narrow(hn::LoadU(d, at), hn::LoadU(d, at + lanes)), clipped);
      value = hn::Add(value, hn::Mul(code, hn::BitCast(d16, hn::Set(d, read.factors))));
      at += kStrip;
    }
    hn::StoreU(WideEven(value), d, out);
    hn::StoreU(WideOdd(value), d, out + lanes);
    out += kStrip;
  }
  return hn::GetLane(hn::SumOfLanes(d, hn::Add(WideEven(clipped), WideOdd(clipped))));
}

/// The same in lanes of 32 bits.
template <bool kPlain>
HWY_NOINLINE std::int64_t ConvertWide(const GroupRun& run, const Conversion& how, std::int32_t* sums) {
  const D32 d;
  const std::size_t lanes = hn::Lanes(d);
  const Converter<D32, kPlain> convert(how);
  auto clipped0 = hn::Zero(d);
  auto clipped1 = hn::Zero(d);
  std::int32_t* out = sums;
  for (const ReadGroup& group : run.groups) {
    const std::int32_t* at = sums + run.RowOf(group);
    auto value0 = hn::Zero(d);
    auto value1 = hn::Zero(d);
    for (const Read& read : run.ReadsOf(group)) {
      const auto shift = hn::Set(d, read.shift);
      value0 = hn::Add(value0, hn::Shl(convert(hn::LoadU(d, at), clipped0), shift));
      value1 = hn::Add(value1, hn::Shl(convert(hn::LoadU(d, at + lanes), clipped1), shift));
      at += kStrip;
    }
    hn::StoreU(value0, d, out);
    hn::StoreU(value1, d, out + lanes);
    out += kStrip;
  }
  return hn::GetLane(hn::SumOfLanes(d, hn::Add(clipped0, clipped1)));
}

/// Converts the sums of a block in strip `strip` and adds their values up.
HWY_INLINE std::int64_t ConvertBlock(const SumsJob& job, const GroupRun& run, int strip, std::int32_t* sums) {
  const D32 d;
  const std::size_t lanes = hn::Lanes(d);
  const bool plain = IsPlain(job.conversion);
  const auto convert = job.narrow ? (plain ? &ConvertNarrow<true> : &ConvertNarrow<false>)
                                  : (plain ? &ConvertWide<true> : &ConvertWide<false>);
  std::int64_t clipped = 0;
  for (std::size_t column = 0; column < kStrip; column += 2 * lanes) {
    clipped += convert(run, job.conversion, sums + column);
  }
  const std::int32_t* values = sums;
  for (const ReadGroup& group : run.groups) {
    for (std::size_t column = 0; column < kStrip; column += lanes) {
      AddValues(d, hn::LoadU(d, values + column), job.into, group,
                static_cast<std::size_t>(strip) * kStrip + column);
    }
    values += kStrip;
  }
  return clipped;
}

std::int64_t ConvertSums(const SumsJob& job) {
  alignas(64) std::int32_t sums[kBlockReads * kStrip];
  const Session session;
  std::int64_t clipped = 0;
  std::size_t first = 0;
  while (first < job.groups.size()) {
    std::size_t last = first + 1;
    const int start = job.groups[first].first;
    while (last < job.groups.size() && job.groups[last].last - start <= kBlockReads) ++last;
    const int reads = job.groups[last - 1].last - start;
    const GroupRun run{job.reads, job.groups.subspan(first, last - first)};
    for (int strip = 0; strip < job.product.strips; ++strip) {
      SumBlock(session, job, BlockOf(job.product, start, reads, strip, sums));
      clipped += ConvertBlock(job, run, strip, sums);
    }
    first = last;
  }
  return clipped;
}

#endif  // HWY_TARGET == HWY_SCALAR
}  // namespace bitline::engine::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bitline::engine {

HWY_EXPORT(ConvertSums);
HWY_EXPORT(MultiplyAdd);

void multiply_add(const ProductJob& job, int shift, std::int64_t* y, std::size_t stride) {
  HWY_DYNAMIC_DISPATCH(MultiplyAdd)(job, shift, y, stride);
}

std::int64_t convert_sums(const SumsJob& job) {
  return HWY_DYNAMIC_DISPATCH(ConvertSums)(job);
}

}  // namespace bitline::engine
#endif
