// SPDX-License-Identifier: Apache-2.0
#include "sim/engine/workspace.h"

#include <algorithm>

namespace bitline::engine {
namespace {

constexpr std::size_t kTileBytes = std::size_t{512} << 10;
constexpr std::size_t kMinPositions = 4;   // what the matrix product takes at a time
constexpr std::size_t kMaxPositions = 64;  // the kernels count clips of 16 chunks x this many in 16 bits

std::size_t largest_block(const LayerPlan& plan) {
  int rows = 0;
  for (const slice::RowBlock& block : plan.layer->blocks) rows = std::max(rows, block.rows());
  return static_cast<std::size_t>(rows);
}

std::size_t round_up(std::size_t value, std::size_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

bool uses_sums(const LayerPlan& plan) {
  return std::any_of(plan.sets.begin(), plan.sets.end(),
                     [](const ConvertingSet& set) { return !set.on_planes; });
}

}  // namespace

int tile_positions(const LayerPlan& plan) {
  const slice::SlicedLayer& layer = *plan.layer;
  const std::size_t inputs = static_cast<std::size_t>(layer.groups) * layer.rows_per_group;
  const std::size_t outputs = static_cast<std::size_t>(layer.groups) * plan.columns;
  std::size_t bytes = inputs * sizeof(std::int32_t) + outputs * sizeof(std::int64_t);
  if (uses_sums(plan)) bytes += layer.chunks.size() * plan.columns * sizeof(std::int32_t);
  const std::size_t fit = kTileBytes / std::max<std::size_t>(bytes, 1) / kMinPositions * kMinPositions;
  return static_cast<int>(std::clamp(fit, kMinPositions, kMaxPositions));
}

Workspace::Workspace(const LayerPlan& plan, int positions, std::size_t drive_sets) {
  const slice::SlicedLayer& layer = *plan.layer;
  const auto count = static_cast<std::size_t>(positions);
  const std::size_t rows = largest_block(plan);
  const std::size_t chunks = layer.chunks.size();
  const std::size_t segment = std::min(layer.rows_per_group, kMaxProductRows);
  codes.resize(count * layer.groups * layer.rows_per_group);
  y.resize(count * layer.groups * plan.columns);
  packed.resize(count * static_cast<std::size_t>(layer.outputs()));
  limbs.resize(static_cast<std::size_t>(plan.input_limbs) * count * round_up(segment, 2));
  block_codes.resize(round_up(rows, kWordRows));
  planes.resize(count * static_cast<std::size_t>(layer.activation_bits) * round_up(rows, kWordRows) /
                kWordRows);
  input_sums.resize(count);
  if (uses_sums(plan)) {
    chunk_codes.resize(count * chunks * round_up(rows, 2));
    sums.resize(count * chunks * plan.columns);
  }
  clipped.resize(layer.slices.size());
  driven.resize(drive_sets * count * chunks);
  driven_rows.resize(drive_sets);
  zero_reads.resize(drive_sets);
}

}  // namespace bitline::engine
