// SPDX-License-Identifier: Apache-2.0
// What one thread needs to run a tile of positions: buffers, allocated once, and the counts so far.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/engine/layer_plan.h"

namespace bitline::engine {

struct Workspace {
  Workspace(const LayerPlan& plan, int positions, std::size_t drive_sets);

  std::vector<std::int32_t> codes;         ///< [position][group * rows + row]
  std::vector<std::int64_t> y;             ///< [position][group * columns + column]
  std::vector<std::int64_t> packed;        ///< [position][output]
  std::vector<std::int16_t> limbs;         ///< [limb][position][row of the segment, even]
  std::vector<std::uint16_t> block_codes;  ///< one position's rows of a block, padded to whole words
  std::vector<std::uint32_t> planes;       ///< [position][input bit][word]
  std::vector<std::int64_t> input_sums;    ///< [position]
  std::vector<std::int16_t> chunk_codes;   ///< [position][chunk][row of the block, even]
  std::vector<std::int32_t> sums;          ///< [position][chunk][column]
  std::vector<std::int32_t> driven;        ///< [drive set of the block][position][chunk]: non-zero rows

  std::vector<std::int64_t> clipped;      ///< per slice
  std::vector<std::int64_t> driven_rows;  ///< per drive set: non-zero rows over all reads
  std::vector<std::int64_t> zero_reads;   ///< per drive set: reads with no non-zero row
  std::int64_t level_sum = 0;
};

/// Positions that a tile holds: as many as keep the buffers within a core's second-level cache.
[[nodiscard]] int tile_positions(const LayerPlan& plan);

}  // namespace bitline::engine
