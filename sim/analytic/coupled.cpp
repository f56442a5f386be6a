// SPDX-License-Identifier: Apache-2.0
#include "sim/analytic/coupled.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "models/base/errors.h"
#include "sim/analytic/contention.h"
#include "sim/analytic/stage_clock.h"

namespace bitline::analytic {
namespace {

using place::Window;

std::size_t at(int i) {
  return static_cast<std::size_t>(i);
}

/// Windows, or pixels, of several images: of so few that subtracting is quicker than dividing.
struct Images {
  std::int64_t whole = 0, rest = 0;
  Images(std::int64_t windows, std::int64_t each) : rest(windows) {
    for (; rest >= each; rest -= each) ++whole;
  }
};

struct Run {
  explicit Run(StageClock stage_clock) : clock(std::move(stage_clock)) {}
  StageClock clock;
  std::vector<Instant> released, made;         ///< [window]; consumers see raster order
  std::vector<Instant> absorbed, accumulated;  ///< [input pixel] of stages that reduce
  std::vector<Instant> image_drained;          ///< [image] its results have left all IMAs
  std::int64_t windows = 0;
  Instant absorb_free = 0, accumulate_free = 0;
  bool dirty = true;  ///< a neighbour has moved since it was looked at
};

class Pipeline {
 public:
  Pipeline(const place::Program& program, const PipelineModel& model, const Parts& parts, std::int64_t images)
      : program_(program), model_(model), contention_(model, parts), images_(images) {
    runs_.reserve(model.stages.size());
    for (const StageModel& stage : model.stages) {
      Run& run = runs_.emplace_back(StageClock(stage, parts.arch(), contention_));
      run.windows = stage.stage->pixels * images_;
      run.released.reserve(static_cast<std::size_t>(run.windows));
      run.made.reserve(static_cast<std::size_t>(run.windows));
    }
  }

  PipelineTimes run() {
    for (bool progress = true; progress;) {
      progress = false;
      for (std::size_t s = 0; s < runs_.size(); ++s) {
        if (!runs_[s].dirty) continue;
        runs_[s].dirty = false;
        progress |= advance(s);
      }
    }
    return collect();
  }

 private:
  /// All windows that can open with what is known.
  bool advance(std::size_t s) {
    const StageModel& m = model_.stages[s];
    Run& r = runs_[s];
    bool progress = absorb(m, r);
    for (;;) {
      const std::int64_t opened = r.clock.opened();
      const std::int64_t image_end = (Images(opened, m.stage->pixels).whole + 1) * m.stage->pixels;
      const std::int64_t count = std::min({known(m, r), r.windows, image_end}) - opened;
      if (count <= 0) break;
      open(m, r, count);
      progress = true;
    }
    if (progress) {
      for (const place::EdgeId e : m.stage->outputs)
        runs_[at(model_.edges[at(e)].edge->consumer)].dirty = true;
      for (const place::EdgeId e : m.stage->inputs)
        runs_[at(model_.edges[at(e)].edge->producer)].dirty = true;
    }
    return progress;
  }

  [[nodiscard]] bool reduces(place::EdgeId e) const {
    return model_.edges[at(e)].edge->window.kind == Window::Kind::reduce;
  }
  /// Of an image, on the edge.
  [[nodiscard]] std::int64_t pixels_of(place::EdgeId e) const {
    return model_.stages[at(model_.edges[at(e)].edge->producer)].stage->pixels;
  }

  /// Windows, from the first, of which it is known when their inputs are there and their results have places.
  [[nodiscard]] std::int64_t known(const StageModel& m, const Run& r) const {
    std::int64_t count = r.windows;
    for (const place::EdgeId e : m.stage->inputs) {
      const EdgeModel& edge = model_.edges[at(e)];
      const std::int64_t there = std::ssize(reduces(e) ? r.accumulated : runs_[at(edge.edge->producer)].made);
      const Images images(there, pixels_of(e));
      std::int64_t ready = images.whole * m.stage->pixels;
      if (images.whole < images_) ready += edge.window->ready[static_cast<std::size_t>(images.rest)];
      count = std::min(count, ready);
    }
    for (const place::EdgeId e : m.stage->outputs) {
      const EdgeModel& edge = model_.edges[at(e)];
      const Run& consumer = runs_[at(edge.edge->consumer)];
      std::int64_t gone = std::ssize(consumer.absorbed);
      if (!reduces(e)) {
        const std::int64_t done = std::ssize(consumer.released);
        const Images images(done, model_.stages[at(edge.edge->consumer)].stage->pixels);
        gone = images.whole * m.stage->pixels + edge.window->gone[static_cast<std::size_t>(images.rest)];
      }
      count = std::min(count, gone + edge.edge->capacity);
    }
    if (m.layer != nullptr && m.layer->after >= 0) {
      const std::int64_t image = r.clock.opened() / m.stage->pixels;
      if (turns_before(m, image) > std::ssize(drained_before(m))) return 0;
    }
    return count;
  }

