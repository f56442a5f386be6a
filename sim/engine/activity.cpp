// SPDX-License-Identifier: Apache-2.0
#include "sim/engine/activity.h"

#include <algorithm>
#include <bit>
#include <numeric>

#include "models/base/errors.h"

namespace bitline::engine {
namespace {

using base::Action;

std::int64_t total(const std::vector<std::int64_t>& counts) {
  return std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
}

void add_all(std::vector<std::int64_t>& to, const std::vector<std::int64_t>& from) {
  to.resize(std::max(to.size(), from.size()), 0);
  for (std::size_t i = 0; i < from.size(); ++i) to[i] += from[i];
}

/// Rows that a chunk drives with something other than zero.
std::int32_t nonzero_rows(const std::uint32_t* planes, const slice::InputChunk& chunk, int words) {
  std::int32_t rows = 0;
  for (int w = 0; w < words; ++w) {
    std::uint32_t any = 0;
    for (int bit = chunk.shift; bit < chunk.shift + chunk.width; ++bit) any |= planes[bit * words + w];
    rows += std::popcount(any & 0xffffu);
  }
  return rows;
}

/// Sum over the chunks of an input code: what the row is driven with altogether.
std::int64_t chunk_sum(std::uint32_t code, const std::vector<slice::InputChunk>& chunks) {
  std::int64_t sum = 0;
  for (const slice::InputChunk& chunk : chunks) sum += (code >> chunk.shift) & ((1u << chunk.width) - 1);
  return sum;
}

}  // namespace

LayerActivity& LayerActivity::operator+=(const LayerActivity& other) {
  counts += other.counts;
  add_all(conversions_per_slice, other.conversions_per_slice);
  slice_conversions.resize(std::max(slice_conversions.size(), other.slice_conversions.size()));
  for (std::size_t s = 0; s < other.slice_conversions.size(); ++s)
    for (std::size_t bits = 0; bits < other.slice_conversions[s].size(); ++bits)
      slice_conversions[s][bits] += other.slice_conversions[s][bits];
  add_all(clipped_per_slice, other.clipped_per_slice);
  windows += other.windows;
  return *this;
}

DriveIndex::DriveIndex(const slice::SlicedLayer& layer, std::vector<place::DriveSet> sets,
                       bool gate_zero_chunks)
    : layer_(layer),
      sets_(std::move(sets)),
      gate_(gate_zero_chunks),
      by_block_(layer.blocks.size()),
      by_block_and_group_(layer.blocks.size() * static_cast<std::size_t>(layer.groups)) {
  for (std::size_t i = 0; i < sets_.size(); ++i) {
    const place::DriveSet& set = sets_[i];
    BITLINE_CHECK(set.block >= 0 && set.block < static_cast<int>(layer.blocks.size()));
    BITLINE_CHECK(set.group_first >= 0 && set.group_count > 0 &&
                  set.group_first + set.group_count <= layer.groups);
    BITLINE_CHECK(set.columns_per_slice.size() == layer.slices.size());
    by_block_[static_cast<std::size_t>(set.block)].push_back(i);
    for (int group = set.group_first; group < set.group_first + set.group_count; ++group) {
      by_block_and_group_[static_cast<std::size_t>(set.block) * layer.groups + group].push_back(i);
    }
  }
}

void DriveIndex::start_block(int block, int count, Workspace& work) const {
  const std::size_t reads = static_cast<std::size_t>(count) * layer_.chunks.size();
  for (const std::size_t set : by_block_[static_cast<std::size_t>(block)]) {
    std::fill_n(work.driven.data() + set * reads, reads, 0);
  }
}

void DriveIndex::count_rows(int block, int group, int words, int count, Workspace& work) const {
  const std::size_t chunks = layer_.chunks.size();
  const std::size_t reads = static_cast<std::size_t>(count) * chunks;
  const std::size_t plane_stride = static_cast<std::size_t>(layer_.activation_bits) * words;
  const auto& sets = by_block_and_group_[static_cast<std::size_t>(block) * layer_.groups + group];
  if (sets.empty()) return;
  for (int position = 0; position < count; ++position) {
    const std::uint32_t* planes = work.planes.data() + static_cast<std::size_t>(position) * plane_stride;
    for (std::size_t k = 0; k < chunks; ++k) {
      const std::int32_t rows = nonzero_rows(planes, layer_.chunks[k], words);
      for (const std::size_t set : sets) {
        work.driven[set * reads + static_cast<std::size_t>(position) * chunks + k] += rows;
      }
    }
  }
}

void DriveIndex::end_block(int block, int count, Workspace& work) const {
  const std::size_t reads = static_cast<std::size_t>(count) * layer_.chunks.size();
  for (const std::size_t set : by_block_[static_cast<std::size_t>(block)]) {
    const std::int32_t* driven = work.driven.data() + set * reads;
    work.driven_rows[set] += std::accumulate(driven, driven + reads, std::int64_t{0});
    work.zero_reads[set] += std::count(driven, driven + reads, 0);
  }
}

std::int64_t DriveIndex::level_sum(const LayerPlan& plan, const std::int32_t* codes, int count) const {
  const std::uint32_t mask = (1u << layer_.activation_bits) - 1;
  const std::size_t rows = plan.row_levels.size();
  std::int64_t sum = 0;
  for (int position = 0; position < count; ++position, codes += rows) {
    if (layer_.dac_bits == 1) {
      for (std::size_t i = 0; i < rows; ++i) {
        sum += std::popcount(static_cast<std::uint32_t>(codes[i]) & mask) * plan.row_levels[i];
      }
    } else {
      for (std::size_t i = 0; i < rows; ++i) {
        sum += chunk_sum(static_cast<std::uint32_t>(codes[i]) & mask, layer_.chunks) * plan.row_levels[i];
      }
    }
  }
  return sum;
}

LayerActivity DriveIndex::none() const {
  LayerActivity activity;
  activity.conversions_per_slice.resize(layer_.slices.size());
  activity.slice_conversions.resize(layer_.slices.size());
  activity.clipped_per_slice.resize(layer_.slices.size());
  return activity;
}

void DriveIndex::add(const Workspace& work, LayerActivity& activity) const {
  for (std::size_t s = 0; s < work.clipped.size(); ++s) {
    activity.clipped_per_slice[s] += work.clipped[s];
    activity.counts.clipped += work.clipped[s];
  }
  activity.counts.cell_level_sum += work.level_sum;
  for (std::size_t i = 0; i < sets_.size(); ++i) {
    const place::DriveSet& set = sets_[i];
    const std::int64_t converted = total(set.columns_per_slice);
    activity.counts[Action::dac_drive] += work.driven_rows[i] * set.crossbars;
    activity.counts[Action::cell_read] +=
        work.driven_rows[i] * (converted + total(set.partner_columns_per_slice));
    if (!gate_) continue;
    activity.counts.gated += work.zero_reads[i] * converted;
    for (std::size_t s = 0; s < set.columns_per_slice.size(); ++s) {
      const int bits = layer_.adc_bits[static_cast<std::size_t>(set.block)][s];
      const std::int64_t skipped = work.zero_reads[i] * set.columns_per_slice[s];
      activity.conversions_per_slice[s] -= skipped;
      activity.slice_conversions[s][static_cast<std::size_t>(bits)] -= skipped;
      activity.counts.conversions[static_cast<std::size_t>(bits)] -= skipped;
      activity.counts[Action::sample_hold] -= skipped;
      activity.counts[Action::shift_add] -= skipped;
    }
  }
}

void DriveIndex::finish(std::int64_t positions, LayerActivity& activity) const {
  activity.windows = positions;
  const std::int64_t reads = positions * static_cast<std::int64_t>(layer_.chunks.size());
  for (const place::DriveSet& set : sets_) {
    for (std::size_t s = 0; s < set.columns_per_slice.size(); ++s) {
      const int bits = layer_.adc_bits[static_cast<std::size_t>(set.block)][s];
      const std::int64_t conversions = reads * set.columns_per_slice[s];
      activity.conversions_per_slice[s] += conversions;
      activity.slice_conversions[s][static_cast<std::size_t>(bits)] += conversions;
      activity.counts.conversions[static_cast<std::size_t>(bits)] += conversions;
      activity.counts[Action::sample_hold] += conversions;
      activity.counts[Action::shift_add] += conversions;
    }
  }
}

}  // namespace bitline::engine
