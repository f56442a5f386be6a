// SPDX-License-Identifier: Apache-2.0
// What one thread needs to run a tile of positions: buffers, allocated once, and the counts so far.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/engine/layer_plan.h"

namespace bitline::engine {

/// The reads of a row block that drive something, in the order of positions and chunks, and their groups.
struct ReadList {
  std::vector<Read> reads;
  std::vector<ReadGroup> groups;
  /// `any`: the bits that are set in any row of the block, by position. Reads that drive nothing are left
  /// out: their sums are 0 and so are their codes.
  void fill(const std::vector<std::uint16_t>& any, int positions, std::span<const slice::InputChunk> chunks,
            std::span<const ChunkGroup> chunk_groups);
};

struct Workspace {
  Workspace(const LayerPlan& plan, int positions, std::size_t drive_sets);

  std::vector<std::int32_t> codes;          ///< [position][group * rows + row]
  std::vector<std::uint16_t> narrow;        ///< the same in their low bits, kSlack more at the end
  AlignedVector<std::int64_t> y;            ///< [position][group * columns + column]
  std::vector<std::int64_t> packed;         ///< [position][output]
  AlignedVector<std::uint8_t> limbs;        ///< [position][row of the segment, padded]
  AlignedVector<std::uint32_t> planes;      ///< [position][input bit][word]
  AlignedVector<std::uint8_t> chunk_codes;  ///< [read][row of the block, padded]
  std::vector<std::uint16_t> any;           ///< [position]: bits set in any row of the block
  ReadList narrow_reads;                    ///< in the plan's narrow groups
  ReadList wide_reads;                      ///< the same reads in its wide groups

  std::vector<std::uint16_t> set_bits;    ///< [drive set][position]: bits set in any of its rows
  std::vector<std::uint16_t> row_driven;  ///< [group * rows + row]: chunks of a tile that are not zero
  std::vector<std::uint16_t> row_sums;    ///< the same: sum of all chunks
  std::vector<std::int64_t> clipped;      ///< per slice
  std::vector<std::int64_t> driven_rows;  ///< per drive set: non-zero rows over all reads
  std::vector<std::int64_t> zero_reads;   ///< per drive set: reads with no non-zero row
  std::int64_t level_sum = 0;
};

/// Positions that a tile holds: as many as keep the buffers within a core's second-level cache.
[[nodiscard]] int tile_positions(const LayerPlan& plan);

}  // namespace bitline::engine
