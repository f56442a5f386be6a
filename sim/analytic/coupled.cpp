// SPDX-License-Identifier: Apache-2.0
#include "sim/analytic/coupled.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

#include "mapper/place/window_table.h"
#include "models/base/errors.h"
#include "sim/analytic/contention.h"
#include "sim/analytic/stage_clock.h"

namespace bitline::analytic {
namespace {

using place::Window;

std::size_t at(std::int64_t i) {
  return static_cast<std::size_t>(i);
}

/// Windows, or pixels, of several images: of so few that subtracting is quicker than dividing.
struct Images {
  std::int64_t whole = 0, rest = 0;
  Images(std::int64_t windows, std::int64_t each) : rest(windows) {
    for (; rest >= each; rest -= each) ++whole;
  }
};

struct Run;

/// An edge as its two stages look at it again and again.
struct Link {
  const Run *producer, *consumer;
  std::int64_t in_pixels, out_pixels;  ///< of an image
  std::int64_t capacity;
  Instant delay;
  bool reduces;
  const std::int32_t *needed, *ready, *gone, *freed;  ///< place::WindowTable
};

/// A stage, with its windows of all images.
struct Run {
  Run(const StageModel& model, StageClock stage_clock, std::int64_t images)
      : m(&model), clock(std::move(stage_clock)), pixels(model.stage->pixels), windows(pixels * images) {
    released.reset(new Instant[static_cast<std::size_t>(windows)]);
    made.reset(new Instant[static_cast<std::size_t>(windows)]);
  }
  const StageModel* m;
  StageClock clock;
  std::int64_t pixels, windows;                ///< of an image, of all
  std::unique_ptr<Instant[]> released, made;   ///< [window], of those opened; consumers see raster order
  std::vector<Instant> absorbed, accumulated;  ///< [input pixel] of stages that reduce
  std::vector<Instant> image_drained;          ///< [image] its results have left all IMAs
  std::vector<Link> inputs, outputs;
  Instant absorb_free = 0, accumulate_free = 0;
  bool dirty = true;  ///< a neighbour has moved since it was looked at
};

class Pipeline {
 public:
  Pipeline(const place::Program& program, const PipelineModel& model, const Parts& parts, std::int64_t images)
      : program_(program), model_(model), contention_(model, parts), images_(images) {
    runs_.reserve(model.stages.size());
    for (const StageModel& stage : model.stages)
      runs_.emplace_back(stage, StageClock(stage, parts.arch(), contention_, true), images);
    for (Run& run : runs_) {
      for (const place::EdgeId e : run.m->stage->inputs) run.inputs.push_back(link(model.edges[at(e)]));
      for (const place::EdgeId e : run.m->stage->outputs) run.outputs.push_back(link(model.edges[at(e)]));
    }
  }

  PipelineTimes run() {
    for (bool progress = true; progress;) {
      progress = false;
      for (Run& run : runs_) {
        if (!run.dirty) continue;
        run.dirty = false;
        progress |= advance(run);
      }
    }
    return collect();
  }

 private:
  [[nodiscard]] Link link(const EdgeModel& e) const {
    const Run &producer = runs_[at(e.edge->producer)], &consumer = runs_[at(e.edge->consumer)];
    const place::WindowTable& table = *e.edge->table;
    return {&producer,
            &consumer,
            producer.pixels,
            consumer.pixels,
            e.edge->capacity,
            e.delay,
            e.edge->window.kind == Window::Kind::reduce,
            table.needed.data(),
            table.ready.data(),
            table.gone.data(),
            table.freed.data()};
  }

  /// All windows that can open with what is known.
  bool advance(Run& r) {
    bool progress = absorb(r);
    for (;;) {
      const std::int64_t opened = r.clock.opened();
      const std::int64_t image_end = (Images(opened, r.pixels).whole + 1) * r.pixels;
      const std::int64_t can_open = std::min(known(r), r.windows);
      const std::int64_t count = std::min(can_open, image_end) - opened;
      if (count <= 0) break;
      open(r, count);
      progress = true;
      if (can_open < image_end) break;
    }
    if (progress) {
      for (const Link& output : r.outputs) run_of(output.consumer).dirty = true;
      for (const Link& input : r.inputs) run_of(input.producer).dirty = true;
    }
    return progress;
  }
  Run& run_of(const Run* run) { return runs_[static_cast<std::size_t>(run - runs_.data())]; }

