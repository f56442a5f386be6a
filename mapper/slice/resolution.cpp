// SPDX-License-Identifier: Apache-2.0
#include "mapper/slice/resolution.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>
#include <utility>

#include <fmt/format.h>
#include <tbb/blocked_range.h>
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

void require_bits(int bits, const SlicedLayer& layer, bool by_sums) {
  const int low = by_sums ? 0 : layer.analog ? 2 : 1;
  if (bits >= low && bits <= base::kMaxAdcBits) return;
  fail("adc.resolution", fmt::format("a conversion of {} bits", bits),
       fmt::format("{} to {} bits{}", low, base::kMaxAdcBits,
                   layer.analog ? " (analog subtraction converts a signed sum)" : ""),
       "change adc.resolution, crossbar.active_rows, device.bits_per_cell or dac.bits");
}

/// Block and slice of conversions that share a resolution.
using Unit = std::vector<std::pair<std::size_t, std::size_t>>;

std::vector<Unit> units(const SlicedLayer& layer, periphery::AdcGranularity granularity) {
  const std::size_t blocks = layer.blocks.size();
  const std::size_t slices = layer.slices.size();
  const bool by_crossbar = granularity == periphery::AdcGranularity::crossbar;
  const bool whole = granularity == periphery::AdcGranularity::layer;
  std::vector<Unit> result(whole ? 1 : by_crossbar ? blocks * slices : slices);
  for (std::size_t b = 0; b < blocks; ++b)
    for (std::size_t s = 0; s < slices; ++s)
      result[whole ? 0 : by_crossbar ? b * slices + s : s].emplace_back(b, s);
  return result;
}

/// Bits of the conversions of one unit.
int unit_bits(const SlicedLayer& layer, const Unit& unit, const arch::Arch& arch, const SumWidths& widths) {
  const periphery::AdcResolution& resolution = arch.adc.resolution;
  int bits = 0;
  std::int64_t largest = 0;
  WidthCounts counts{};
  for (const auto& [b, s] : unit) {
    largest = std::max(largest, layer.max_column_sum[b][s]);
    switch (resolution.policy) {
      case periphery::AdcPolicy::fixed:
        bits = std::max(bits, fixed_bits(resolution.bits, s, layer.slices.size()));
        break;
      case periphery::AdcPolicy::isaac:
        bits = std::max(bits, isaac_bits(layer, layer.slices[s].width, arch));
        break;
      case periphery::AdcPolicy::lossless:
        break;
      case periphery::AdcPolicy::percentile:
        for (std::size_t w = 0; w < counts.size(); ++w) counts[w] += widths[b][s][w];
        break;
    }
  }
  if (resolution.policy == periphery::AdcPolicy::lossless) return lossless_bits(largest, layer.analog);
  if (resolution.policy != periphery::AdcPolicy::percentile || largest == 0) return bits;
  return std::max(1, percentile_width(counts, resolution.percentile)) + (layer.analog ? 1 : 0);
}

/// Of the cells of one column and slice.
struct ColumnCells {
  int array = 0;
  std::size_t block = 0;
  std::size_t slice = 0;
  int output = 0;
};

/// What cells that encode `sum` hold, which may be flipped.
std::int64_t stored_sum(const SlicedLayer& layer, const ColumnCells& at, std::uint32_t sum) {
  if (!layer.is_flipped(at.array, static_cast<int>(at.block), static_cast<int>(at.slice), at.output))
    return sum;
  return layer.blocks[at.block].rows() * ((std::int64_t{1} << layer.slices[at.slice].width) - 1) - sum;
}

/// Calls f(block, slice, sum) for every column, cells as stored; analog: for every pair of columns with the
/// larger of their sums. A few row blocks after another in parallel: columns are read as they lie in memory,
/// and calls for the same block follow each other.
template <class F>
void for_each_column_sum(const SlicedLayer& layer, F f) {
  constexpr std::size_t kBlocks = 32;
  const std::size_t slices = layer.slices.size();
  const tbb::blocked_range<std::size_t> all(0, layer.blocks.size(), kBlocks);
  const auto visit = [&](const tbb::blocked_range<std::size_t>& blocks) {
    std::vector<std::uint32_t> sums(slices);
    std::vector<std::int64_t> larger(slices);
    for (int column = 0; column < layer.outputs(); ++column) {
      for (std::size_t b = blocks.begin(); b < blocks.end(); ++b) {
        std::fill(larger.begin(), larger.end(), 0);
        for (int array = 0; array < layer.arrays; ++array) {
          encoded_sums(layer, array, static_cast<int>(b), column, sums);
          for (std::size_t s = 0; s < slices; ++s) {
            const std::int64_t stored = stored_sum(layer, {array, b, s, column}, sums[s]);
            larger[s] = std::max(larger[s], stored);
            if (!layer.analog) f(b, s, stored);
          }
        }
        for (std::size_t s = 0; layer.analog && s < slices; ++s) f(b, s, larger[s]);
      }
    }
  };
  tbb::parallel_for(all, visit, tbb::simple_partitioner());
}

/// Of a layer without cells (slice_shape): all of them at their maximum.
CellSums sums_of_any_weights(const SlicedLayer& layer) {
  CellSums sums;
  for (const RowBlock& block : layer.blocks) {
    sums.emplace_back();
    for (const Slice& slice : layer.slices)
      sums.back().push_back(block.rows() * ((std::int64_t{1} << slice.width) - 1));
  }
  return sums;
}

constexpr std::size_t kMaskedSlices = 4;
/// So many codes of at most 17 bits sum to less than 2^32.
constexpr int kMaskedRows = 1 << 15;

