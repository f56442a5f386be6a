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

  /// The next stage: when its windows were released (`released[w]`), and when the last was made.
  template <class Released>
  void add(const PipelineModel& model, const StageModel& stage, StageTimes times, const Released& released,
           Instant last_made) {
    add(model, stage, times, last_made);
    for (std::size_t i = 0; i < image_end.size(); ++i) {
      const auto first = static_cast<std::int64_t>(i) * stage.stage->pixels;
      add_image(stage, i, released[first], released[first + stage.stage->pixels - 1]);
    }
  }

 private:
  void add(const PipelineModel& model, const StageModel& stage, StageTimes times, Instant last_made);
  /// When the first and the last window of an image were released.
  void add_image(const StageModel& stage, std::size_t image, Instant first, Instant last);
};

/// `images` one after another; `parts` as left by probe(). Throws base::SimulationError where the buffers of
/// the program block it.
[[nodiscard]] PipelineTimes run_pipeline(const place::Program& program, const PipelineModel& model,
                                         const Parts& parts, std::int64_t images);

}  // namespace bitline::analytic