  /// Windows, from the first, of which it is known when their inputs are there and their results have places.
  [[nodiscard]] std::int64_t known(const Run& r) const {
    std::int64_t count = r.windows;
    for (const Link& input : r.inputs) {
      const std::int64_t there = input.reduces ? std::ssize(r.accumulated) : input.producer->clock.opened();
      const Images images(there, input.in_pixels);
      std::int64_t ready = images.whole * r.pixels;
      if (images.whole < images_) ready += input.ready[images.rest];
      count = std::min(count, ready);
    }
    for (const Link& output : r.outputs) {
      std::int64_t gone = std::ssize(output.consumer->absorbed);
      if (!output.reduces) {
        const Images images(output.consumer->clock.opened(), output.out_pixels);
        gone = images.whole * r.pixels + output.gone[images.rest];
      }
      count = std::min(count, gone + output.capacity);
    }
    if (r.m->layer != nullptr && r.m->layer->after >= 0) {
      const std::int64_t image = r.clock.opened() / r.pixels;
      if (turns_before(*r.m, image) > std::ssize(drained_before(*r.m))) return 0;
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
  /// When the crossbars of a stage are its own for an image.
  [[nodiscard]] Instant turn(const StageModel& m, std::int64_t image) const {
    if (m.layer == nullptr || m.layer->after < 0) return 0;
    const std::int64_t turns = turns_before(m, image);
    return turns > 0 ? drained_before(m)[static_cast<std::size_t>(turns - 1)] : 0;
  }

  /// Opens windows of one image.
  void open(Run& r, std::int64_t count) {
    const std::int64_t first = r.clock.opened();
    const std::int64_t image = Images(first, r.pixels).whole;
    if (std::ssize(input_) < count) {
      for (auto* times : {&input_, &earliest_}) times->resize(static_cast<std::size_t>(count));
    }
    std::fill(input_.begin(), input_.begin() + count, turn(*r.m, image));
    for (const Link& input : r.inputs) {
      const Instant* there = input.reduces ? r.accumulated.data() : input.producer->made.get();
      const Instant delay = input.reduces ? 0 : input.delay;
      const std::int32_t* needed = input.needed + (first - image * r.pixels);
      const std::int64_t last = image * input.in_pixels - 1;
      for (std::int64_t i = 0; i < count; ++i) {
        Instant& time = input_[static_cast<std::size_t>(i)];
        if (last + needed[i] >= 0) time = std::max(time, there[last + needed[i]] + delay);
      }
    }
    std::copy_n(input_.begin(), count, earliest_.begin());
    for (const Link& output : r.outputs) {
      for (std::int64_t w = std::max(first, output.capacity); w < first + count; ++w) {
        Instant& earliest = earliest_[static_cast<std::size_t>(w - first)];
        earliest = std::max(earliest, gone(output, w - output.capacity));
      }
    }
    r.clock.next(count, input_.data(), earliest_.data(), &r.released[at(first)], &r.made[at(first)]);
    if (r.m->layer == nullptr || first + count < (image + 1) * r.pixels) return;
    r.image_drained.push_back(r.clock.last_drain());
    for (const place::LayerPlacement& layer : program_.layers)
      if (layer.after == r.m->stage->layer) runs_[at(layer.stage)].dirty = true;
  }

  /// When pixel `p` of all images has left the edge's buffer.
  static Instant gone(const Link& output, std::int64_t p) {
    if (output.reduces) return output.consumer->absorbed[at(p)];
    const Images images(p, output.in_pixels);
    return output.consumer->released[at(images.whole * output.out_pixels + output.freed[images.rest])];
  }

  bool absorb(Run& r) {
    bool progress = false;
    for (const Link& input : r.inputs) {
      if (!input.reduces) continue;
      const auto there = static_cast<std::size_t>(input.producer->clock.opened());
      progress |= r.absorbed.size() < there;
      while (r.absorbed.size() < there) {
        const Instant start = std::max(input.producer->made[r.absorbed.size()] + input.delay, r.absorb_free);
        r.absorb_free = start + r.m->absorb;
        r.absorbed.push_back(start + r.m->absorb_latency);
        const Instant from = std::max(r.absorbed.back(), r.accumulate_free);
        r.accumulate_free = from + r.m->accumulate;
        r.accumulated.push_back(from + r.m->accumulate_latency);
      }
    }
    return progress;
  }

  PipelineTimes collect() {
    PipelineTimes result(images_);
    for (const Run& r : runs_) {
      if (r.clock.opened() < r.windows)
        throw base::SimulationError(
            {r.m->stage->name, "the pipeline stops here", "", "enlarge the edges' buffers"});
      result.add(model_, *r.m, r.clock.times(), r.released.get(), r.made[at(r.windows - 1)]);
    }
    return result;
  }

  const place::Program& program_;
  const PipelineModel& model_;
  Contention contention_;
  std::int64_t images_;
  std::vector<Run> runs_;
  std::vector<Instant> input_, earliest_;  ///< of the windows that are opened
};

}  // namespace

PipelineTimes run_coupled(const place::Program& program, const PipelineModel& model, const Parts& parts,
                          std::int64_t images) {
  return Pipeline(program, model, parts, images).run();
}

}  // namespace bitline::analytic
