// SPDX-License-Identifier: Apache-2.0
// The recurrence of the layer pipeline: when each window of each stage opens, has its inputs and is
// delivered, from the times of one window on an idle chip (stage_probe.h). Equations: README.md.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/analytic/stage_clock.h"
#include "sim/analytic/stage_probe.h"

namespace bitline::analytic {

struct PipelineTimes {
  explicit PipelineTimes(std::int64_t images);

  std::vector<Instant> image_start, image_end;  ///< [image]
  std::vector<StageTimes> stages;

  /// The next stage: when its windows were released, by window, and when the last was made.
  void add(const PipelineModel& model, const StageModel& stage, StageTimes times, const Instant* released,
           Instant last_made);
};

/// `images` one after another; `parts` as left by probe(). Throws base::SimulationError where the buffers of
/// the program block it.
[[nodiscard]] PipelineTimes run_pipeline(const place::Program& program, const PipelineModel& model,
                                         const Parts& parts, std::int64_t images);

}  // namespace bitline::analytic
