// SPDX-License-Identifier: Apache-2.0
#include "mapper/slice/resolution.h"

#include <algorithm>
#include <bit>

#include <fmt/format.h>
#include <tbb/parallel_for.h>

#include "models/base/actions.h"
#include "models/base/errors.h"

namespace bitline::slice {
namespace {

int ceil_log2(std::int64_t x) {
  return std::bit_width(static_cast<std::uint64_t>(x) - 1);
}

[[noreturn]] void fail(std::string where, std::string given, std::string allowed, std::string remedy) {
  throw base::ConfigError(
      base::Problem{std::move(where), std::move(given), std::move(allowed), std::move(remedy)});
}

/// Of a list, the last number is the least significant slice's; a layer of fewer bits has fewer slices.
int fixed_bits(const std::vector<int>& bits, std::size_t slice, std::size_t slices) {
  if (bits.size() != 1 && bits.size() < slices) {
    fail("adc.resolution.bits", fmt::format("a list of {} numbers", bits.size()),
         fmt::format("one number, or one for each of the {} slices", slices), "");
  }
  return bits.size() == 1 ? bits.front() : bits[bits.size() - slices + slice];
}

/// ISAAC's rule: log2(rows) + cell + dac bits, less one when either is 1, less one for the flip encoding.
int isaac_bits(const SlicedLayer& layer, int cell_bits, const arch::Arch& arch) {
  const int rows = std::min(arch.crossbar.active_rows, arch.crossbar.rows);
  int bits = ceil_log2(rows) + cell_bits + layer.dac_bits;
  if (cell_bits == 1 || layer.dac_bits == 1) --bits;
  if (arch.encoding.flip) --bits;
  return bits;
}

int policy_bits(const SlicedLayer& layer, std::size_t block, std::size_t slice, const arch::Arch& arch) {
  switch (arch.adc.resolution.policy) {
    case periphery::AdcPolicy::fixed:
      return fixed_bits(arch.adc.resolution.bits, slice, layer.slices.size());
    case periphery::AdcPolicy::isaac:
      return isaac_bits(layer, layer.slices[slice].width, arch);
    case periphery::AdcPolicy::lossless:
      return lossless_bits(layer.max_column_sum[block][slice], layer.analog);
  }
  BITLINE_CHECK(false);
  return 0;
}

void require_bits(int bits, const SlicedLayer& layer, bool lossless) {
  const int low = lossless ? 0 : layer.analog ? 2 : 1;
  if (bits >= low && bits <= base::kMaxAdcBits) return;
  fail("adc.resolution", fmt::format("a conversion of {} bits", bits),
       fmt::format("{} to {} bits{}", low, base::kMaxAdcBits,
                   layer.analog ? " (analog subtraction converts a signed sum)" : ""),
       "change adc.resolution, crossbar.active_rows, device.bits_per_cell or dac.bits");
}

}  // namespace

std::int64_t encoded_sum(const SlicedLayer& layer, int array, int block, int slice, int group, int output) {
  const RowBlock rows = layer.blocks[static_cast<std::size_t>(block)];
  const Slice cut = layer.slices[static_cast<std::size_t>(slice)];
  const std::uint32_t mask = (1u << cut.width) - 1;
  const std::uint32_t* codes = layer.column(array, group, output);
  std::uint32_t sum = 0;  // at most 2^8-1 per cell: 2^24 rows fit, more than any crossbar has
  for (int row = rows.first; row < rows.last; ++row) sum += (codes[row] >> cut.shift) & mask;
  return sum;
}

std::vector<std::vector<std::int64_t>> max_cell_sums(const SlicedLayer& layer) {
  const std::size_t slices = layer.slices.size();
  std::vector<std::vector<std::int64_t>> sums(layer.blocks.size(), std::vector<std::int64_t>(slices, 0));
  tbb::parallel_for(std::size_t{0}, layer.blocks.size() * slices, [&](std::size_t i) {
    const auto block = static_cast<int>(i / slices);
    const auto slice = static_cast<int>(i % slices);
    const std::int64_t most =
        layer.blocks[i / slices].rows() * ((std::int64_t{1} << layer.slices[i % slices].width) - 1);
    std::int64_t largest = 0;
    for (int array = 0; array < layer.arrays; ++array) {
      for (int group = 0; group < layer.groups; ++group) {
        for (int output = 0; output < layer.outputs_per_group; ++output) {
          const std::int64_t sum = encoded_sum(layer, array, block, slice, group, output);
          const bool flipped =
              layer.is_flipped(array, block, slice, group * layer.outputs_per_group + output);
          largest = std::max(largest, flipped ? most - sum : sum);
        }
      }
    }
    sums[i / slices][i % slices] = largest;
  });
  return sums;
}

std::int64_t max_chunk_value(const SlicedLayer& layer) {
  int widest = 0;
  for (const InputChunk& chunk : layer.chunks) widest = std::max(widest, chunk.width);
  return (std::int64_t{1} << widest) - 1;
}

int lossless_bits(std::int64_t max_sum, bool analog) {
  return max_sum == 0 ? 0 : ceil_log2(max_sum + 1) + (analog ? 1 : 0);
}

void resolve_adc_bits(SlicedLayer& layer, const arch::Arch& arch) {
  layer.max_column_sum = max_cell_sums(layer);
  const std::int64_t input = max_chunk_value(layer);
  const bool lossless = arch.adc.resolution.policy == periphery::AdcPolicy::lossless;
  layer.adc_bits.assign(layer.blocks.size(), std::vector<int>(layer.slices.size(), 0));
  for (std::size_t b = 0; b < layer.blocks.size(); ++b) {
    for (std::size_t s = 0; s < layer.slices.size(); ++s) {
      layer.max_column_sum[b][s] *= input;
      layer.adc_bits[b][s] = policy_bits(layer, b, s, arch);
      require_bits(layer.adc_bits[b][s], layer, lossless);
    }
  }
}

std::int64_t adc_limit(int bits, bool analog) {
  if (bits == 0) return 0;
  return (std::int64_t{1} << (analog ? bits - 1 : bits)) - 1;
}

int truncated_bits(const SlicedLayer& layer, int block, int slice) {
  const int bits = layer.adc_bits[static_cast<std::size_t>(block)][static_cast<std::size_t>(slice)];
  if (layer.conversion == periphery::AdcConversion::clip || bits == 0) return 0;
  const std::int64_t cell = (std::int64_t{1} << layer.slices[static_cast<std::size_t>(slice)].width) - 1;
  const std::int64_t full =
      layer.blocks[static_cast<std::size_t>(block)].rows() * cell * ((std::int64_t{1} << layer.dac_bits) - 1);
  int dropped = 0;
  while (full > adc_limit(bits, layer.analog) << dropped) ++dropped;
  return dropped;
}

}  // namespace bitline::slice
