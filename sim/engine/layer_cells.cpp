// SPDX-License-Identifier: Apache-2.0
// The cells of a layer and the weights of its product, packed as the kernels read them.
#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>

#include <tbb/parallel_for.h>

#include "models/base/errors.h"
#include "sim/engine/layer_plan.h"

namespace bitline::engine {
namespace {

/// Where row 0 of a column lies in a matrix of bytes; its quads are kPanel * kQuad bytes apart.
std::size_t byte_column(std::size_t column, int quads) {
  return (column / kPanel * static_cast<std::size_t>(quads) * kPanel + column % kPanel) * kQuad;
}

/// The lowest limb of a signed number, in [-128, 127]; takes it off.
std::int8_t take_limb(std::int32_t& value) {
  const auto limb = static_cast<std::int8_t>(static_cast<std::uint8_t>(value));
  value = (value - limb) >> 8;
  return limb;
}

/// The most that so many such limbs hold: 127 in each.
std::int64_t most_of_limbs(int limbs) {
  std::int64_t most = 0;
  for (int j = 0; j < limbs; ++j) most = most * 256 + 127;
  return most;
}
/// The least: -128 in each.
std::int64_t least_of_limbs(int limbs) {
  return most_of_limbs(limbs) - ((std::int64_t{1} << (8 * limbs)) - 1);
}

/// Bytes of a whole column, rows beyond its last 0, to its place.
void store_column(const std::int8_t* bytes, int quads, std::int8_t* to) {
  for (int quad = 0; quad < quads; ++quad, bytes += kQuad, to += kPanel * kQuad)
    std::memcpy(to, bytes, kQuad);
}

/// The cells of a set, a column at a time, as stored: flipping complements their bits.
class StoredCells {
 public:
  StoredCells(const slice::SlicedLayer& layer, const ConvertingSet& set)
      : layer_(layer), set_(set), rows_(layer.blocks[static_cast<std::size_t>(set.block)]) {
    cut_ = layer.slices[static_cast<std::size_t>(set.slice)];
    cells_.resize(static_cast<std::size_t>(quads_of(rows_.rows())) * kQuad);
  }
  const std::vector<std::uint8_t>& column(int array, std::size_t index) {
    const int output = set_.columns[index];
    const std::uint32_t mask = (1u << cut_.width) - 1;
    const bool flipped =
        layer_.is_flipped(array, set_.block, set_.slice, set_.group * layer_.outputs_per_group + output);
    cut_cells({.codes = layer_.column(array, set_.group, output) + rows_.first,
               .rows = rows_.rows(),
               .shift = cut_.shift,
               .mask = mask,
               .flip = flipped ? mask : 0},
              cells_.data());
    return cells_;
  }
  [[nodiscard]] int rows() const { return rows_.rows(); }

