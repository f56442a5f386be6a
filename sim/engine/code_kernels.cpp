// SPDX-License-Identifier: Apache-2.0
// Input codes and cell codes as the other kernels want them.
#include "sim/engine/kernels.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sim/engine/code_kernels.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include "sim/engine/scalar_kernels.h"

HWY_BEFORE_NAMESPACE();
namespace bitline::engine::HWY_NAMESPACE {
#if HWY_TARGET == HWY_SCALAR

bool Quantise(const QuantiseJob& job, std::int32_t* codes) {
  return scalar::quantise(job, codes);
}
void NarrowCodes(const std::int32_t* codes, std::size_t count, std::uint16_t mask, std::uint16_t* out) {
  scalar::narrow_codes(codes, count, mask, out);
}
void AnyBits(const CodesJob& job, std::uint16_t* any) {
  scalar::any_bits(job, any);
}
void CountRows(const CodesJob& job, Chunks chunks, std::uint16_t* driven, std::uint16_t* sums) {
  scalar::count_rows(job, chunks, driven, sums);
}
void CutLimb(const CodesJob& job, std::uint16_t bias, int shift, std::uint16_t mask, std::uint8_t* out,
             std::size_t out_stride) {
  scalar::cut_limb(job, bias, shift, mask, out, out_stride);
}
void CutReads(const CodesJob& job, std::span<const Read> reads, std::uint8_t* out, std::size_t out_stride) {
  scalar::cut_reads(job, reads, out, out_stride);
}
void SplitPlanes(const CodesJob& job, int bits, std::uint32_t* planes) {
  scalar::split_planes(job, bits, planes);
}
void CutCells(const CellsJob& job, std::uint8_t* out) {
  scalar::cut_cells(job, out);
}
std::int64_t SumCells(const CellsJob& job) {
  return scalar::sum_cells(job);
}
void AddCells(const LevelsJob& job, std::int32_t* levels) {
  scalar::add_cells(job, levels);
}

#else
namespace hn = hwy::HWY_NAMESPACE;

using C16 = hn::CappedTag<std::uint16_t, 32>;
using V16 = hn::Vec<C16>;
using C8 = hn::Rebind<std::uint8_t, C16>;
using C32 = hn::CappedTag<std::uint32_t, 16>;

bool Quantise(const QuantiseJob& job, std::int32_t* codes) {
  const hn::CappedTag<double, 8> d;
  const hn::Rebind<float, decltype(d)> df;
  const hn::Rebind<std::int32_t, decltype(d)> di;
  const std::size_t lanes = hn::Lanes(d);
  const auto scale = hn::Set(d, job.scale);
  const auto zero_point = hn::Set(d, job.zero_point);
  const auto low = hn::Set(d, job.low);
  const auto high = hn::Set(d, job.high);
  auto finite = hn::Set(d, 0.0);  // x - x: 0, or NaN where x is not finite
  std::size_t i = 0;
  for (; i + lanes <= job.count; i += lanes) {
    const auto x = hn::PromoteTo(d, hn::LoadU(df, job.x + i));
    finite = hn::Add(finite, hn::Sub(x, x));
    const auto code = hn::Add(hn::Round(hn::Div(x, scale)), zero_point);
    hn::StoreU(hn::DemoteTo(di, hn::Min(hn::Max(code, low), high)), di, codes + i);
  }
  const bool rest = scalar::quantise({.x = job.x + i,
                                      .count = job.count - i,
                                      .scale = job.scale,
                                      .zero_point = job.zero_point,
                                      .low = job.low,
                                      .high = job.high},
                                     codes + i);
  return rest && hn::AllTrue(d, hn::Eq(finite, hn::Zero(d)));
}

void NarrowCodes(const std::int32_t* codes, std::size_t count, std::uint16_t mask, std::uint16_t* out) {
  const C32 d;
  const hn::Rebind<std::uint16_t, C32> d16;
  const auto low = hn::Set(d, mask);
  const std::size_t lanes = hn::Lanes(d);
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const auto code = hn::And(hn::LoadU(d, reinterpret_cast<const std::uint32_t*>(codes) + i), low);
    hn::StoreU(hn::TruncateTo(d16, code), d16, out + i);
  }
  for (; i < count; ++i) out[i] = static_cast<std::uint16_t>(codes[i]) & mask;
}

/// Rows [row, row + a vector) of a position; those beyond the last are 0.
HWY_INLINE V16 LoadRows(const std::uint16_t* codes, int row, int rows) {
  const C16 d;
  const auto all = hn::LoadU(d, codes + row);
  if (row + static_cast<int>(hn::Lanes(d)) <= rows) return all;
  return hn::IfThenElseZero(hn::FirstN(d, static_cast<std::size_t>(rows - row)), all);
}

