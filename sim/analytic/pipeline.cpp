// SPDX-License-Identifier: Apache-2.0
#include "sim/analytic/pipeline.h"

#include <algorithm>

#include "sim/analytic/coupled.h"
#include "sim/analytic/feed_forward.h"

namespace bitline::analytic {

using place::StageKind;

PipelineTimes::PipelineTimes(std::int64_t images)
    : image_start(static_cast<std::size_t>(images), -1), image_end(static_cast<std::size_t>(images), 0) {}

void PipelineTimes::add(const PipelineModel& model, const StageModel& stage, StageTimes times,
                        const Instant* released, Instant last_made) {
  times.last_end = last_made;
  for (const place::EdgeId e : stage.stage->outputs)
    times.last_end = std::max(times.last_end, last_made + model.edges[static_cast<std::size_t>(e)].delay);
  stages.push_back(times);
  const auto pixels = static_cast<std::size_t>(stage.stage->pixels);
  for (std::size_t i = 0; i < image_end.size(); ++i) {
    if (stage.stage->kind == StageKind::output)
      image_end[i] = std::max(image_end[i], released[(i + 1) * pixels - 1]);
    if (stage.stage->kind != StageKind::input) continue;
    const Instant start = released[i * pixels] - stage.read.front();
    image_start[i] = image_start[i] < 0 ? start : std::min(image_start[i], start);
  }
}

PipelineTimes run_pipeline(const place::Program& program, const PipelineModel& model, const Parts& parts,
                           std::int64_t images) {
  if (auto times = run_feed_forward(program, model, parts, images)) return std::move(*times);
  return run_coupled(program, model, parts, images);
}

}  // namespace bitline::analytic