/// Adds the cells of a few slices to their sums: bits are shifted once for a sum, not for every cell.
void add_masked(std::span<const std::uint32_t> codes, std::span<const Slice> slices,
                std::span<std::uint32_t> sums) {
  std::array<std::uint32_t, kMaskedSlices> masks{};
  std::array<std::uint32_t, kMaskedSlices> masked{};
  for (std::size_t s = 0; s < slices.size(); ++s) masks[s] = ((1U << slices[s].width) - 1) << slices[s].shift;
  for (const std::uint32_t code : codes)
    for (std::size_t s = 0; s < kMaskedSlices; ++s) masked[s] += code & masks[s];
  for (std::size_t s = 0; s < slices.size(); ++s) sums[s] += masked[s] >> slices[s].shift;
}

}  // namespace

void encoded_sums(const SlicedLayer& layer, int array, int block, int output, std::span<std::uint32_t> sums) {
  const RowBlock rows = layer.blocks[static_cast<std::size_t>(block)];
  const std::uint32_t* codes =
      layer.column(array, output / layer.outputs_per_group, output % layer.outputs_per_group);
  std::fill(sums.begin(), sums.end(),
            0U);  // at most 2^8-1 per cell: 2^24 rows fit, more than any crossbar has
  for (int first = rows.first; first < rows.last; first += kMaskedRows) {
    const std::span piece(codes + first, static_cast<std::size_t>(std::min(kMaskedRows, rows.last - first)));
    for (std::size_t s = 0; s < sums.size(); s += kMaskedSlices) {
      const std::size_t count = std::min(kMaskedSlices, sums.size() - s);
      add_masked(piece, std::span(layer.slices).subspan(s, count), sums.subspan(s, count));
    }
  }
}

CellSums max_cell_sums(const SlicedLayer& layer) {
  if (layer.codes.empty()) return sums_of_any_weights(layer);
  CellSums sums(layer.blocks.size(), std::vector<std::int64_t>(layer.slices.size(), 0));
  for_each_column_sum(
      layer, [&](std::size_t b, std::size_t s, std::int64_t sum) { sums[b][s] = std::max(sums[b][s], sum); });
  return sums;
}

SumWidths no_sums(const SlicedLayer& layer) {
  return {layer.blocks.size(), std::vector<WidthCounts>(layer.slices.size(), WidthCounts{})};
}

SumWidths column_bounds(const SlicedLayer& layer) {
  SumWidths widths = no_sums(layer);
  const std::int64_t input = max_chunk_value(layer);
  for_each_column_sum(layer, [&](std::size_t b, std::size_t s, std::int64_t sum) {
    ++widths[b][s][static_cast<std::size_t>(lossless_bits(sum * input, false))];
  });
  return widths;
}

int percentile_width(const WidthCounts& counts, double percentile) {
  const std::int64_t total = std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
  // The share is a decimal fraction: 99.9 % of 1000 leave one.
  constexpr double kRounding = 1e-9;
  const auto beyond = static_cast<std::int64_t>(
      std::floor((100.0 - percentile) / 100.0 * static_cast<double>(total) + kRounding));
  std::int64_t held = 0;
  for (std::size_t width = 0; width < counts.size(); ++width) {
    held += counts[width];
    if (held >= total - beyond) return static_cast<int>(width);
  }
  return 0;
}

std::int64_t max_chunk_value(const SlicedLayer& layer) {
  int widest = 0;
  for (const InputChunk& chunk : layer.chunks) widest = std::max(widest, chunk.width);
  return (std::int64_t{1} << widest) - 1;
}

int lossless_bits(std::int64_t max_sum, bool analog) {
  return max_sum == 0 ? 0 : ceil_log2(max_sum + 1) + (analog ? 1 : 0);
}

periphery::AdcResolution layer_resolution(const periphery::AdcResolution& resolution,
                                          const std::string& name) {
  periphery::AdcResolution own = resolution;
  own.layers.clear();
  for (const periphery::LayerResolution& row : resolution.layers) {
    if (row.layer != name) continue;
    own.policy = periphery::AdcPolicy::fixed;
    own.bits = row.bits;
  }
  return own;
}

void resolve_adc_bits(SlicedLayer& layer, const arch::Arch& arch, const SumWidths* seen) {
  resolve_adc_bits(layer, arch, max_cell_sums(layer), seen);
}

void resolve_adc_bits(SlicedLayer& layer, const arch::Arch& arch, CellSums cell_sums, const SumWidths* seen) {
  layer.max_column_sum = std::move(cell_sums);
  const std::int64_t input = max_chunk_value(layer);
  for (std::vector<std::int64_t>& block : layer.max_column_sum)
    for (std::int64_t& sum : block) sum *= input;
  const periphery::AdcPolicy policy = arch.adc.resolution.policy;
  const bool percentile = policy == periphery::AdcPolicy::percentile;
  const SumWidths bounds = percentile && seen == nullptr ? column_bounds(layer) : SumWidths{};
  const SumWidths& widths = seen == nullptr ? bounds : *seen;
  layer.adc_bits.assign(layer.blocks.size(), std::vector<int>(layer.slices.size(), 0));
  for (const Unit& unit : units(layer, arch.adc.resolution.granularity)) {
    const int bits = unit_bits(layer, unit, arch, widths);
    require_bits(bits, layer, percentile || policy == periphery::AdcPolicy::lossless);
    for (const auto& [b, s] : unit) layer.adc_bits[b][s] = bits;
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
