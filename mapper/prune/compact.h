// SPDX-License-Identifier: Apache-2.0
// All-zero rows and columns of one layer's weight matrix leave its crossbars.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "mapper/slice/slicer.h"

namespace bitline::prune {

/// What is left of a layer's matrix: the rows and outputs of each group that have a weight (at least one of
/// each). Groups without any weight are left out; groups with fewer than others keep empty ones beside them.
struct Compaction {
  slice::LayerShape shape;
  std::vector<std::int32_t> codes;  ///< [group][output][row]
  std::vector<int> rows;            ///< [group][row]: row of the whole matrix, group * rows + row; empty: all
  std::vector<int> outputs;         ///< [group][output]: output of the whole matrix; empty: all
};
/// `codes` [group][output][row].
[[nodiscard]] Compaction compact(const slice::LayerShape& shape, std::span<const std::int32_t> codes);

/// Rows and columns that hold few weights.
struct NearlyEmpty {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::int64_t weights = 0;  ///< non-zero ones in them
  slice::LayerShape shape;   ///< of the matrix without them
};
/// Those of which at most `percent` percent of the weights, but not none, are not zero.
[[nodiscard]] NearlyEmpty nearly_empty(const slice::LayerShape& shape, std::span<const std::int32_t> codes,
                                       double percent);

/// Slices what compact() leaves of a layer.
[[nodiscard]] slice::SlicedLayer slice_compact(const slice::LayerShape& shape,
                                               const quantize::LayerQuant& quant, const arch::Arch& arch);

}  // namespace bitline::prune
