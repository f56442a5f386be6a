// SPDX-License-Identifier: Apache-2.0
// Which resolution each conversion gets (DESIGN of the policies: README.md of this folder).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "mapper/slice/sliced_layer.h"

namespace bitline::slice {

/// The sums of the cells of a column in a row block before flipping, by slice; `output` counts over all
/// groups.
void encoded_sums(const SlicedLayer& layer, int array, int block, int output, std::span<std::uint32_t> sums);
using CellSums = std::vector<std::vector<std::int64_t>>;
/// The largest sum of a column's cells as stored, per [block][slice]; analog: the largest of either array's.
[[nodiscard]] CellSums max_cell_sums(const SlicedLayer& layer);
/// The largest input value that one read can drive: 2^(widest chunk) - 1.
[[nodiscard]] std::int64_t max_chunk_value(const SlicedLayer& layer);
/// Bits of a conversion that never clips at a sum of `max_sum`: ceil(log2(max_sum+1)), one more for the sign
/// of an analog subtraction; 0 where max_sum is 0.
[[nodiscard]] int lossless_bits(std::int64_t max_sum, bool analog);

/// How many sums need each number of bits; the sign of an analog subtraction is not counted.
using WidthCounts = std::array<std::int64_t, 64>;
/// The same of the conversions of each [block][slice].
using SumWidths = std::vector<std::vector<WidthCounts>>;
[[nodiscard]] SumWidths no_sums(const SlicedLayer& layer);
/// The largest possible sums of all columns. Analog: of the two columns of a conversion the larger.
[[nodiscard]] SumWidths column_bounds(const SlicedLayer& layer);
/// The fewest bits that hold all but (100 - percentile) percent of the sums (nearest rank).
[[nodiscard]] int percentile_width(const WidthCounts& counts, double percentile);

/// The resolution of the layer `name`: its own bits, or the machine's policy. Its list of layers is empty.
[[nodiscard]] periphery::AdcResolution layer_resolution(const periphery::AdcResolution& resolution,
                                                        const std::string& name);
/// Fills adc_bits and max_column_sum by arch.adc.resolution (its list of layers aside). `seen`: what policy
/// percentile counts; null: column bounds, which no sum exceeds. Throws base::ConfigError (see slice_layer).
void resolve_adc_bits(SlicedLayer& layer, const arch::Arch& arch, const SumWidths* seen = nullptr);
/// The same where max_cell_sums() are known.
void resolve_adc_bits(SlicedLayer& layer, const arch::Arch& arch, CellSums cell_sums,
                      const SumWidths* seen = nullptr);

/// The largest code of an n-bit conversion: 2^n-1, or 2^(n-1)-1 of either sign under analog subtraction.
[[nodiscard]] std::int64_t adc_limit(int bits, bool analog);
/// Low bits that a truncating n-bit conversion drops: the smallest t with rows*(2^w-1)*(2^dac_bits-1) <=
/// limit*2^t. 0 for clipping conversions.
[[nodiscard]] int truncated_bits(const SlicedLayer& layer, int block, int slice);

}  // namespace bitline::slice
