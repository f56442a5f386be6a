// SPDX-License-Identifier: Apache-2.0
#include "sim/engine/scalar_kernels.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace bitline::engine::scalar {
namespace {

std::int64_t round_away(std::int64_t x, int drop) {
  const std::int64_t below_half = (std::int64_t{1} << (drop - 1)) - 1;
  return (x + below_half + ((x >> drop) & 1)) >> drop;
}

/// One conversion; adds 1 to `clipped` where the sum is beyond the limit.
std::int64_t convert(const Conversion& how, std::int64_t sum, std::int64_t& clipped) {
  if (how.drop > 0) sum = round_away(sum, how.drop);
  const std::int64_t lowest = how.analog ? -how.limit : 0;
  clipped += sum > how.limit || sum < lowest ? 1 : 0;
  return std::clamp(sum, lowest, how.limit);
}

void add_value(const Accumulation& into, std::int64_t value, const ReadGroup& group, int column) {
  const bool flipped = into.flip != nullptr && into.flip[column] != 0;
  const bool negate = (into.negate != group.negative) != flipped;
  const int place = into.columns == nullptr ? column : into.columns[column];
  value *= std::int64_t{1} << (into.shift + group.shift);
  into.y[static_cast<std::size_t>(group.position) * into.stride + static_cast<std::size_t>(place)] +=
      negate ? -value : value;
}

std::int64_t plane_sum(const PlaneJob& job, const std::uint32_t* x, int width, const std::uint16_t* cells) {
  std::int64_t sum = 0;
  for (int i = 0; i < width; ++i) {
    for (int j = 0; j < job.cell_bits; ++j) {
      std::int64_t ones = 0;
      for (int w = 0; w < job.words; ++w) {
        const std::uint32_t cell = cells[(j * job.words + w) * kStrip];
        ones += std::popcount(x[i * job.words + w] & cell);
      }
      sum += ones << (i + j);
    }
  }
  return sum;
}

std::int64_t product(const ProductJob& job, int read, int column, std::size_t limb = 0) {
  const std::uint8_t* a = job.a + static_cast<std::size_t>(read) * job.a_stride;
  const std::int8_t* b = job.b + limb + static_cast<std::size_t>(column / kPanel) * job.panel_bytes() +
                         static_cast<std::size_t>(column % kPanel) * kQuad;
  std::int64_t sum = 0;
  for (int quad = 0; quad < job.quads; ++quad, a += kQuad, b += kPanel * kQuad) {
    for (int i = 0; i < kQuad; ++i) sum += a[i] * b[i];
  }
  return sum;
}

std::uint32_t cell(const CellsJob& job, int row) {
  return ((job.codes[row] >> job.shift) & job.mask) ^ job.flip;
}

const std::uint16_t* rows_of(const CodesJob& job, int position) {
  return job.codes + static_cast<std::size_t>(position) * job.stride;
}

}  // namespace

bool quantise(const QuantiseJob& job, std::int32_t* codes) {
  for (std::size_t i = 0; i < job.count; ++i) {
    if (!std::isfinite(job.x[i])) return false;
    const double code = std::nearbyint(static_cast<double>(job.x[i]) / job.scale) + job.zero_point;
    codes[i] = static_cast<std::int32_t>(std::clamp(code, job.low, job.high));
  }
  return true;
}

void narrow_codes(const std::int32_t* codes, std::size_t count, std::uint16_t mask, std::uint16_t* out) {
  for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<std::uint16_t>(codes[i]) & mask;
}

void any_bits(const CodesJob& job, std::uint16_t* any) {
  for (int position = 0; position < job.positions; ++position) {
    any[position] = 0;
    for (int row = 0; row < job.rows; ++row) any[position] |= rows_of(job, position)[row];
  }
}

void count_rows(const CodesJob& job, Chunks chunks, std::uint16_t* driven, std::uint16_t* sums) {
  std::fill_n(driven, job.rows, std::uint16_t{0});
  std::fill_n(sums, job.rows, std::uint16_t{0});
  for (int position = 0; position < job.positions; ++position) {
    for (int row = 0; row < job.rows; ++row) {
      for (const slice::InputChunk& chunk : chunks) {
        const std::uint32_t value = (rows_of(job, position)[row] >> chunk.shift) & ((1u << chunk.width) - 1);
        driven[row] += value != 0 ? 1 : 0;
        sums[row] = static_cast<std::uint16_t>(sums[row] + value);
      }
    }
  }
}

