// SPDX-License-Identifier: Apache-2.0
#include "sim/engine/scalar_kernels.h"

#include <algorithm>
#include <bit>

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

void add_value(const Accumulation& into, std::int64_t value, int position, std::size_t column) {
  value *= std::int64_t{1} << into.drop;
  if (into.flip != nullptr && into.flip[column] != 0) value = into.full * into.input_sums[position] - value;
  value *= std::int64_t{1} << into.shift;
  into.y[static_cast<std::size_t>(position) * into.stride + column] += into.negate ? -value : value;
}

std::int64_t plane_sum(const PlaneJob& job, const std::uint32_t* x, int width, const std::uint16_t* cells) {
  std::int64_t sum = 0;
  for (int i = 0; i < width; ++i) {
    for (int j = 0; j < job.cell_bits; ++j) {
      std::int64_t ones = 0;
      for (int w = 0; w < job.words; ++w) {
        const std::uint32_t cell = cells[(j * job.words + w) * kPlanePanel];
        ones += std::popcount(x[i * job.words + w] & cell);
      }
      sum += ones << (i + j);
    }
  }
  return sum;
}

std::int64_t product(const ProductJob& job, int position, int column) {
  const std::int16_t* a = job.a + static_cast<std::size_t>(position) * job.a_stride;
  const std::size_t panel = static_cast<std::size_t>(column / kProductPanel);
  const std::int16_t* b =
      job.b + (panel * static_cast<std::size_t>(job.pairs) * kProductPanel + column % kProductPanel) * 2;
  std::int64_t sum = 0;
  for (int pair = 0; pair < job.pairs; ++pair) {
    sum += a[2 * pair] * b[pair * 2 * kProductPanel] + a[2 * pair + 1] * b[pair * 2 * kProductPanel + 1];
  }
  return sum;
}

}  // namespace

void split_planes(const std::uint16_t* codes, int rows, int bits, std::uint32_t* planes) {
  const int words = (rows + kWordRows - 1) / kWordRows;
  for (int bit = 0; bit < bits; ++bit) {
    for (int w = 0; w < words; ++w) {
      std::uint32_t ones = 0;
      for (int row = 0; row < kWordRows; ++row) ones |= ((codes[w * kWordRows + row] >> bit) & 1u) << row;
      planes[bit * words + w] = ones | ones << 16;
    }
  }
}

std::int64_t convert_planes(const PlaneJob& job) {
  std::int64_t clipped = 0;
  const std::size_t panel_cells = static_cast<std::size_t>(job.cell_bits) * job.words * kPlanePanel;
  for (int position = 0; position < job.positions; ++position) {
    const std::uint32_t* planes = job.planes + static_cast<std::size_t>(position) * job.planes_stride;
    for (std::size_t column = 0; column < static_cast<std::size_t>(job.panels) * kPlanePanel; ++column) {
      const std::size_t at = column / kPlanePanel * panel_cells + column % kPlanePanel;
      std::int64_t value = 0;
      for (const slice::InputChunk& chunk : job.chunks) {
        const std::uint32_t* x = planes + chunk.shift * job.words;
        std::int64_t sum = plane_sum(job, x, chunk.width, job.cells + at);
        if (job.partner != nullptr) sum -= plane_sum(job, x, chunk.width, job.partner + at);
        value += chunk.sign * convert(job.conversion, sum, clipped) * (std::int64_t{1} << chunk.shift);
      }
      add_value(job.into, value, position, column);
    }
  }
  return clipped;
}

void multiply_add(const ProductJob& job, int shift, std::int64_t* y, std::size_t stride) {
  for (int position = 0; position < job.positions; ++position) {
    for (int column = 0; column < job.panels * kProductPanel; ++column) {
      const std::int64_t value = product(job, position, column) * (std::int64_t{1} << shift);
      y[static_cast<std::size_t>(position) * stride + static_cast<std::size_t>(column)] += value;
    }
  }
}

void multiply(const ProductJob& job, std::int32_t* sums) {
  for (int position = 0; position < job.positions; ++position) {
    for (int column = 0; column < job.panels * kProductPanel; ++column) {
      *sums++ = static_cast<std::int32_t>(product(job, position, column));
    }
  }
}

std::int64_t convert_sums(const SumsJob& job) {
  std::int64_t clipped = 0;
  const auto columns = static_cast<std::size_t>(job.columns);
  for (int position = 0; position < job.positions; ++position) {
    const std::int32_t* sums = job.sums + static_cast<std::size_t>(position) * job.chunks.size() * columns;
    for (std::size_t column = 0; column < columns; ++column) {
      std::int64_t value = 0;
      for (std::size_t k = 0; k < job.chunks.size(); ++k) {
        const std::int64_t code = convert(job.conversion, sums[k * columns + column], clipped);
        value += job.chunks[k].sign * code * (std::int64_t{1} << job.chunks[k].shift);
      }
      add_value(job.into, value, position, column);
    }
  }
  return clipped;
}

}  // namespace bitline::engine::scalar
