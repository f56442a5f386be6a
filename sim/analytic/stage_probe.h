// SPDX-License-Identifier: Apache-2.0
// One window of every stage on an otherwise idle chip: how long after each other its fills, reads, drains,
// additions, digital work, packets and writes happen, what they keep busy, and how many actions they are.
#pragma once

#include <vector>

#include "mapper/place/program.h"
#include "models/base/actions.h"
#include "sim/analytic/ima_pace.h"
#include "sim/analytic/parts.h"
#include "sim/cycle/runner.h"

namespace bitline::analytic {

/// A copy of a layer (stages without crossbars have one).
struct Replica {
  Instant fill = 0;     ///< from a window's opening to its last IMA's input, the IMAs being free
  Instant drain = 0;    ///< from the results' being ready to the last one's having left its IMA
  Instant deliver = 0;  ///< from the results (digital: the window's having been read) to the first buffer
  base::ActionCounts actions;              ///< of one window, digital reads left out
  Parts::Loads fill_loads, deliver_loads;  ///< what a window keeps busy
};

/// What the recurrence (pipeline.h) needs of a stage. All times are whole, so that sums do not depend on
/// their order.
struct StageModel {
  const place::Stage* stage = nullptr;
  const place::LayerPlacement* layer = nullptr;
  ImaPace ima;  ///< the slowest of its IMAs
  boost::container::small_vector<Replica, 1> replicas;
  Instant fill_pace = 0;  ///< between the fills of consecutive windows
  Instant pace = 0;       ///< between the deliveries of consecutive windows
  /// Digital: by output pixel how long its read takes; one entry: the same for all. Input, output: of a pixel
  /// over the chip link.
  place::Shared<Instant> read;
  Parts::Loads read_loads;  ///< of the longest read
  // stages that reduce, per input pixel: its read, and its accumulation (latency included)
  Instant absorb = 0, absorb_latency = 0, accumulate = 0, accumulate_latency = 0;
  base::ActionCounts reads;  ///< of digital stages, per image: reads of windows and the work of reducing them
};

struct EdgeModel {
  const place::Edge* edge = nullptr;
  Instant delay = 0;  ///< from the first buffer's having a pixel to this one's
};

struct PipelineModel {
  std::vector<StageModel> stages;
  std::vector<EdgeModel> edges;
};

/// Adds to `parts` what an image keeps busy. Throws std::logic_error for a program that contradicts itself.
[[nodiscard]] PipelineModel probe(const place::Program& program, const arch::Arch& arch,
                                  const std::vector<cycle::LayerSource>& layers, Parts& parts);

}  // namespace bitline::analytic
