// SPDX-License-Identifier: Apache-2.0
// Counts what the inputs make the crossbars do. A drive set is one read step of a set of crossbars on the
// same rows; its non-zero rows and its reads without any are counted, everything else follows from them
// (README.md).
#pragma once

#include <cstdint>
#include <vector>

#include "sim/engine/layer_function.h"
#include "sim/engine/layer_plan.h"
#include "sim/engine/workspace.h"

namespace bitline::engine {

class DriveIndex {
 public:
  /// Throws std::logic_error where a drive set names a block, group or slice that the layer does not have.
  DriveIndex(const slice::SlicedLayer& layer, std::vector<place::DriveSet> sets, bool gate_zero_chunks);

  [[nodiscard]] bool active() const { return !sets_.empty(); }
  /// Whether reads without a driven row make a difference.
  [[nodiscard]] bool counts_reads() const { return gate_ && active(); }
  [[nodiscard]] const std::vector<place::DriveSet>& sets() const { return sets_; }

  /// For a tile of `count` positions: clears the bits of the drive sets; takes those of a block and group
  /// (Workspace::any); then counts the tile's rows and reads.
  void start_tile(int count, Workspace& work) const;
  void take_bits(int block, int group, int count, Workspace& work) const;
  void end_tile(const LayerPlan& plan, int count, Workspace& work) const;

  [[nodiscard]] LayerActivity none() const;
  /// Adds one thread's totals: driven rows, and (negative) the conversions that gating left out.
  void add(const Workspace& work, LayerActivity& activity) const;
  /// Adds the conversions of every read, gated or not: together with add() the conversions made.
  void finish(std::int64_t positions, LayerActivity& activity) const;

 private:
  [[nodiscard]] std::int64_t zero_chunks(std::uint32_t bits) const;

  const slice::SlicedLayer& layer_;
  std::vector<place::DriveSet> sets_;
  bool gate_;
  std::vector<std::vector<std::size_t>> by_block_and_group_;  ///< [block * groups + group]
};

}  // namespace bitline::engine
