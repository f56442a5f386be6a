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
                        Instant last_made) {
  times.last_end = last_made;
  for (const place::EdgeId e : stage.stage->outputs)
    times.last_end = std::max(times.last_end, last_made + model.edges[static_cast<std::size_t>(e)].delay);
  stages.push_back(times);
}

void PipelineTimes::add_image(const StageModel& stage, std::size_t image, Instant first, Instant last) {
  if (stage.stage->kind == StageKind::output) image_end[image] = std::max(image_end[image], last);
  if (stage.stage->kind != StageKind::input) return;
  const Instant start = first - stage.read.front();
  image_start[image] = image_start[image] < 0 ? start : std::min(image_start[image], start);
}

PipelineTimes run_pipeline(const place::Program& program, const PipelineModel& model, const Parts& parts,
                           std::int64_t images) {
  if (auto times = run_feed_forward(program, model, parts, images)) return std::move(*times);
  return run_coupled(program, model, parts, images);
}

}  // namespace bitline::analytic
