// SPDX-License-Identifier: Apache-2.0
// One layer in the layout of the kernels: which columns are converted one by one, and the matrix that gives
// everything else as one exact integer product.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <tbb/cache_aligned_allocator.h>

#include "mapper/slice/sliced_layer.h"
#include "models/base/uninitialised.h"
#include "sim/engine/kernels.h"

namespace bitline::engine {

/// On whole cache lines: tiles and vectors are then read in one piece.
template <class T>
using AlignedVector = std::vector<T, tbb::cache_aligned_allocator<T>>;

/// Chunks [first, last) whose weighted sum of codes fits the lanes of a kernel: added up before widening.
struct ChunkGroup {
  int first = 0;
  int last = 0;
  int shift = 0;
  int sign = 1;
};

/// The columns of one group, row block, slice and array (both arrays under analog subtraction) whose
/// conversions can change the value: they may clip or round.
struct ConvertingSet {
  int group = 0;
  int block = 0;
  int slice = 0;
  int array = 0;
  bool on_planes = true;  ///< bit planes; else sums by a product of bytes
  bool narrow = true;     ///< sums, and weighted sums of codes, fit 16 bits; always so on bit planes
  std::vector<std::int32_t> columns;  ///< outputs of the group, ascending
  std::vector<std::int32_t>
      flips;  ///< by column, padded to whole strips: -1 where stored flipped; empty: none is
  Conversion conversion;
  int limbs = 1;            ///< bytes of a cell in the product
  std::size_t cells = 0;    ///< offset into plane_cells or sum_cells
  std::size_t partner = 0;  ///< offset of the subtracted array's planes (analog)
  int shift = 0;            ///< of the slice, and of the bits that its conversion drops
  bool negate = false;
};

/// Rows [first, last) of every group, multiplied together.
struct ProductSegment {
  int first = 0;
  int last = 0;
  int quads = 0;
  std::size_t weights = 0;  ///< offset into product_weights, of group 0
};

/// Of the weights of a product, and 0.
struct WeightRange {
  std::int32_t least = 0;
  std::int32_t most = 0;
};

struct LayerPlan {
  explicit LayerPlan(std::shared_ptr<const slice::SlicedLayer> sliced);

  std::shared_ptr<const slice::SlicedLayer> layer;
  int columns = 0;                     ///< of a group, padded to whole strips
  std::vector<ConvertingSet> sets;     ///< by block, then group
  std::vector<std::size_t> first_set;  ///< [block * groups + group], one more at the end
  AlignedVector<std::uint16_t> plane_cells;
  AlignedVector<std::int8_t> sum_cells;
  std::vector<ChunkGroup> narrow_groups;  ///< of the sets that fit 16 bits
  std::vector<ChunkGroup> wide_groups;    ///< of the others

  int input_limbs = 1;   ///< inputs in limbs of 8 bits, unsigned
  int weight_limbs = 1;  ///< product weights in limbs of 8 bits, each signed
  /// Taken off the weights, so that their limbs are fewest; the product of the inputs with it is added.
  std::int32_t weight_bias = 0;
  std::vector<ProductSegment> segments;  ///< empty: nothing is multiplied
  /// [segment][group][limb][panel][quad][column][row of the quad]; on whole cache lines as AlignedVector
  base::UninitialisedVector<std::int8_t, 64> product_weights;
  std::vector<std::int64_t>
      constant;  ///< [group * columns + output]: the zero point's share, the input bias's
  std::vector<std::int64_t> row_levels;  ///< [group * rows + row]: sum of the cells under this row

  /// Signed inputs are multiplied as x + bias, which is not negative.
  [[nodiscard]] int input_bias() const {
    return layer->activation_signed ? 1 << (layer->activation_bits - 1) : 0;
  }
  [[nodiscard]] std::size_t limb_size(const ProductSegment& segment) const {
    return static_cast<std::size_t>(columns) * segment.quads * kQuad;
  }
  [[nodiscard]] std::int64_t bytes() const;

 private:
  void choose_sets();
  [[nodiscard]] ConvertingSet choose_columns(int group, int block, int slice, int array) const;
  void place_sets();
  void pack(const ConvertingSet& set);
  void pack_planes(const ConvertingSet& set, int array, std::uint16_t* out) const;
  void pack_sums(const ConvertingSet& set, std::int8_t* out) const;
  void build_product();
  [[nodiscard]] std::vector<std::uint8_t> converting_columns() const;
  struct Multiplied {
    std::array<std::uint32_t, 2> bits{};
    std::int32_t added = 0;
  };
  [[nodiscard]] Multiplied multiplied(int array, int block, int output,
                                      const std::vector<std::uint8_t>& converting) const;
  void multiply_rows(std::size_t column, int first, const std::vector<std::uint8_t>& converting,
                     std::span<std::int32_t> weights) const;
  [[nodiscard]] WeightRange weight_range(const std::vector<std::uint8_t>& converting) const;
  [[nodiscard]] WeightRange encoded_range() const;
  [[nodiscard]] std::int64_t column_constant(std::size_t column, std::int64_t product_sum) const;
  [[nodiscard]] std::int64_t weight_sum(std::size_t column) const;
  [[nodiscard]] bool make_segments(const WeightRange& range);
  void pack_panel(std::size_t group, std::size_t first_column, const std::vector<std::uint8_t>& converting,
                  std::span<std::int64_t> sums);
  void pack_weights(const ProductSegment& segment, std::size_t group, std::size_t column, int first,
                    std::span<const std::int32_t> weights);
  void sum_levels();
  void add_levels(int array, int group, int output, int block, std::int32_t* levels) const;
};

/// Strips that hold so many columns.
[[nodiscard]] constexpr int strips_of(int columns) {
  return (columns + kStrip - 1) / kStrip;
}
/// Quads of a matrix of bytes with so many rows.
[[nodiscard]] constexpr int quads_of(int rows) {
  return (rows + kRowTile - 1) / kRowTile * (kRowTile / kQuad);
}
[[nodiscard]] constexpr int words_of(int rows) {
  return (rows + kWordRows - 1) / kWordRows;
}

}  // namespace bitline::engine