void cut_limb(const CodesJob& job, std::uint16_t bias, int shift, std::uint16_t mask, std::uint8_t* out,
              std::size_t out_stride) {
  for (int position = 0; position < job.positions; ++position, out += out_stride) {
    for (int row = 0; row < job.rows; ++row) {
      const auto biased = static_cast<std::uint16_t>(rows_of(job, position)[row] + bias);
      out[row] = static_cast<std::uint8_t>((biased >> shift) & mask);
    }
  }
}

void cut_reads(const CodesJob& job, std::span<const Read> reads, std::uint8_t* out, std::size_t out_stride) {
  for (const Read& read : reads) {
    const std::uint32_t mask = (1u << read.width) - 1;
    for (int row = 0; row < job.rows; ++row) {
      out[row] = static_cast<std::uint8_t>((rows_of(job, read.position)[row] >> read.chunk_shift) & mask);
    }
    out += out_stride;
  }
}

void split_planes(const CodesJob& job, int bits, std::uint32_t* planes) {
  const int words = (job.rows + kWordRows - 1) / kWordRows;
  for (int position = 0; position < job.positions; ++position) {
    for (int bit = 0; bit < bits; ++bit) {
      for (int w = 0; w < words; ++w) {
        const std::uint16_t* codes = rows_of(job, position) + w * kWordRows;
        std::uint32_t ones = 0;
        for (int row = 0; row < kWordRows; ++row) ones |= ((codes[row] >> bit) & 1u) << row;
        *planes++ = ones | ones << 16;
      }
    }
  }
}

void cut_cells(const CellsJob& job, std::uint8_t* out) {
  for (int row = 0; row < job.rows; ++row) out[row] = static_cast<std::uint8_t>(cell(job, row));
}

std::int64_t sum_cells(const CellsJob& job) {
  std::int64_t sum = 0;
  for (int row = 0; row < job.rows; ++row) sum += cell(job, row);
  return sum;
}

void add_cells(const LevelsJob& job, std::int32_t* levels) {
  for (const CellCut& cut : job.cuts) {
    const CellsJob cells{job.codes, job.rows, cut.shift, cut.mask, cut.flip};
    for (int row = 0; row < job.rows; ++row) levels[row] += static_cast<std::int32_t>(cell(cells, row));
  }
}

void scatter(const std::int32_t* values, const std::int32_t* columns, int count, int shift, std::int64_t* y) {
  for (int i = 0; i < count; ++i) y[columns[i]] += std::int64_t{values[i]} * (std::int64_t{1} << shift);
}

std::int64_t convert_planes(const PlaneJob& job) {
  std::int64_t clipped = 0;
  const std::size_t strip_cells = static_cast<std::size_t>(job.cell_bits) * job.words * kStrip;
  for (const ReadGroup& group : job.groups) {
    const std::uint32_t* planes = job.planes + static_cast<std::size_t>(group.position) * job.planes_stride;
    for (int column = 0; column < job.into.count; ++column) {
      const std::size_t at = static_cast<std::size_t>(column / kStrip) * strip_cells + column % kStrip;
      std::int64_t value = 0;
      for (int r = group.first; r < group.last; ++r) {
        const Read& read = job.reads[static_cast<std::size_t>(r)];
        const std::uint32_t* x = planes + read.chunk_shift * job.words;
        std::int64_t sum = plane_sum(job, x, read.width, job.cells + at);
        if (job.partner != nullptr) sum -= plane_sum(job, x, read.width, job.partner + at);
        value += convert(job.conversion, sum, clipped) * (std::int64_t{1} << read.shift);
      }
      add_value(job.into, value, group, column);
    }
  }
  return clipped;
}

void multiply_add(const ProductJob& job, int shift, std::int64_t* y, std::size_t stride) {
  for (int read = 0; read < job.reads; ++read) {
    for (int column = 0; column < job.strips * kStrip; ++column) {
      const std::int64_t value = product(job, read, column) * (std::int64_t{1} << shift);
      y[static_cast<std::size_t>(read) * stride + static_cast<std::size_t>(column)] += value;
    }
  }
}

std::int64_t convert_sums(const SumsJob& job) {
  std::int64_t clipped = 0;
  for (const ReadGroup& group : job.groups) {
    for (int column = 0; column < job.into.count; ++column) {
      std::int64_t value = 0;
      for (int r = group.first; r < group.last; ++r) {
        std::int64_t sum = product(job.product, r, column);
        if (job.limbs > 1) sum += product(job.product, r, column, job.limb_bytes) * 256;
        value += convert(job.conversion, sum, clipped) *
                 (std::int64_t{1} << job.reads[static_cast<std::size_t>(r)].shift);
      }
      add_value(job.into, value, group, column);
    }
  }
  return clipped;
}

}  // namespace bitline::engine::scalar