void AnyBits(const CodesJob& job, std::uint16_t* any) {
  const C16 d;
  const int lanes = static_cast<int>(hn::Lanes(d));
  for (int position = 0; position < job.positions; ++position) {
    const std::uint16_t* codes = job.codes + static_cast<std::size_t>(position) * job.stride;
    auto bits = hn::Zero(d);
    for (int row = 0; row < job.rows; row += lanes) bits = hn::Or(bits, LoadRows(codes, row, job.rows));
    HWY_ALIGN std::uint16_t each[32];
    hn::StoreU(bits, d, each);
    std::uint16_t all = 0;
    for (int i = 0; i < lanes; ++i) all |= each[i];
    any[position] = all;
  }
}

void CountRows(const CodesJob& job, Chunks chunks, std::uint16_t* driven, std::uint16_t* sums) {
  const C16 d;
  const int lanes = static_cast<int>(hn::Lanes(d));
  const bool bits =
      std::all_of(chunks.begin(), chunks.end(), [](const auto& chunk) { return chunk.width == 1; });
  for (int row = 0; row < job.rows; row += lanes) {
    auto count = hn::Zero(d);
    auto sum = hn::Zero(d);
    for (int position = 0; position < job.positions; ++position) {
      const auto code = hn::LoadU(d, job.codes + static_cast<std::size_t>(position) * job.stride + row);
      if (bits) {
        count = hn::Add(count, hn::PopulationCount(code));
        continue;
      }
      for (const slice::InputChunk& chunk : chunks) {
        const auto mask = hn::Set(d, static_cast<std::uint16_t>((1u << chunk.width) - 1));
        const auto value = hn::And(hn::ShiftRightSame(code, chunk.shift), mask);
        count = hn::Add(count, hn::Min(value, hn::Set(d, 1)));
        sum = hn::Add(sum, value);
      }
    }
    hn::StoreU(count, d, driven + row);
    hn::StoreU(bits ? count : sum, d, sums + row);
  }
}

/// out[row] = ((code + bias) >> shift) & mask, in whole vectors.
HWY_INLINE void CutRows(const std::uint16_t* codes, int rows, V16 bias, int shift, V16 mask,
                        std::uint8_t* out) {
  const C16 d;
  const C8 d8;
  const int lanes = static_cast<int>(hn::Lanes(d));
  for (int row = 0; row < rows; row += lanes) {
    const auto code = hn::ShiftRightSame(hn::Add(hn::LoadU(d, codes + row), bias), shift);
    hn::StoreU(hn::TruncateTo(d8, hn::And(code, mask)), d8, out + row);
  }
}

void CutLimb(const CodesJob& job, std::uint16_t bias, int shift, std::uint16_t mask, std::uint8_t* out,
             std::size_t out_stride) {
  const C16 d;
  for (int position = 0; position < job.positions; ++position) {
    CutRows(job.codes + static_cast<std::size_t>(position) * job.stride, job.rows, hn::Set(d, bias), shift,
            hn::Set(d, mask), out + static_cast<std::size_t>(position) * out_stride);
  }
}

void CutReads(const CodesJob& job, std::span<const Read> reads, std::uint8_t* out, std::size_t out_stride) {
  const C16 d;
  for (const Read& read : reads) {
    CutRows(job.codes + static_cast<std::size_t>(read.position) * job.stride, job.rows, hn::Zero(d),
            read.chunk_shift, hn::Set(d, static_cast<std::uint16_t>((1 << read.width) - 1)), out);
    out += out_stride;
  }
}

