// SPDX-License-Identifier: Apache-2.0
// From integer weights to cells: encoding, slices, row blocks, flipping and the resolution of each
// conversion.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "mapper/graph/graph.h"
#include "mapper/quantize/quantize.h"
#include "mapper/slice/sliced_layer.h"

namespace bitline::slice {

/// The shape of a crossbar layer: groups of [outputs_per_group][rows_per_group] weights.
struct LayerShape {
  int groups = 1;
  int outputs_per_group = 0;
  int rows_per_group = 0;
};
/// Of a conv or linear node. Throws base::NetworkError where a dimension does not fit an int.
[[nodiscard]] LayerShape layer_shape(const graph::Node& node);

/// Bits of a cell code: |q| for differential, the signed code otherwise.
[[nodiscard]] int code_bits(const quantize::WeightQuant& weights, arch::WeightEncoding encoding);
/// The slices of a code of `code_bits` bits: the lowest of slices.widths that hold it, or bits_per_cell each
/// with the most significant one narrower; two's complement has its sign bit in a slice of its own. Throws
/// base::ConfigError where widths do not add up, exceed bits_per_cell's limit of 8, or (two's complement) do
/// not start with 1.
[[nodiscard]] std::vector<Slice> make_slices(int code_bits, const arch::Arch& arch);
/// Rows 0..rows in blocks of crossbar.rows, each cut into crossbar.active_rows.
[[nodiscard]] std::vector<RowBlock> row_blocks(int rows, const crossbar::CrossbarParams& crossbar);

/// Slices one layer (encoding centre_offset: around centres of its own, centres.h). Throws base::ConfigError
/// naming the keys where the combination has no meaning (flip with analog subtraction, an ADC list of the
/// wrong length, a resolution beyond base::kMaxAdcBits).
[[nodiscard]] SlicedLayer slice_layer(const LayerShape& shape, const quantize::LayerQuant& quant,
                                      const arch::Arch& arch);

/// The same without cells, for what needs shapes and resolutions only: `codes` is empty, no column is
/// flipped, and sums are the largest that any weights could have.
[[nodiscard]] SlicedLayer slice_shape(const LayerShape& shape, const quantize::LayerQuant& quant,
                                      const arch::Arch& arch);

/// What `bitline slices` prints for one slice of a layer.
struct SliceStatistics {
  int width = 0;
  std::int64_t cells = 0;           ///< cells that hold this slice of a weight, over all arrays
  std::int64_t nonzero = 0;         ///< of them not zero, as encoded (before flipping)
  std::int64_t max_column_sum = 0;  ///< largest sum of a column's cells within a row block, as stored
  int adc_bits_needed = 0;          ///< no conversion of the slice clips with these (policy lossless)
  int adc_bits = 0;                 ///< resolved by the config's policy: the largest over blocks
  [[nodiscard]] double nonzero_ratio() const {
    return cells == 0 ? 0.0 : static_cast<double>(nonzero) / static_cast<double>(cells);
  }
};
/// One entry per slice, most significant first.
[[nodiscard]] std::vector<SliceStatistics> statistics(const SlicedLayer& layer);

}  // namespace bitline::slice
