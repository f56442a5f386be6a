// SPDX-License-Identifier: Apache-2.0
#include "sim/analytic/feed_forward.h"

#include <algorithm>
#include <vector>

#include "sim/analytic/stage_runs.h"

namespace bitline::analytic {
namespace {

std::size_t at(int i) {
  return static_cast<std::size_t>(i);
}

/// Stages are run this many times on average, and kFewer times more, before the coupled pipeline is quicker.
constexpr std::size_t kRuns = 3, kFewer = 64;

/// Where a part is busier than that, who comes first matters: stages would each take it for themselves.
constexpr double kBusiest = 0.8;

class FeedForward {
 public:
  FeedForward(const PipelineModel& model, const Parts& parts, std::int64_t images)
      : model_(model), images_(images), runs_(model, parts, images), state_(model.stages.size()) {}

  /// Whether it comes to an end soon, with exact times.
  bool run() {
    if (runs_.busiest() > kBusiest) return false;
    std::size_t left = kRuns * state_.size() + kFewer;
    for (std::size_t s = 0; s < state_.size();) {
      if (!state_[s].dirty) {
        ++s;
        continue;
      }
      if (left-- == 0) return false;
      s = run_stage(s);
      if (!runs_.exact()) return false;
    }
    return true;
  }

  [[nodiscard]] PipelineTimes collect() const {
    PipelineTimes result(images_);
    for (std::size_t s = 0; s < state_.size(); ++s)
      result.add(model_, model_.stages[s], runs_[s].times, runs_[s].released, runs_[s].made.last());
    return result;
  }

 private:
  struct State {
    bool dirty = true;  ///< to be run
    bool ran = false;
    bool bound = false;  ///< places for results have had to be waited for
  };

  /// Runs a stage and marks those that are to run again for it; the first of them, or the next.
  std::size_t run_stage(std::size_t s) {
    const place::Stage& stage = *model_.stages[s].stage;
    State& state = state_[s];
    const StageRuns::Changes changes = runs_.run(s, state.bound);
    state.dirty = false;
    std::size_t next = s + 1;
    if (state.ran && changes.made) {
      for (const place::EdgeId e : stage.outputs)
        next = std::min(next, again(model_.edges[at(e)].edge->consumer));
    }
    state.ran = true;
    for (const place::EdgeId e : stage.inputs) {
      if (!changes.released || !runs_.held_up(e)) continue;
      const int producer = model_.edges[at(e)].edge->producer;
      state_[at(producer)].bound = true;
      next = std::min(next, again(producer));
    }
    return next;
  }

  std::size_t again(int stage) {
    state_[at(stage)].dirty = true;
    return at(stage);
  }

  const PipelineModel& model_;
  std::int64_t images_;
  StageRuns runs_;
  std::vector<State> state_;
};

}  // namespace

std::optional<PipelineTimes> run_feed_forward(const place::Program& program, const PipelineModel& model,
                                              const Parts& parts, std::int64_t images) {
  const bool turns = std::any_of(program.layers.begin(), program.layers.end(),
                                 [](const place::LayerPlacement& layer) { return layer.after >= 0; });
  if (turns) return std::nullopt;
  FeedForward stages(model, parts, images);
  if (!stages.run()) return std::nullopt;
  return stages.collect();
}

}  // namespace bitline::analytic