void SplitPlanes(const CodesJob& job, int bits, std::uint32_t* planes) {
  const hn::CappedTag<std::uint16_t, kWordRows> d;
  const auto lanes = static_cast<int>(hn::Lanes(d));
  const int words = (job.rows + kWordRows - 1) / kWordRows;
  for (int position = 0; position < job.positions; ++position, planes += bits * words) {
    const std::uint16_t* codes = job.codes + static_cast<std::size_t>(position) * job.stride;
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
}

/// Of codes, in one slice: a CellsJob or a CellCut.
template <class Cut>
HWY_INLINE hn::Vec<C32> CutOf(hn::Vec<C32> codes, const Cut& cut) {
  const C32 d;
  const auto cell = hn::And(hn::ShiftRightSame(codes, cut.shift), hn::Set(d, cut.mask));
  return hn::Xor(cell, hn::Set(d, cut.flip));
}

HWY_INLINE hn::Vec<C32> Cells(const CellsJob& job, int row) {
  return CutOf(hn::LoadU(C32(), job.codes + row), job);
}

void CutCells(const CellsJob& job, std::uint8_t* out) {
  const C32 d;
  const hn::Rebind<std::uint8_t, C32> d8;
  const int lanes = static_cast<int>(hn::Lanes(d));
  const int whole = job.rows / lanes * lanes;
  for (int row = 0; row < whole; row += lanes) {
    // Not TruncateTo: that of Highway 1.0.3 is wrong from 32 to 8 bits on AVX3_DL.
    const auto cells = hn::BitCast(hn::RebindToSigned<C32>(), Cells(job, row));
    hn::StoreU(hn::DemoteTo(d8, cells), d8, out + row);
  }
  CellsJob rest = job;
  rest.codes += whole;
  rest.rows -= whole;
  scalar::cut_cells(rest, out + whole);
}

std::int64_t SumCells(const CellsJob& job) {
  const C32 d;
  const int lanes = static_cast<int>(hn::Lanes(d));
  const int whole = job.rows / lanes * lanes;
  auto sum = hn::Zero(d);
  for (int row = 0; row < whole; row += lanes) sum = hn::Add(sum, Cells(job, row));
  CellsJob rest = job;
  rest.codes += whole;
  rest.rows -= whole;
  return std::int64_t{hn::GetLane(hn::SumOfLanes(d, sum))} + scalar::sum_cells(rest);
}

void AddCells(const LevelsJob& job, std::int32_t* levels) {
  const C32 d;
  const hn::RebindToSigned<C32> ds;
  const int lanes = static_cast<int>(hn::Lanes(d));
  const int whole = job.rows / lanes * lanes;
  for (int row = 0; row < whole; row += lanes) {
    const auto codes = hn::LoadU(d, job.codes + row);
    auto sum = hn::LoadU(d, reinterpret_cast<const std::uint32_t*>(levels) + row);
    for (const CellCut& cut : job.cuts) sum = hn::Add(sum, CutOf(codes, cut));
    hn::StoreU(hn::BitCast(ds, sum), ds, levels + row);
  }
  LevelsJob rest = job;
  rest.codes += whole;
  rest.rows -= whole;
  scalar::add_cells(rest, levels + whole);
}

#endif  // HWY_TARGET == HWY_SCALAR
}  // namespace bitline::engine::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bitline::engine {

HWY_EXPORT(Quantise);
HWY_EXPORT(NarrowCodes);
HWY_EXPORT(AnyBits);
HWY_EXPORT(CountRows);
HWY_EXPORT(CutLimb);
HWY_EXPORT(CutReads);
HWY_EXPORT(SplitPlanes);
HWY_EXPORT(CutCells);
HWY_EXPORT(SumCells);
HWY_EXPORT(AddCells);

bool quantise(const QuantiseJob& job, std::int32_t* codes) {
  return HWY_DYNAMIC_DISPATCH(Quantise)(job, codes);
}
void narrow_codes(const std::int32_t* codes, std::size_t count, std::uint16_t mask, std::uint16_t* out) {
  HWY_DYNAMIC_DISPATCH(NarrowCodes)(codes, count, mask, out);
}
void any_bits(const CodesJob& job, std::uint16_t* any) {
  HWY_DYNAMIC_DISPATCH(AnyBits)(job, any);
}
void count_rows(const CodesJob& job, Chunks chunks, std::uint16_t* driven, std::uint16_t* sums) {
  HWY_DYNAMIC_DISPATCH(CountRows)(job, chunks, driven, sums);
}
void cut_limb(const CodesJob& job, std::uint16_t bias, int shift, std::uint16_t mask, std::uint8_t* out,
              std::size_t out_stride) {
  HWY_DYNAMIC_DISPATCH(CutLimb)(job, bias, shift, mask, out, out_stride);
}
void cut_reads(const CodesJob& job, std::span<const Read> reads, std::uint8_t* out, std::size_t out_stride) {
  HWY_DYNAMIC_DISPATCH(CutReads)(job, reads, out, out_stride);
}
void split_planes(const CodesJob& job, int bits, std::uint32_t* planes) {
  HWY_DYNAMIC_DISPATCH(SplitPlanes)(job, bits, planes);
}
void cut_cells(const CellsJob& job, std::uint8_t* out) {
  HWY_DYNAMIC_DISPATCH(CutCells)(job, out);
}
std::int64_t sum_cells(const CellsJob& job) {
  return HWY_DYNAMIC_DISPATCH(SumCells)(job);
}
void add_cells(const LevelsJob& job, std::int32_t* levels) {
  HWY_DYNAMIC_DISPATCH(AddCells)(job, levels);
}

}  // namespace bitline::engine
#endif
