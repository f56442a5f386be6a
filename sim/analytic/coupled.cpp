// SPDX-License-Identifier: Apache-2.0
#include "sim/analytic/coupled.h"

#include <algorithm>
#include <utility>

#include "models/base/errors.h"
#include "sim/analytic/contention.h"
#include "sim/analytic/stage_clock.h"

namespace bitline::analytic {
namespace {

using place::StageKind;
using place::Window;

std::size_t at(int i) {
  return static_cast<std::size_t>(i);
}

struct Run {
  explicit Run(StageClock stage_clock) : clock(std::move(stage_clock)) {}
  StageClock clock;
  std::vector<Instant> released, made;         ///< [window]; consumers see raster order
  std::vector<Instant> absorbed, accumulated;  ///< [input pixel] of stages that reduce
  std::vector<Instant> image_drained;          ///< [image] its results have left all IMAs
  std::int64_t windows = 0, image = 0, pixel = 0;
  Instant absorb_free = 0, accumulate_free = 0;
};

class Pipeline {
 public:
  Pipeline(const place::Program& program, const PipelineModel& model, const Parts& parts, std::int64_t images)
      : program_(program),
        model_(model),
        contention_(model, parts),
        images_(images),
        release_at_(model.edges.size(), 0) {
    runs_.reserve(model.stages.size());
    for (const StageModel& stage : model.stages) {
      Run& run = runs_.emplace_back(StageClock(stage, parts.arch(), contention_));
      run.windows = stage.stage->pixels * images_;
      run.released.reserve(static_cast<std::size_t>(run.windows));
      if (stage.stage->kind != StageKind::output) run.made.reserve(static_cast<std::size_t>(run.windows));
    }
  }

  PipelineTimes run() {
    for (bool progress = true; progress;) {
      progress = false;
      for (std::size_t s = 0; s < runs_.size(); ++s) progress |= advance(s);
    }
    return collect();
  }

 private:
  /// When a window can open: inputs there, places free.
  struct Ready {
    bool known = true;
    Instant input = 0, output = 0;
  };

  bool advance(std::size_t s) {
    const StageModel& m = model_.stages[s];
    Run& r = runs_[s];
    absorb(m, r);
    bool progress = false;
    while (r.clock.opened() < r.windows) {
      const Ready ready = when(m, r);
      if (!ready.known) break;
      open(m, r, ready);
      progress = true;
    }
    return progress;
  }

  [[nodiscard]] Ready when(const StageModel& m, const Run& r) {
    Ready ready;
    if (m.layer != nullptr && m.layer->after >= 0) ready = turn(m, r);
    for (const place::EdgeId e : m.stage->inputs) {
      const EdgeModel& edge = model_.edges[at(e)];
      const Run& producer = runs_[at(edge.edge->producer)];
      const std::int64_t needed = r.image * model_.stages[at(edge.edge->producer)].stage->pixels +
                                  edge.window->needed[static_cast<std::size_t>(r.pixel)];
      const bool reduces = edge.edge->window.kind == Window::Kind::reduce;
      const std::vector<Instant>& there = reduces ? r.accumulated : producer.made;
      if (needed > static_cast<std::int64_t>(there.size())) return {false, 0, 0};
      if (needed > 0)
        ready.input =
            std::max(ready.input, there[static_cast<std::size_t>(needed - 1)] + (reduces ? 0 : edge.delay));
    }
    for (const place::EdgeId e : m.stage->outputs) {
      const std::int64_t left = r.clock.opened() + 1 - model_.edges[at(e)].edge->capacity;
      if (left <= 0) continue;
      const Instant* place = released(e, left);
      if (place == nullptr) return {false, 0, 0};
      ready.output = std::max(ready.output, *place);
    }
    return ready;
  }

