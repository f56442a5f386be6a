// SPDX-License-Identifier: Apache-2.0
// The recurrence of the layer pipeline: when each window of each stage opens, has its inputs and is
// delivered, from the times of one window on an idle chip (stage_probe.h). Equations: README.md.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/analytic/stage_probe.h"

namespace bitline::analytic {

struct StageTimes {
  Instant first_start = 0;
  Instant last_end = 0;
  Instant busy = 0;
  Instant input_stall = 0;
  Instant output_stall = 0;
};

struct PipelineTimes {
  std::vector<Instant> image_start, image_end;  ///< [image]
  std::vector<StageTimes> stages;
};

/// `images` one after another; `parts` as left by probe(). Throws base::SimulationError where the buffers of
/// the program block it.
[[nodiscard]] PipelineTimes run_pipeline(const place::Program& program, const PipelineModel& model,
                                         const Parts& parts, std::int64_t images);

}  // namespace bitline::analytic
