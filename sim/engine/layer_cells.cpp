// SPDX-License-Identifier: Apache-2.0
// The cells of a layer and the weights of its product, packed as the kernels read them.
#include <algorithm>
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
  const auto outputs = static_cast<std::size_t>(l.outputs());
  const auto outputs_per_group = static_cast<std::size_t>(l.outputs_per_group);
  const auto rows = static_cast<std::size_t>(l.rows_per_group);
  // [array][block][slice][output], as SlicedLayer::flipped
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
  constant.assign(static_cast<std::size_t>(l.groups) * columns, 0);
  // Twice, as their range decides on limbs: all at once they would take more memory than everything else.
  std::vector<WeightRange> ranges(outputs);
  tbb::parallel_for(std::size_t{0}, outputs, [&](std::size_t column) {
    std::vector<std::int32_t> weights(rows);
    multiply_column(column, converting, weights);
    WeightRange range;
    for (const std::int32_t weight : weights)
      range = {std::min(range.least, weight), std::max(range.most, weight)};
    ranges[column] = range;
    constant[column / outputs_per_group * static_cast<std::size_t>(columns) + column % outputs_per_group] =
        column_constant(column, weights);
  });
  if (!make_segments(ranges)) return;
  tbb::parallel_for(std::size_t{0}, outputs, [&](std::size_t column) {
    std::vector<std::int32_t> weights(rows);
    multiply_column(column, converting, weights);
    pack_product(column, std::move(weights));
  });
}

/// What a column multiplies by: `converting` as made by build_product; `column` counts over all groups.
void LayerPlan::multiply_column(std::size_t column, const std::vector<std::uint8_t>& converting,
                                std::span<std::int32_t> weights) const {
  const slice::SlicedLayer& l = *layer;
  const auto output = static_cast<int>(column);
  std::fill(weights.begin(), weights.end(), static_cast<std::int32_t>(l.centre(output)));
  for (int array = 0; array < l.arrays; ++array) {
    const std::uint32_t* codes = l.column(array, output / l.outputs_per_group, output % l.outputs_per_group);
    for (int block = 0; block < static_cast<int>(l.blocks.size()); ++block) {
      std::uint32_t multiplied[2] = {};  // bits of the slices that are not converted, by sign: +, -
      std::int32_t correction = 0;
      for (int s = 0; s < static_cast<int>(l.slices.size()); ++s) {
        const slice::Slice cut = l.slices[static_cast<std::size_t>(s)];
        const int negative = (cut.sign < 0) != (array == 1) ? 1 : 0;
        const std::uint32_t mask = ((1u << cut.width) - 1) << cut.shift;
        const bool converts =
            converting[((static_cast<std::size_t>(array) * l.blocks.size() + block) * l.slices.size() + s) *
                           static_cast<std::size_t>(l.outputs()) +
                       column] != 0;
        if (!converts) multiplied[negative] |= mask;
        if (converts && l.is_flipped(array, block, s, output)) {
          correction += negative != 0 ? -static_cast<std::int32_t>(mask) : static_cast<std::int32_t>(mask);
        }
      }
      const slice::RowBlock range = l.blocks[static_cast<std::size_t>(block)];
      for (int row = range.first; row < range.last; ++row) {
        const std::uint32_t code = codes[row];
        weights[static_cast<std::size_t>(row)] += correction +
                                                  static_cast<std::int32_t>(code & multiplied[0]) -
                                                  static_cast<std::int32_t>(code & multiplied[1]);
      }
    }
  }
}

/// The share of the zero point in a column's sum, which all its cells make, and that of the bias of signed
/// inputs, which its product makes.
std::int64_t LayerPlan::column_constant(std::size_t column, std::span<const std::int32_t> weights) const {
  std::int64_t share = 0;
  if (layer->activation_zero_point != 0) share -= layer->activation_zero_point * weight_sum(column);
  if (input_bias() != 0)
    share -= input_bias() * std::accumulate(weights.begin(), weights.end(), std::int64_t{0});
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
bool LayerPlan::make_segments(std::span<const WeightRange> ranges) {
  const slice::SlicedLayer& l = *layer;
  WeightRange all;
  for (const WeightRange& range : ranges)
    all = {std::min(all.least, range.least), std::max(all.most, range.most)};
  if (all.least == 0 && all.most == 0) return false;
  BITLINE_CHECK(all.most < (1 << 20) && all.least > -(1 << 20));
  weight_limbs = 1;
  for (std::int64_t low = -128, high = 127; all.least < low || all.most > high; ++weight_limbs) {
    low = low * 256 - 128;
    high = high * 256 + 127;
  }
  std::size_t size = 0;
  for (int first = 0; first < l.rows_per_group; first += kMaxRows) {
    const int last = std::min(first + kMaxRows, l.rows_per_group);
    segments.push_back({.first = first, .last = last, .quads = quads_of(last - first), .weights = size});
    size += limb_size(segments.back()) * static_cast<std::size_t>(weight_limbs) * l.groups;
  }
  product_weights.resize(size);
  return true;
}

void LayerPlan::pack_product(std::size_t column, std::vector<std::int32_t> weights) {
  const std::size_t group = column / static_cast<std::size_t>(layer->outputs_per_group);
  const std::size_t output = column % static_cast<std::size_t>(layer->outputs_per_group);
  for (const ProductSegment& segment : segments) {
    std::vector<std::int8_t> bytes(static_cast<std::size_t>(segment.quads) * kQuad);
    for (int j = 0; j < weight_limbs; ++j) {
      std::transform(weights.begin() + segment.first, weights.begin() + segment.last, bytes.begin(),
                     take_limb);
      store_column(bytes.data(), segment.quads,
                   product_weights.data() + segment.weights +
                       (group * static_cast<std::size_t>(weight_limbs) + static_cast<std::size_t>(j)) *
                           limb_size(segment) +
                       byte_column(output, segment.quads));
    }
  }
}

}  // namespace bitline::engine