  /// When `pixels` of an edge have left its buffer; null: not known yet.
  const Instant* released(place::EdgeId e, std::int64_t pixels) {
    const EdgeModel& edge = model_.edges[at(e)];
    const Run& consumer = runs_[at(edge.edge->consumer)];
    if (edge.edge->window.kind == Window::Kind::reduce) {
      const auto index = static_cast<std::size_t>(pixels - 1);
      return index < consumer.absorbed.size() ? &consumer.absorbed[index] : nullptr;
    }
    const auto windows = static_cast<std::int64_t>(edge.window->released.size());
    const std::int64_t in_image = model_.stages[at(edge.edge->producer)].stage->pixels;
    std::int64_t& j = release_at_[at(e)];
    for (; j < static_cast<std::int64_t>(consumer.released.size()); ++j) {
      const std::int64_t gone =
          j / windows * in_image + edge.window->released[static_cast<std::size_t>(j % windows)];
      if (gone >= pixels) return &consumer.released[static_cast<std::size_t>(j)];
    }
    return nullptr;
  }

  /// Layers on the same crossbars take turns.
  [[nodiscard]] Ready turn(const StageModel& m, const Run& r) const {
    const place::LayerPlacement& before = program_.layers[at(m.layer->after)];
    const bool same_image = m.layer->after < m.stage->layer;
    const std::int64_t images = r.image + (same_image ? 1 : 0);
    const std::vector<Instant>& drained = runs_[at(before.stage)].image_drained;
    if (images > static_cast<std::int64_t>(drained.size())) return {false, 0, 0};
    return {true, images == 0 ? 0 : drained[static_cast<std::size_t>(images - 1)], 0};
  }

  static void open(const StageModel& m, Run& r, const Ready& ready) {
    const StageClock::Window window = r.clock.next(ready.input, ready.output);
    r.released.push_back(window.released);
    if (m.stage->kind != StageKind::output) r.made.push_back(window.made);
    if (++r.pixel < m.stage->pixels) return;
    r.pixel = 0;
    ++r.image;
    if (m.layer != nullptr) r.image_drained.push_back(r.clock.last_drain());
  }

  void absorb(const StageModel& m, Run& r) const {
    for (const place::EdgeId e : m.stage->inputs) {
      const EdgeModel& edge = model_.edges[at(e)];
      if (edge.edge->window.kind != Window::Kind::reduce) continue;
      const std::vector<Instant>& made = runs_[at(edge.edge->producer)].made;
      while (r.absorbed.size() < made.size()) {
        const Instant start = std::max(made[r.absorbed.size()] + edge.delay, r.absorb_free);
        r.absorb_free = start + m.absorb;
        r.absorbed.push_back(start + m.absorb_latency);
        const Instant from = std::max(r.absorbed.back(), r.accumulate_free);
        r.accumulate_free = from + m.accumulate;
        r.accumulated.push_back(from + m.accumulate_latency);
      }
    }
  }

  PipelineTimes collect() {
    PipelineTimes result(images_);
    for (std::size_t s = 0; s < runs_.size(); ++s) {
      const StageModel& m = model_.stages[s];
      const Run& r = runs_[s];
      if (r.clock.opened() < r.windows)
        throw base::SimulationError(
            {m.stage->name, "the pipeline stops here", "", "enlarge the edges' buffers"});
      result.add(model_, m, r.clock.times(), r.released.data(),
                 m.stage->kind == StageKind::output ? r.released.back() : r.made.back());
    }
    return result;
  }

  const place::Program& program_;
  const PipelineModel& model_;
  Contention contention_;
  std::int64_t images_;
  std::vector<std::int64_t>
      release_at_;  ///< [edge] window of the consumer that freed the last place asked for
  std::vector<Run> runs_;
};

}  // namespace

PipelineTimes run_coupled(const place::Program& program, const PipelineModel& model, const Parts& parts,
                          std::int64_t images) {
  return Pipeline(program, model, parts, images).run();
}

}  // namespace bitline::analytic
