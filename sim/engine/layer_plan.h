// SPDX-License-Identifier: Apache-2.0
// One layer in the layout of the kernels: which (group, row block, slice, array) sets are converted one by
// one, and the matrix that gives everything else as one exact integer product.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "mapper/slice/sliced_layer.h"
#include "sim/engine/kernels.h"

namespace bitline::engine {

/// The columns of one group, row block, slice and array (both arrays under analog subtraction) whose
/// conversions can change the value: they may clip or round.
struct ConvertingSet {
  int group = 0;
  int block = 0;
  int slice = 0;
  int array = 0;
  bool on_planes = true;  ///< bit planes; else sums by a matrix product
  Conversion conversion;
  std::vector<ChunkGroup> chunk_groups;
  std::size_t cells = 0;     ///< offset into plane_cells or sum_cells
  std::size_t partner = 0;   ///< offset of the subtracted array's planes (analog)
  std::size_t flip = kNone;  ///< offset into flips
  int shift = 0;             ///< of the slice
  bool negate = false;
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
};

/// Rows [first, last) of every group, multiplied together.
struct ProductSegment {
  int first = 0;
  int last = 0;
  std::size_t weights = 0;  ///< offset into product_weights, of group 0
  [[nodiscard]] int pairs() const { return (last - first + 1) / 2; }
};

struct LayerPlan {
  explicit LayerPlan(std::shared_ptr<const slice::SlicedLayer> sliced);

  std::shared_ptr<const slice::SlicedLayer> layer;
  int columns = 0;                     ///< of a group, padded to whole panels
  std::vector<ConvertingSet> sets;     ///< by block, then group
  std::vector<std::size_t> first_set;  ///< [block * groups + group], one more at the end
  std::vector<std::uint16_t> plane_cells;
  std::vector<std::int16_t> sum_cells;
  std::vector<std::int64_t> flips;

  int input_limbs = 1;                   ///< inputs in limbs of 8 bits
  int weight_limbs = 1;                  ///< product weights in limbs of 8 bits
  std::vector<ProductSegment> segments;  ///< empty: nothing is multiplied
  /// [segment][group][limb][panel][pair][column][2]
  std::vector<std::int16_t> product_weights;
  std::vector<std::int64_t> constant;    ///< [group * columns + output]: the zero point's share
  std::vector<std::int64_t> row_levels;  ///< [group * rows + row]: sum of the cells under this row

  [[nodiscard]] std::size_t limb_size(const ProductSegment& segment) const {
    return static_cast<std::size_t>(columns) * segment.pairs() * 2;
  }
  [[nodiscard]] std::int64_t bytes() const;

 private:
  void choose_sets();
  void add_set(int group, int block, int slice, int array, std::int64_t max_sum);
  void reserve(ConvertingSet& set);
  void pack(const ConvertingSet& set);
  void pack_planes(const ConvertingSet& set, int array, std::uint16_t* out) const;
  void pack_sums(const ConvertingSet& set, std::int16_t* out) const;
  void build_product(const std::vector<std::uint8_t>& converting);
  void pack_product(const std::vector<std::int32_t>& weights);
  void sum_levels();
};

}  // namespace bitline::engine