  /// Layers on the same crossbars take turns: images of the one before that must have left them.
  static std::int64_t turns_before(const StageModel& m, std::int64_t image) {
    return image + (m.layer->after < m.stage->layer ? 1 : 0);
  }
  [[nodiscard]] const std::vector<Instant>& drained_before(const StageModel& m) const {
    return runs_[at(program_.layers[at(m.layer->after)].stage)].image_drained;
  }

  /// Opens windows of one image.
  void open(const StageModel& m, Run& r, std::int64_t count) {
    const std::int64_t first = r.clock.opened();
    const std::int64_t image = Images(first, m.stage->pixels).whole;
    const auto size = static_cast<std::size_t>(count);
    Instant turn = 0;
    if (m.layer != nullptr && m.layer->after >= 0) {
      const std::int64_t turns = turns_before(m, image);
      if (turns > 0) turn = drained_before(m)[static_cast<std::size_t>(turns - 1)];
    }
    input_.assign(size, turn);
    output_.assign(size, 0);
    open_.resize(std::max(open_.size(), size));
    for (const place::EdgeId e : m.stage->inputs) {
      const EdgeModel& edge = model_.edges[at(e)];
      const bool reduce = reduces(e);
      const Instant* there = (reduce ? r.accumulated : runs_[at(edge.edge->producer)].made).data();
      const Instant delay = reduce ? 0 : edge.delay;
      const std::int32_t* needed = edge.window->needed.data() + (first - image * m.stage->pixels);
      const std::int64_t before = image * pixels_of(e);
      for (std::size_t i = 0; i < size; ++i) {
        if (before + needed[i] > 0) input_[i] = std::max(input_[i], there[before + needed[i] - 1] + delay);
      }
    }
    for (const place::EdgeId e : m.stage->outputs) {
      const std::int64_t capacity = model_.edges[at(e)].edge->capacity;
      for (std::int64_t w = std::max(first, capacity); w < first + count; ++w) {
        Instant& place = output_[static_cast<std::size_t>(w - first)];
        place = std::max(place, gone(e, w - capacity));
      }
    }
    r.released.resize(r.released.size() + size);
    r.made.resize(r.made.size() + size);
    r.clock.next(count, input_.data(), output_.data(), open_.data(), r.released.data() + first,
                 r.made.data() + first);
    if (m.layer == nullptr || first + count < (image + 1) * m.stage->pixels) return;
    r.image_drained.push_back(r.clock.last_drain());
    for (const place::LayerPlacement& layer : program_.layers)
      if (layer.after == m.stage->layer) runs_[at(layer.stage)].dirty = true;
  }

  /// When pixel `p` of all images has left the edge's buffer.
  [[nodiscard]] Instant gone(place::EdgeId e, std::int64_t p) const {
    const EdgeModel& edge = model_.edges[at(e)];
    const Run& consumer = runs_[at(edge.edge->consumer)];
    if (reduces(e)) return consumer.absorbed[static_cast<std::size_t>(p)];
    const Images images(p, pixels_of(e));
    const std::int64_t each = model_.stages[at(edge.edge->consumer)].stage->pixels;
    return consumer.released[static_cast<std::size_t>(
        images.whole * each + edge.window->freed[static_cast<std::size_t>(images.rest)])];
  }

  bool absorb(const StageModel& m, Run& r) {
    bool progress = false;
    for (const place::EdgeId e : m.stage->inputs) {
      if (!reduces(e)) continue;
      const EdgeModel& edge = model_.edges[at(e)];
      const Run& producer = runs_[at(edge.edge->producer)];
      progress |= r.absorbed.size() < producer.made.size();
      while (r.absorbed.size() < producer.made.size()) {
        const Instant start = std::max(producer.made[r.absorbed.size()] + edge.delay, r.absorb_free);
        r.absorb_free = start + m.absorb;
        r.absorbed.push_back(start + m.absorb_latency);
        const Instant from = std::max(r.absorbed.back(), r.accumulate_free);
        r.accumulate_free = from + m.accumulate;
        r.accumulated.push_back(from + m.accumulate_latency);
      }
    }
    return progress;
  }

  PipelineTimes collect() {
    PipelineTimes result(images_);
    for (std::size_t s = 0; s < runs_.size(); ++s) {
      const StageModel& m = model_.stages[s];
      const Run& r = runs_[s];
      if (r.clock.opened() < r.windows)
        throw base::SimulationError(
            {m.stage->name, "the pipeline stops here", "", "enlarge the edges' buffers"});
      result.add(model_, m, r.clock.times(), r.released.data(), r.made.back());
    }
    return result;
  }

  const place::Program& program_;
  const PipelineModel& model_;
  Contention contention_;
  std::int64_t images_;
  std::vector<Run> runs_;
  std::vector<Instant> input_, output_, open_;  ///< of the windows that are opened
};

}  // namespace

PipelineTimes run_coupled(const place::Program& program, const PipelineModel& model, const Parts& parts,
                          std::int64_t images) {
  return Pipeline(program, model, parts, images).run();
}

}  // namespace bitline::analytic
