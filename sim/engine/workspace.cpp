// SPDX-License-Identifier: Apache-2.0
#include "sim/engine/workspace.h"

#include <algorithm>

namespace bitline::engine {
namespace {

constexpr std::size_t kTileBytes = std::size_t{512} << 10;
constexpr std::size_t kMinPositions = 4;
constexpr int kNarrowBits = 15;  // shifts beyond are of wide groups only

std::size_t largest_block(const LayerPlan& plan) {
  int rows = 0;
  for (const slice::RowBlock& block : plan.layer->blocks) rows = std::max(rows, block.rows());
  return static_cast<std::size_t>(rows);
}

std::size_t round_up(std::size_t value, std::size_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

std::uint32_t bits_of(const slice::InputChunk& chunk) {
  return ((1u << chunk.width) - 1) << chunk.shift;
}

}  // namespace

void ReadList::fill(const std::vector<std::uint16_t>& any, int positions,
                    std::span<const slice::InputChunk> chunks, std::span<const ChunkGroup> chunk_groups) {
  reads.clear();
  groups.clear();
  for (int position = 0; position < positions; ++position) {
    const std::uint32_t bits = any[static_cast<std::size_t>(position)];
    for (const ChunkGroup& joined : chunk_groups) {
      const int first = static_cast<int>(reads.size());
      for (int k = joined.first; k < joined.last; ++k) {
        const slice::InputChunk& chunk = chunks[static_cast<std::size_t>(k)];
        if ((bits & bits_of(chunk)) == 0) continue;
        const int shift = chunk.shift - joined.shift;
        const auto factors = static_cast<std::int32_t>(shift < kNarrowBits ? 0x10001u << shift : 0);
        reads.push_back({position, chunk.shift, chunk.width, shift, factors});
      }
      const int last = static_cast<int>(reads.size());
      if (last > first) groups.push_back({position, joined.shift, joined.sign < 0, first, last});
    }
  }
}

int tile_positions(const LayerPlan& plan) {
  const slice::SlicedLayer& layer = *plan.layer;
  const std::size_t inputs = static_cast<std::size_t>(layer.groups) * layer.rows_per_group;
  const std::size_t outputs = static_cast<std::size_t>(layer.groups) * plan.columns;
  const std::size_t bytes =
      inputs * (sizeof(std::int32_t) + sizeof(std::uint16_t)) + outputs * sizeof(std::int64_t);
  const std::size_t fit = kTileBytes / std::max<std::size_t>(bytes, 1) / kMinPositions * kMinPositions;
  return static_cast<int>(std::clamp(fit, kMinPositions, static_cast<std::size_t>(kMaxPositions)));
}

Workspace::Workspace(const LayerPlan& plan, int positions, std::size_t drive_sets) {
  const slice::SlicedLayer& layer = *plan.layer;
  const auto count = static_cast<std::size_t>(positions);
  const std::size_t rows = largest_block(plan);
  const std::size_t inputs = static_cast<std::size_t>(layer.groups) * layer.rows_per_group;
  const std::size_t reads = count * layer.chunks.size();
  codes.resize(count * inputs);
  narrow.resize(count * inputs + kSlack);
  y.resize(count * layer.groups * plan.columns);
  packed.resize(count * static_cast<std::size_t>(layer.outputs()));
  if (!plan.segments.empty()) {
    const std::size_t segment = std::min(layer.rows_per_group, kMaxRows);
    limbs.resize(round_up(count, kReadTile) * round_up(segment, kRowTile));
  }
  any.resize(count);
  for (const ConvertingSet& set : plan.sets) {
    if (set.on_planes && planes.empty()) {
      planes.resize(reads * layer.dac_bits * round_up(rows, kWordRows) / kWordRows);
    } else if (!set.on_planes && chunk_codes.empty()) {
      chunk_codes.resize(round_up(reads, kReadTile) * round_up(rows, kRowTile));
    }
  }
  for (ReadList* list : {&narrow_reads, &wide_reads}) {
    list->reads.reserve(reads);
    list->groups.reserve(reads);
  }
  clipped.resize(layer.slices.size());
  set_bits.resize(drive_sets * count);
  row_driven.resize(inputs + kSlack);
  row_sums.resize(inputs + kSlack);
  driven_rows.resize(drive_sets);
  zero_reads.resize(drive_sets);
}

}  // namespace bitline::engine
