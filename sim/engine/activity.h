// SPDX-License-Identifier: Apache-2.0
// Counts what the inputs make the crossbars do. A drive set is one read step of a set of crossbars on the
// same rows; per read only its non-zero rows have to be counted, everything else follows from that
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
  [[nodiscard]] const std::vector<place::DriveSet>& sets() const { return sets_; }

  /// For `count` positions: clears the row counts of the block's drive sets, adds the rows of one group (from
  /// the bit planes in `work`), and takes the totals per read.
  void start_block(int block, int count, Workspace& work) const;
  void count_rows(int block, int group, int words, int count, Workspace& work) const;
  void end_block(int block, int count, Workspace& work) const;
  /// Sum of x*c over all reads and cells of `count` positions.
  [[nodiscard]] std::int64_t level_sum(const LayerPlan& plan, const std::int32_t* codes, int count) const;

  [[nodiscard]] LayerActivity none() const;
  /// Adds one thread's totals: driven rows, and (negative) the conversions that gating left out.
  void add(const Workspace& work, LayerActivity& activity) const;
  /// Adds the conversions of every read, gated or not: together with add() the conversions made.
  void finish(std::int64_t positions, LayerActivity& activity) const;

 private:
  const slice::SlicedLayer& layer_;
  std::vector<place::DriveSet> sets_;
  bool gate_;
  std::vector<std::vector<std::size_t>> by_block_;
  std::vector<std::vector<std::size_t>> by_block_and_group_;  ///< [block * groups + group]
};

}  // namespace bitline::engine
