// SPDX-License-Identifier: Apache-2.0
#include "sim/engine/layer_plan.h"

#include <algorithm>
#include <cstdlib>

#include <tbb/parallel_for.h>

#include "mapper/slice/resolution.h"
#include "models/base/errors.h"

namespace bitline::engine {
namespace {

constexpr std::int64_t kPlaneSumLimit = std::int64_t{1} << 15;
constexpr int kPlanePairLimit = 6;  ///< beyond these input bits x cell bits a product is faster
constexpr int kLimbBits = 8;
constexpr std::int32_t kOneLimbWeight = 511;  ///< 255 * 511 * kMaxProductRows < 2^31

int round_up(int value, int multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

/// Joins neighbouring chunks as long as their weighted codes fit 15 bits.
std::vector<ChunkGroup> group_chunks(const std::vector<slice::InputChunk>& chunks, std::int64_t limit) {
  std::vector<ChunkGroup> groups;
  std::int64_t largest = 0;
  for (int k = 0; k < static_cast<int>(chunks.size()); ++k) {
    const slice::InputChunk& chunk = chunks[static_cast<std::size_t>(k)];
    if (!groups.empty() && groups.back().sign == chunk.sign) {
      const std::int64_t joined = largest + (limit << (chunk.shift - groups.back().shift));
      if (joined < kPlaneSumLimit) {
        largest = joined;
        groups.back().last = k + 1;
        continue;
      }
    }
    groups.push_back({.first = k, .last = k + 1, .shift = chunk.shift, .sign = chunk.sign});
    largest = limit;
  }
  return groups;
}

/// The largest column sum of a set's columns, as stored, all inputs at their maximum.
std::int64_t max_sum(const slice::SlicedLayer& layer, int group, int block, int slice, int array) {
  const std::int64_t most = layer.blocks[static_cast<std::size_t>(block)].rows() *
                            ((std::int64_t{1} << layer.slices[static_cast<std::size_t>(slice)].width) - 1);
  const int last_array = layer.analog ? 1 : array;
  std::int64_t largest = 0;
  for (int a = array; a <= last_array; ++a) {
    for (int output = 0; output < layer.outputs_per_group; ++output) {
      const std::int64_t sum = slice::encoded_sum(layer, a, block, slice, group, output);
      const bool flipped = layer.is_flipped(a, block, slice, group * layer.outputs_per_group + output);
      largest = std::max(largest, flipped ? most - sum : sum);
    }
  }
  return largest * slice::max_chunk_value(layer);
}

int words_of(int rows) {
  return (rows + kWordRows - 1) / kWordRows;
}
int pairs_of(int rows) {
  return (rows + 1) / 2;
}

/// The cells of one column as stored.
class StoredColumn {
 public:
  StoredColumn(const slice::SlicedLayer& layer, const ConvertingSet& set, int array, int output)
      : codes_(layer.column(array, set.group, output)),
        shift_(layer.slices[static_cast<std::size_t>(set.slice)].shift),
        mask_((1u << layer.slices[static_cast<std::size_t>(set.slice)].width) - 1) {
    const int column = set.group * layer.outputs_per_group + output;
    flip_ = layer.is_flipped(array, set.block, set.slice, column) ? mask_ : 0;
  }
  /// Flipping complements the bits of a cell.
  [[nodiscard]] std::uint32_t cell(int row) const { return ((codes_[row] >> shift_) & mask_) ^ flip_; }

 private:
  const std::uint32_t* codes_;
  int shift_;
  std::uint32_t mask_;
  std::uint32_t flip_;
};

std::size_t set_index(const slice::SlicedLayer& layer, int array, int block, int slice, int group) {
  return ((static_cast<std::size_t>(array) * layer.blocks.size() + block) * layer.slices.size() + slice) *
             layer.groups +
         group;
}

}  // namespace

LayerPlan::LayerPlan(std::shared_ptr<const slice::SlicedLayer> sliced) : layer(std::move(sliced)) {
  BITLINE_CHECK(layer != nullptr && layer->activation_bits >= 1 && layer->activation_bits <= 16);
  columns = round_up(layer->outputs_per_group, kPlanePanel);
  input_limbs = layer->activation_bits > kLimbBits ? 2 : 1;
  choose_sets();
  sum_levels();
}

/// A set whose sums can neither clip nor round needs no conversion: it goes into the product.
void LayerPlan::choose_sets() {
  const slice::SlicedLayer& l = *layer;
  const int converted_arrays = l.analog ? 1 : l.arrays;
  std::vector<std::uint8_t> converting(set_index(l, l.arrays, 0, 0, 0), 0);
  for (int block = 0; block < static_cast<int>(l.blocks.size()); ++block) {
    for (int group = 0; group < l.groups; ++group) {
      first_set.push_back(sets.size());
      for (int s = 0; s < static_cast<int>(l.slices.size()); ++s) {
        const int bits = l.adc_bits[static_cast<std::size_t>(block)][static_cast<std::size_t>(s)];
        const std::int64_t limit = slice::adc_limit(bits, l.analog);
        const bool rounds = slice::truncated_bits(l, block, s) > 0;
        const std::int64_t bound =
            l.max_column_sum[static_cast<std::size_t>(block)][static_cast<std::size_t>(s)];
        if (!rounds && bound <= limit) continue;
        for (int array = 0; array < converted_arrays; ++array) {
          const std::int64_t largest = max_sum(l, group, block, s, array);
          if (largest == 0 || (!rounds && largest <= limit)) continue;
          add_set(group, block, s, array, largest);
          converting[set_index(l, array, block, s, group)] = 1;
          if (l.analog) converting[set_index(l, 1, block, s, group)] = 1;
        }
      }
    }
  }
  first_set.push_back(sets.size());
  tbb::parallel_for(std::size_t{0}, sets.size(), [this](std::size_t i) { pack(sets[i]); });
  build_product(converting);
}

void LayerPlan::add_set(int group, int block, int slice, int array, std::int64_t max_sum) {
  const slice::SlicedLayer& l = *layer;
  const slice::Slice& cut = l.slices[static_cast<std::size_t>(slice)];
  const int bits = l.adc_bits[static_cast<std::size_t>(block)][static_cast<std::size_t>(slice)];
  ConvertingSet set;
  set.group = group;
  set.block = block;
  set.slice = slice;
  set.array = array;
  set.negate = (cut.sign < 0) != (array == 1);
  set.conversion = {.limit = std::min(slice::adc_limit(bits, l.analog), max_sum),
                    .drop = slice::truncated_bits(l, block, slice),
                    .analog = l.analog};
  set.shift = cut.shift;
  const std::int64_t rounding = set.conversion.drop > 0 ? std::int64_t{1} << set.conversion.drop : 0;
  int widest = 0;
  for (const slice::InputChunk& chunk : l.chunks) widest = std::max(widest, chunk.width);
  set.on_planes = max_sum + rounding < kPlaneSumLimit && widest * cut.width <= kPlanePairLimit;
  if (set.on_planes) set.chunk_groups = group_chunks(l.chunks, set.conversion.limit);
  reserve(set);
  sets.push_back(std::move(set));
}

/// Reserves room for the set's cells (and those of the array that is subtracted) and for its flips.
void LayerPlan::reserve(ConvertingSet& set) {
  const slice::SlicedLayer& l = *layer;
  const int rows = l.blocks[static_cast<std::size_t>(set.block)].rows();
  const auto width = static_cast<std::size_t>(l.slices[static_cast<std::size_t>(set.slice)].width);
  const auto take = [](auto& pool, std::size_t count) {
    const std::size_t at = pool.size();
    pool.resize(at + count);
    return at;
  };
  const auto column_count = static_cast<std::size_t>(columns);
  if (set.on_planes) {
    const std::size_t size = column_count * width * static_cast<std::size_t>(words_of(rows));
    set.cells = take(plane_cells, size);
    if (l.analog) set.partner = take(plane_cells, size);
  } else {
    set.cells = take(sum_cells, column_count * static_cast<std::size_t>(pairs_of(rows)) * 2);
  }
  if (!l.flipped.empty()) set.flip = take(flips, column_count);
}

void LayerPlan::pack(const ConvertingSet& set) {
  const slice::SlicedLayer& l = *layer;
  if (set.on_planes) {
    pack_planes(set, set.array, plane_cells.data() + set.cells);
    if (l.analog) pack_planes(set, 1, plane_cells.data() + set.partner);
  } else {
    pack_sums(set, sum_cells.data() + set.cells);
  }
  if (set.flip == ConvertingSet::kNone) return;
  for (int output = 0; output < l.outputs_per_group; ++output) {
    const bool flipped =
        l.is_flipped(set.array, set.block, set.slice, set.group * l.outputs_per_group + output);
    flips[set.flip + static_cast<std::size_t>(output)] = flipped ? -1 : 0;
  }
}

void LayerPlan::pack_planes(const ConvertingSet& set, int array, std::uint16_t* out) const {
  const slice::SlicedLayer& l = *layer;
  const slice::RowBlock rows = l.blocks[static_cast<std::size_t>(set.block)];
  const int words = words_of(rows.rows());
  const int width = l.slices[static_cast<std::size_t>(set.slice)].width;
  for (int output = 0; output < l.outputs_per_group; ++output) {
    const StoredColumn column(l, set, array, output);
    std::uint16_t* panel = out +
                           static_cast<std::size_t>(output / kPlanePanel) * width * words * kPlanePanel +
                           output % kPlanePanel;
    for (int i = 0; i < rows.rows(); ++i) {
      const std::uint32_t cell = column.cell(rows.first + i);
      for (int bit = 0; bit < width; ++bit) {
        const auto word = static_cast<std::size_t>(bit * words + i / kWordRows);
        panel[word * kPlanePanel] |= static_cast<std::uint16_t>(((cell >> bit) & 1u) << (i % kWordRows));
      }
    }
  }
}

void LayerPlan::pack_sums(const ConvertingSet& set, std::int16_t* out) const {
  const slice::SlicedLayer& l = *layer;
  const slice::RowBlock rows = l.blocks[static_cast<std::size_t>(set.block)];
  const int pairs = pairs_of(rows.rows());
  for (int output = 0; output < l.outputs_per_group; ++output) {
    const StoredColumn column(l, set, set.array, output);
    const StoredColumn partner(l, set, l.analog ? 1 : set.array, output);
    std::int16_t* panel = out + (static_cast<std::size_t>(output / kProductPanel) * pairs * kProductPanel +
                                 output % kProductPanel) *
                                    2;
    for (int i = 0; i < rows.rows(); ++i) {
      auto cell = static_cast<int>(column.cell(rows.first + i));
      if (l.analog) cell -= static_cast<int>(partner.cell(rows.first + i));
      panel[static_cast<std::size_t>(i / 2) * kProductPanel * 2 + i % 2] = static_cast<std::int16_t>(cell);
    }
  }
}

/// The weights of the product: what the sets that are not converted hold, less the offset of the encoding. A
/// flipped column and its digital correction are together the column as encoded, so flipping drops out here.
void LayerPlan::build_product(const std::vector<std::uint8_t>& converting) {
  const slice::SlicedLayer& l = *layer;
  const auto rows = static_cast<std::size_t>(l.rows_per_group);
  const auto outputs = static_cast<std::size_t>(l.outputs());
  std::vector<std::int32_t> weights(outputs * rows, static_cast<std::int32_t>(-l.offset));
  constant.assign(static_cast<std::size_t>(l.groups) * columns, 0);
  tbb::parallel_for(std::size_t{0}, outputs, [&](std::size_t column) {
    const auto group = static_cast<int>(column) / l.outputs_per_group;
    const auto output = static_cast<int>(column) % l.outputs_per_group;
    std::int64_t weight_sum = -l.offset * l.rows_per_group;
    std::int32_t* out = weights.data() + column * rows;
    for (int array = 0; array < l.arrays; ++array) {
      const std::uint32_t* codes = l.column(array, group, output);
      for (int block = 0; block < static_cast<int>(l.blocks.size()); ++block) {
        const slice::RowBlock range = l.blocks[static_cast<std::size_t>(block)];
        for (int s = 0; s < static_cast<int>(l.slices.size()); ++s) {
          const slice::Slice cut = l.slices[static_cast<std::size_t>(s)];
          const bool negative = (cut.sign < 0) != (array == 1);
          const bool multiplied = converting[set_index(l, array, block, s, group)] == 0;
          const std::uint32_t mask = ((1u << cut.width) - 1) << cut.shift;
          for (int row = range.first; row < range.last; ++row) {
            const auto part = static_cast<std::int32_t>(codes[row] & mask);
            const std::int32_t value = negative ? -part : part;
            weight_sum += value;
            out[row] += multiplied ? value : 0;
          }
        }
      }
    }
    constant[static_cast<std::size_t>(group) * columns + output] = -l.activation_zero_point * weight_sum;
  });
  pack_product(weights);
}

void LayerPlan::pack_product(const std::vector<std::int32_t>& weights) {
  const slice::SlicedLayer& l = *layer;
  std::int32_t largest = 0;
  for (const std::int32_t w : weights) largest = std::max(largest, std::abs(w));
  if (largest == 0) return;
  BITLINE_CHECK(largest < (1 << 18));
  weight_limbs = largest > kOneLimbWeight ? 2 : 1;

  std::size_t size = 0;
  for (int first = 0; first < l.rows_per_group; first += kMaxProductRows) {
    segments.push_back(
        {.first = first, .last = std::min(first + kMaxProductRows, l.rows_per_group), .weights = size});
    size += limb_size(segments.back()) * static_cast<std::size_t>(weight_limbs) * l.groups;
  }
  product_weights.assign(size, 0);
  tbb::parallel_for(std::size_t{0}, static_cast<std::size_t>(l.outputs()), [&](std::size_t column) {
    const std::size_t group = column / static_cast<std::size_t>(l.outputs_per_group);
    const std::size_t output = column % static_cast<std::size_t>(l.outputs_per_group);
    const std::int32_t* from = weights.data() + column * static_cast<std::size_t>(l.rows_per_group);
    for (const ProductSegment& segment : segments) {
      const std::size_t limb = limb_size(segment);
      std::int16_t* to = product_weights.data() + segment.weights + group * limb * weight_limbs;
      const std::size_t panel = output / kProductPanel * static_cast<std::size_t>(segment.pairs());
      for (int row = segment.first; row < segment.last; ++row) {
        const auto i = static_cast<std::size_t>(row - segment.first);
        const std::size_t at = ((panel + i / 2) * kProductPanel + output % kProductPanel) * 2 + i % 2;
        if (weight_limbs == 1) {
          to[at] = static_cast<std::int16_t>(from[row]);
        } else {
          to[at] = static_cast<std::int16_t>(from[row] & ((1 << kLimbBits) - 1));
          to[limb + at] = static_cast<std::int16_t>(from[row] >> kLimbBits);
        }
      }
    }
  });
}

void LayerPlan::sum_levels() {
  const slice::SlicedLayer& l = *layer;
  row_levels.assign(static_cast<std::size_t>(l.groups) * l.rows_per_group, 0);
  tbb::parallel_for(std::size_t{0}, static_cast<std::size_t>(l.groups) * l.blocks.size(), [&](std::size_t i) {
    const auto group = static_cast<int>(i / l.blocks.size());
    const auto block = static_cast<int>(i % l.blocks.size());
    const slice::RowBlock range = l.blocks[static_cast<std::size_t>(block)];
    std::int64_t* levels = row_levels.data() + static_cast<std::size_t>(group) * l.rows_per_group;
    for (int array = 0; array < l.arrays; ++array) {
      for (int output = 0; output < l.outputs_per_group; ++output) {
        const std::uint32_t* codes = l.column(array, group, output);
        for (int s = 0; s < static_cast<int>(l.slices.size()); ++s) {
          const slice::Slice cut = l.slices[static_cast<std::size_t>(s)];
          const std::uint32_t mask = (1u << cut.width) - 1;
          // flipping complements the bits of the cell
          const std::uint32_t flip =
              l.is_flipped(array, block, s, group * l.outputs_per_group + output) ? mask : 0;
          for (int row = range.first; row < range.last; ++row) {
            levels[row] += ((codes[row] >> cut.shift) & mask) ^ flip;
          }
        }
      }
    }
  });
}

std::int64_t LayerPlan::bytes() const {
  return static_cast<std::int64_t>(plane_cells.size() * sizeof(std::uint16_t) +
                                   (sum_cells.size() + product_weights.size()) * sizeof(std::int16_t) +
                                   (flips.size() + constant.size() + row_levels.size()) *
                                       sizeof(std::int64_t));
}

}  // namespace bitline::engine
