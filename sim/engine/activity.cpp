// SPDX-License-Identifier: Apache-2.0
#include "sim/engine/activity.h"

#include <algorithm>
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
      by_block_and_group_(layer.blocks.size() * static_cast<std::size_t>(layer.groups)) {
  for (std::size_t i = 0; i < sets_.size(); ++i) {
    const place::DriveSet& set = sets_[i];
    BITLINE_CHECK(set.block >= 0 && set.block < static_cast<int>(layer.blocks.size()));
    BITLINE_CHECK(set.group_first >= 0 && set.group_count > 0 &&
                  set.group_first + set.group_count <= layer.groups);
    BITLINE_CHECK(set.columns_per_slice.size() == layer.slices.size());
    for (int group = set.group_first; group < set.group_first + set.group_count; ++group) {
      by_block_and_group_[static_cast<std::size_t>(set.block) * layer.groups + group].push_back(i);
    }
  }
}

std::int64_t DriveIndex::zero_chunks(std::uint32_t bits) const {
  return std::count_if(layer_.chunks.begin(), layer_.chunks.end(), [bits](const slice::InputChunk& chunk) {
    return ((bits >> chunk.shift) & ((1u << chunk.width) - 1)) == 0;
  });
}

void DriveIndex::start_tile(int count, Workspace& work) const {
  std::fill_n(work.set_bits.begin(), sets_.size() * static_cast<std::size_t>(count), std::uint16_t{0});
}

void DriveIndex::take_bits(int block, int group, int count, Workspace& work) const {
  const auto positions = static_cast<std::size_t>(count);
  for (const std::size_t set : by_block_and_group_[static_cast<std::size_t>(block) * layer_.groups + group]) {
    std::uint16_t* bits = work.set_bits.data() + set * positions;
    for (std::size_t position = 0; position < positions; ++position) bits[position] |= work.any[position];
  }
}

void DriveIndex::end_tile(const LayerPlan& plan, int count, Workspace& work) const {
  const auto positions = static_cast<std::size_t>(count);
  const auto rows = static_cast<std::size_t>(layer_.rows_per_group);
  const CodesJob job{.codes = work.narrow.data(),
                     .stride = static_cast<std::size_t>(layer_.groups) * rows,
                     .positions = count,
                     .rows = static_cast<int>(rows) * layer_.groups};
  count_rows(job, layer_.chunks, work.row_driven.data(), work.row_sums.data());
  for (std::size_t row = 0; row < plan.row_levels.size(); ++row) {
    work.level_sum += work.row_sums[row] * plan.row_levels[row];
  }
  for (std::size_t i = 0; i < sets_.size(); ++i) {
    const place::DriveSet& set = sets_[i];
    const slice::RowBlock block = layer_.blocks[static_cast<std::size_t>(set.block)];
    for (int group = set.group_first; group < set.group_first + set.group_count; ++group) {
      const std::uint16_t* driven = work.row_driven.data() + static_cast<std::size_t>(group) * rows;
      work.driven_rows[i] = std::accumulate(driven + block.first, driven + block.last, work.driven_rows[i]);
    }
    if (!gate_) continue;
    const std::uint16_t* bits = work.set_bits.data() + i * positions;
    for (std::size_t position = 0; position < positions; ++position) {
      work.zero_reads[i] += zero_chunks(bits[position]);
    }
  }
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
        work.driven_rows[i] * (converted + total(set.partner_columns_per_slice) + set.reference_columns);
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
    activity.counts[Action::shift_add] += positions * set.centre_additions;
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
