// SPDX-License-Identifier: Apache-2.0
#include "sim/engine/layer_plan.h"

#include <algorithm>
#include <array>

#include <tbb/blocked_range2d.h>
#include <tbb/parallel_for.h>

#include "mapper/slice/resolution.h"
#include "models/base/errors.h"

namespace bitline::engine {
namespace {

constexpr std::size_t kMostSlices = 17;  // one bit each, of 16-bit magnitudes and a sign
constexpr std::int64_t kNarrowLimit = std::int64_t{1} << 15;
constexpr std::int64_t kWideLimit = std::int64_t{1} << 31;

/// Joins neighbouring chunks as long as their weighted codes stay below `lanes`.
std::vector<ChunkGroup> group_chunks(const std::vector<slice::InputChunk>& chunks, std::int64_t limit,
                                     std::int64_t lanes) {
  std::vector<ChunkGroup> groups;
  std::int64_t largest = 0;
  for (int k = 0; k < static_cast<int>(chunks.size()); ++k) {
    const slice::InputChunk& chunk = chunks[static_cast<std::size_t>(k)];
    if (!groups.empty() && groups.back().sign == chunk.sign) {
      const std::int64_t joined = largest + (limit << (chunk.shift - groups.back().shift));
      if (joined < lanes) {
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

int widest_chunk(const slice::SlicedLayer& layer) {
  int widest = 0;
  for (const slice::InputChunk& chunk : layer.chunks) widest = std::max(widest, chunk.width);
  return widest;
}

}  // namespace

LayerPlan::LayerPlan(std::shared_ptr<const slice::SlicedLayer> sliced) : layer(std::move(sliced)) {
  BITLINE_CHECK(layer != nullptr && layer->activation_bits >= 1 && layer->activation_bits <= 16);
  BITLINE_CHECK(layer->slices.size() <= kMostSlices);
  columns = strips_of(layer->outputs_per_group) * kStrip;
  input_limbs = layer->activation_bits > 8 ? 2 : 1;
  choose_sets();
  place_sets();
  tbb::parallel_for(std::size_t{0}, sets.size(), [this](std::size_t i) { pack(sets[i]); });
  build_product();
  sum_levels();
}

/// A column whose sums can neither clip nor round needs no conversion: it goes into the product.
void LayerPlan::choose_sets() {
  const slice::SlicedLayer& l = *layer;
  const auto groups = static_cast<std::size_t>(l.groups);
  const int converted_arrays = l.analog ? 1 : l.arrays;
  std::vector<std::vector<ConvertingSet>> found(l.blocks.size() * groups);
  tbb::parallel_for(std::size_t{0}, found.size(), [&](std::size_t i) {
    const std::size_t block = i / groups;
    for (std::size_t s = 0; s < l.slices.size(); ++s) {
      const bool rounds = slice::truncated_bits(l, static_cast<int>(block), static_cast<int>(s)) > 0;
      if (!rounds && l.max_column_sum[block][s] <= slice::adc_limit(l.adc_bits[block][s], l.analog)) continue;
      for (int array = 0; array < converted_arrays; ++array) {
        ConvertingSet set =
            choose_columns(static_cast<int>(i % groups), static_cast<int>(block), static_cast<int>(s), array);
        if (!set.columns.empty()) found[i].push_back(std::move(set));
      }
    }
  });
  for (std::vector<ConvertingSet>& some : found) {
    first_set.push_back(sets.size());
    std::move(some.begin(), some.end(), std::back_inserter(sets));
  }
  first_set.push_back(sets.size());
}

ConvertingSet LayerPlan::choose_columns(int group, int block, int slice, int array) const {
  const slice::SlicedLayer& l = *layer;
  const slice::Slice cut = l.slices[static_cast<std::size_t>(slice)];
  const slice::RowBlock rows = l.blocks[static_cast<std::size_t>(block)];
  const int bits = l.adc_bits[static_cast<std::size_t>(block)][static_cast<std::size_t>(slice)];
  const int drop = slice::truncated_bits(l, block, slice);
  const std::int64_t limit = slice::adc_limit(bits, l.analog);
  const std::int64_t driven = slice::max_chunk_value(l);
  ConvertingSet set;
  set.group = group;
  set.block = block;
  set.slice = slice;
  set.array = array;
  std::int64_t largest = 0;
  bool any_flip = false;
  for (int output = 0; output < l.outputs_per_group; ++output) {
    std::int64_t sum = 0;
    bool flipped = false;
    for (int a = array; a <= (l.analog ? 1 : array); ++a) {
      const std::uint32_t mask = (1u << cut.width) - 1;
      flipped = l.is_flipped(a, block, slice, group * l.outputs_per_group + output);
      sum = std::max(sum, engine::sum_cells({.codes = l.column(a, group, output) + rows.first,
                                             .rows = rows.rows(),
                                             .shift = cut.shift,
                                             .mask = mask,
                                             .flip = flipped ? mask : 0}) *
                              driven);
    }
    if (sum == 0 || (drop == 0 && sum <= limit)) continue;
    set.columns.push_back(output);
    set.flips.push_back(flipped ? -1 : 0);
    any_flip = any_flip || flipped;
    largest = std::max(largest, sum);
  }
  set.flips.resize(
      any_flip ? static_cast<std::size_t>(strips_of(static_cast<int>(set.columns.size()))) * kStrip : 0);
  set.negate = (cut.sign < 0) != (array == 1);
  set.conversion = {.limit = std::min(limit, largest), .drop = drop, .analog = l.analog};
  set.shift = cut.shift + drop;
  const std::int64_t rounding = drop > 0 ? std::int64_t{1} << drop : 0;
  set.narrow = largest + rounding < kNarrowLimit;
  set.on_planes = set.narrow && widest_chunk(l) * cut.width <= plane_pair_limit();
  // Cells, and differences of cells, beyond a signed byte take two.
  set.limbs = cut.width > 7 ? 2 : 1;
  return set;
}

/// Gives every set its place among the cells, and the chunks their groups.
void LayerPlan::place_sets() {
  const slice::SlicedLayer& l = *layer;
  std::size_t plane_size = 0;
  std::size_t sum_size = 0;
  std::int64_t narrow_limit = 0;
  std::int64_t wide_limit = 0;
  for (ConvertingSet& set : sets) {
    const int rows = l.blocks[static_cast<std::size_t>(set.block)].rows();
    const auto width = static_cast<std::size_t>(l.slices[static_cast<std::size_t>(set.slice)].width);
    const auto set_columns =
        static_cast<std::size_t>(strips_of(static_cast<int>(set.columns.size()))) * kStrip;
    if (set.on_planes) {
      const std::size_t size = set_columns * width * static_cast<std::size_t>(words_of(rows));
      set.cells = plane_size;
      set.partner = plane_size + size;
      plane_size += l.analog ? 2 * size : size;
    } else {
      set.cells = sum_size;
      sum_size += set_columns * static_cast<std::size_t>(quads_of(rows)) * kQuad *
                  static_cast<std::size_t>(set.limbs);
    }
    std::int64_t& limit = set.narrow ? narrow_limit : wide_limit;
    limit = std::max(limit, set.conversion.limit);
  }
  plane_cells.resize(plane_size);
  sum_cells.resize(sum_size);
  narrow_groups = group_chunks(l.chunks, narrow_limit, kNarrowLimit);
  wide_groups = group_chunks(l.chunks, wide_limit, kWideLimit);
}

void LayerPlan::sum_levels() {
  const slice::SlicedLayer& l = *layer;
  row_levels.resize(static_cast<std::size_t>(l.groups) * l.rows_per_group);
  // A few blocks after another, so that columns are read as they lie in memory.
  const tbb::blocked_range2d<int> all(0, l.groups, 1, 0, static_cast<int>(l.blocks.size()), 32);
  const auto sum_blocks = [&](const tbb::blocked_range2d<int>& part) {
    const int first_row = l.blocks[static_cast<std::size_t>(part.cols().begin())].first;
    const int last_row = l.blocks[static_cast<std::size_t>(part.cols().end()) - 1].last;
    for (int group = part.rows().begin(); group < part.rows().end(); ++group) {
      std::vector<std::int32_t> levels(static_cast<std::size_t>(last_row - first_row), 0);
      for (int array = 0; array < l.arrays; ++array)
        for (int output = 0; output < l.outputs_per_group; ++output)
          for (int block = part.cols().begin(); block < part.cols().end(); ++block)
            add_levels(array, group, output, block,
                       levels.data() + l.blocks[static_cast<std::size_t>(block)].first - first_row);
      std::copy(levels.begin(), levels.end(),
                row_levels.begin() + static_cast<std::ptrdiff_t>(group) * l.rows_per_group + first_row);
    }
  };
  tbb::parallel_for(all, sum_blocks, tbb::simple_partitioner());
}

/// Adds the cells of one column of a block, as stored, to `levels`, by row of the block.
void LayerPlan::add_levels(int array, int group, int output, int block, std::int32_t* levels) const {
  const slice::SlicedLayer& l = *layer;
  const slice::RowBlock range = l.blocks[static_cast<std::size_t>(block)];
  std::array<CellCut, kMostSlices> cuts;
  for (std::size_t s = 0; s < l.slices.size(); ++s) {
    const std::uint32_t mask = (1u << l.slices[s].width) - 1;
    const bool flipped =
        l.is_flipped(array, block, static_cast<int>(s), group * l.outputs_per_group + output);
    cuts[s] = {.shift = l.slices[s].shift, .mask = mask, .flip = flipped ? mask : 0};
  }
  add_cells({.codes = l.column(array, group, output) + range.first,
             .rows = range.rows(),
             .cuts = std::span(cuts).first(l.slices.size())},
            levels);
}

std::int64_t LayerPlan::bytes() const {
  std::size_t held = plane_cells.size() * sizeof(std::uint16_t) + sum_cells.size() + product_weights.size() +
                     (constant.size() + row_levels.size()) * sizeof(std::int64_t);
  for (const ConvertingSet& set : sets) {
    held += (set.columns.size() + set.flips.size()) * sizeof(std::int32_t);
  }
  return static_cast<std::int64_t>(held);
}

}  // namespace bitline::engine