 private:
  const slice::SlicedLayer& layer_;
  const ConvertingSet& set_;
  slice::RowBlock rows_;
  slice::Slice cut_;
  std::vector<std::uint8_t> cells_;
};

}  // namespace

void LayerPlan::pack(const ConvertingSet& set) {
  if (set.on_planes) {
    pack_planes(set, set.array, plane_cells.data() + set.cells);
    if (layer->analog) pack_planes(set, 1, plane_cells.data() + set.partner);
  } else {
    pack_sums(set, sum_cells.data() + set.cells);
  }
}

void LayerPlan::pack_planes(const ConvertingSet& set, int array, std::uint16_t* out) const {
  StoredCells stored(*layer, set);
  const int words = words_of(stored.rows());
  const int width = layer->slices[static_cast<std::size_t>(set.slice)].width;
  for (std::size_t c = 0; c < set.columns.size(); ++c) {
    const std::vector<std::uint8_t>& cells = stored.column(array, c);
    std::uint16_t* strip =
        out + c / kStrip * static_cast<std::size_t>(width) * static_cast<std::size_t>(words) * kStrip +
        c % kStrip;
    for (int word = 0; word < words; ++word) {
      std::uint16_t planes[8] = {};
      const int rows = std::min(kWordRows, stored.rows() - word * kWordRows);
      for (int i = 0; i < rows; ++i) {
        const unsigned cell = cells[static_cast<std::size_t>(word) * kWordRows + static_cast<std::size_t>(i)];
        for (int bit = 0; bit < width; ++bit)
          planes[bit] |= static_cast<std::uint16_t>(((cell >> bit) & 1u) << i);
      }
      for (int bit = 0; bit < width; ++bit) strip[(bit * words + word) * kStrip] = planes[bit];
    }
  }
}

void LayerPlan::pack_sums(const ConvertingSet& set, std::int8_t* out) const {
  StoredCells stored(*layer, set);
  const int quads = quads_of(stored.rows());
  const std::size_t limb_bytes = static_cast<std::size_t>(strips_of(static_cast<int>(set.columns.size()))) *
                                 kStrip * static_cast<std::size_t>(quads) * kQuad;
  std::vector<std::int32_t> values(static_cast<std::size_t>(quads) * kQuad);
  std::vector<std::int8_t> bytes(values.size());
  for (std::size_t c = 0; c < set.columns.size(); ++c) {
    const std::vector<std::uint8_t>& cells = stored.column(set.array, c);
    std::int8_t* to = out + byte_column(c, quads);
    if (set.limbs == 1 && !layer->analog) {
      store_column(reinterpret_cast<const std::int8_t*>(cells.data()), quads, to);
      continue;
    }
    std::copy(cells.begin(), cells.end(), values.begin());
    if (layer->analog) {
      const std::vector<std::uint8_t>& partner = stored.column(1, c);
      for (std::size_t i = 0; i < values.size(); ++i) values[i] -= partner[i];
    }
    for (int limb = 0; limb < set.limbs; ++limb, to += limb_bytes) {
      std::transform(values.begin(), values.end(), bytes.begin(), take_limb);
      store_column(bytes.data(), quads, to);
    }
  }
}

/// The weights of the product: what the columns that are not converted hold, and the offset or centre of the
/// encoding. A flipped column and its digital correction are together the column as encoded: where it is not
/// converted, flipping drops out; where it is, the correction (2^w-1) * sum(x) is exact and goes into the
/// product.
void LayerPlan::build_product() {
  const slice::SlicedLayer& l = *layer;
  const std::vector<std::uint8_t> converting = converting_columns();
  // Centres go with the codes of their column: together they range less than each by itself.
  const bool all_bits = sets.empty() && l.centres.empty();
  const bool multiplies = make_segments(all_bits ? encoded_range() : weight_range(converting));
  constant.assign(static_cast<std::size_t>(l.groups) * columns, 0);
  const auto panels = static_cast<std::size_t>(columns / kPanel);
  tbb::parallel_for(std::size_t{0}, static_cast<std::size_t>(l.groups) * panels, [&](std::size_t i) {
    const std::size_t group = i / panels;
    const std::size_t first = i % panels * kPanel;
    std::array<std::int64_t, kPanel> sums{};
    if (multiplies) pack_panel(group, first, converting, sums);
    for (std::size_t c = first; c < std::min<std::size_t>(first + kPanel, l.outputs_per_group); ++c)
      constant[group * static_cast<std::size_t>(columns) + c] =
          column_constant(group * static_cast<std::size_t>(l.outputs_per_group) + c, sums[c - first]);
  });
}

/// [array][block][slice][output], as SlicedLayer::flipped: whether conversions can change the column's sum;
/// empty where none can.
std::vector<std::uint8_t> LayerPlan::converting_columns() const {
  const slice::SlicedLayer& l = *layer;
  if (sets.empty()) return {};
  const auto outputs = static_cast<std::size_t>(l.outputs());
  std::vector<std::uint8_t> converting(static_cast<std::size_t>(l.arrays) * l.blocks.size() *
                                       l.slices.size() * outputs);
  for (const ConvertingSet& set : sets) {
    for (int array = set.array; array <= (l.analog ? 1 : set.array); ++array) {
      std::uint8_t* of_set =
          converting.data() +
          ((static_cast<std::size_t>(array) * l.blocks.size() + set.block) * l.slices.size() + set.slice) *
              outputs +
          static_cast<std::size_t>(set.group) * l.outputs_per_group;
      for (const std::int32_t output : set.columns) of_set[output] = 1;
    }
  }
  return converting;
}

/// Bits of a code that a column multiplies by, by sign (+, -), and what it adds to every weight.
LayerPlan::Multiplied LayerPlan::multiplied(int array, int block, int output,
                                            const std::vector<std::uint8_t>& converting) const {
  const slice::SlicedLayer& l = *layer;
  Multiplied result;
  for (int s = 0; s < static_cast<int>(l.slices.size()); ++s) {
    const slice::Slice cut = l.slices[static_cast<std::size_t>(s)];
    const int negative = (cut.sign < 0) != (array == 1) ? 1 : 0;
    const std::uint32_t mask = ((1u << cut.width) - 1) << cut.shift;
    const bool converts =
        !converting.empty() &&
        converting[((static_cast<std::size_t>(array) * l.blocks.size() + block) * l.slices.size() + s) *
                       static_cast<std::size_t>(l.outputs()) +
                   static_cast<std::size_t>(output)] != 0;
    if (!converts) result.bits[negative] |= mask;
    if (converts && l.is_flipped(array, block, s, output)) {
      result.added += negative != 0 ? -static_cast<std::int32_t>(mask) : static_cast<std::int32_t>(mask);
    }
  }
  return result;
}

/// What a column multiplies the rows from `first` on by; `column` counts over all groups.
void LayerPlan::multiply_rows(std::size_t column, int first, const std::vector<std::uint8_t>& converting,
                              std::span<std::int32_t> weights) const {
  const slice::SlicedLayer& l = *layer;
  const auto output = static_cast<int>(column);
  const int last = first + static_cast<int>(weights.size());
  std::fill(weights.begin(), weights.end(), static_cast<std::int32_t>(l.centre(output)));
  const auto ends_after = [first](const slice::RowBlock& block) { return block.last <= first; };
  const auto begin = std::partition_point(l.blocks.begin(), l.blocks.end(), ends_after);
  for (int array = 0; array < l.arrays; ++array) {
    const std::uint32_t* codes = l.column(array, output / l.outputs_per_group, output % l.outputs_per_group);
    for (auto block = begin; block != l.blocks.end() && block->first < last; ++block) {
      const Multiplied by = multiplied(array, static_cast<int>(block - l.blocks.begin()), output, converting);
      const int end = std::min(block->last, last);
      for (int row = std::max(block->first, first); row < end; ++row) {
        const std::uint32_t code = codes[row];
        weights[static_cast<std::size_t>(row - first)] += by.added +
                                                          static_cast<std::int32_t>(code & by.bits[0]) -
                                                          static_cast<std::int32_t>(code & by.bits[1]);
      }
    }
  }
}

/// Of all weights. They are made twice, here and to be packed: all at once they would take more memory than
/// everything else.
WeightRange LayerPlan::weight_range(const std::vector<std::uint8_t>& converting) const {
  const auto outputs = static_cast<std::size_t>(layer->outputs());
  std::vector<WeightRange> ranges(outputs);
  tbb::parallel_for(std::size_t{0}, outputs, [&](std::size_t column) {
    std::vector<std::int32_t> weights(static_cast<std::size_t>(layer->rows_per_group));
    multiply_rows(column, 0, converting, weights);
    WeightRange range;
    for (const std::int32_t weight : weights)
      range = {std::min(range.least, weight), std::max(range.most, weight)};
    ranges[column] = range;
  });
  WeightRange all;
  for (const WeightRange& range : ranges)
    all = {std::min(all.least, range.least), std::max(all.most, range.most)};
  return all;
}

/// What any codes without conversions and centres give.
WeightRange LayerPlan::encoded_range() const {
  const auto offset = static_cast<std::int32_t>(layer->centre(0));
  WeightRange range{offset, offset};
  for (int array = 0; array < layer->arrays; ++array) {
    const Multiplied by = multiplied(array, 0, 0, {});
    range.most += static_cast<std::int32_t>(by.bits[0]);
    range.least -= static_cast<std::int32_t>(by.bits[1]);
  }
  return range;
}

/// The share of the zero point in a column's sum, which all its cells make, and that of the bias of signed
/// inputs, which its product with weights of this sum makes.
std::int64_t LayerPlan::column_constant(std::size_t column, std::int64_t product_sum) const {
  std::int64_t share = -input_bias() * product_sum;
  if (layer->activation_zero_point != 0) share -= layer->activation_zero_point * weight_sum(column);
  return share;
}

/// Of the weights that a column stands for, converted or not.
std::int64_t LayerPlan::weight_sum(std::size_t column) const {
  const slice::SlicedLayer& l = *layer;
  const auto output = static_cast<int>(column);
  std::int64_t sum = l.centre(output) * l.rows_per_group;
  for (int array = 0; array < l.arrays; ++array) {
    const std::uint32_t* codes = l.column(array, output / l.outputs_per_group, output % l.outputs_per_group);
    for (const slice::Slice& cut : l.slices) {
      const std::uint32_t mask = ((1u << cut.width) - 1) << cut.shift;
      std::int64_t of_slice = 0;
      for (int row = 0; row < l.rows_per_group; ++row) of_slice += codes[row] & mask;
      sum += (cut.sign < 0) != (array == 1) ? -of_slice : of_slice;
    }
  }
  return sum;
}

/// Room for the product; false where nothing is multiplied.
bool LayerPlan::make_segments(const WeightRange& range) {
  const slice::SlicedLayer& l = *layer;
  if (range.least == 0 && range.most == 0) return false;
  BITLINE_CHECK(range.most < (1 << 20) && range.least > -(1 << 20));
  weight_limbs = 1;
  while (range.most - range.least > most_of_limbs(weight_limbs) - least_of_limbs(weight_limbs))
    ++weight_limbs;
  weight_bias =
      static_cast<std::int32_t>(std::max<std::int64_t>(range.most - most_of_limbs(weight_limbs), 0) +
                                std::min<std::int64_t>(range.least - least_of_limbs(weight_limbs), 0));
  std::size_t size = 0;
  for (int first = 0; first < l.rows_per_group; first += kMaxRows) {
    const int last = std::min(first + kMaxRows, l.rows_per_group);
    segments.push_back({.first = first, .last = last, .quads = quads_of(last - first), .weights = size});
    size += limb_size(segments.back()) * static_cast<std::size_t>(weight_limbs) * l.groups;
  }
  product_weights.resize(size);
  return true;
}

/// Columns side by side from `first_column` of a group on, some rows after others, so that what they share of
/// the matrix stays in the cache. `sums`: of the weights of each, where they are needed.
void LayerPlan::pack_panel(std::size_t group, std::size_t first_column,
                           const std::vector<std::uint8_t>& converting, std::span<std::int64_t> sums) {
  constexpr int kPiece = 8 * kRowTile;
  const auto outputs = static_cast<std::size_t>(layer->outputs_per_group);
  std::array<std::int32_t, kPiece> piece{};
  for (const ProductSegment& segment : segments) {
    for (int first = segment.first; first < segment.last; first += kPiece) {
      const int rows = std::min(kPiece, segment.last - first);
      const auto padded = static_cast<std::size_t>(quads_of(rows)) * kQuad;
      for (std::size_t c = 0; c < kPanel; ++c) {
        std::fill_n(piece.begin(), padded, weight_bias);
        const std::span weights = std::span(piece).first(static_cast<std::size_t>(rows));
        if (first_column + c < outputs)
          multiply_rows(group * outputs + first_column + c, first, converting, weights);
        if (first_column + c < outputs && input_bias() != 0)
          sums[c] = std::accumulate(weights.begin(), weights.end(), sums[c]);
        pack_weights(segment, group, first_column + c, first, std::span(piece).first(padded));
      }
    }
  }
}

/// Whole quads of weights of a column, in limbs.
void LayerPlan::pack_weights(const ProductSegment& segment, std::size_t group, std::size_t column, int first,
                             std::span<const std::int32_t> weights) {
  // Digits from -128 to 127 are those from 0 to 255 of the number with 128 in every place added.
  const auto added = static_cast<std::uint32_t>(-weight_bias - least_of_limbs(weight_limbs));
  std::vector<std::int8_t> bytes(weights.size());
  for (int j = 0; j < weight_limbs; ++j) {
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const std::uint32_t digits = (static_cast<std::uint32_t>(weights[i]) + added) >> (8 * j);
      bytes[i] = static_cast<std::int8_t>(static_cast<std::uint8_t>(digits ^ 0x80U));
    }
    store_column(bytes.data(), static_cast<int>(weights.size()) / kQuad,
                 product_weights.data() + segment.weights +
                     (group * static_cast<std::size_t>(weight_limbs) + static_cast<std::size_t>(j)) *
                         limb_size(segment) +
                     byte_column(column, segment.quads) +
                     static_cast<std::size_t>((first - segment.first) / kQuad) * kPanel * kQuad);
  }
}

}  // namespace bitline::engine
