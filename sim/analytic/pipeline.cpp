// SPDX-License-Identifier: Apache-2.0
#include "sim/analytic/pipeline.h"

#include <algorithm>

#include "models/base/errors.h"
#include "sim/analytic/contention.h"

namespace bitline::analytic {
namespace {

using place::StageKind;
using place::Window;

std::size_t at(int i) {
  return static_cast<std::size_t>(i);
}

Instant fs(base::Time time) {
  return static_cast<Instant>(time.fs());
}

/// Times of the last `size` items, counted from 0; those that never were are time 0.
class Ring {
 public:
  explicit Ring(int size) : times_(static_cast<std::size_t>(size), 0) {}
  [[nodiscard]] Instant operator[](std::int64_t i) const {
    return i < 0 ? 0 : times_[static_cast<std::size_t>(i) % times_.size()];
  }
  void set(std::int64_t i, Instant time) { times_[static_cast<std::size_t>(i) % times_.size()] = time; }

 private:
  std::vector<Instant> times_;
};

/// The MVMs of one copy of a layer (models/ima/README.md).
struct Mvms {
  Mvms(int input_buffers, int output_buffers) : latched(input_buffers), drained(output_buffers + 1) {}
  Ring latched, drained;
  Instant last_latch = 0;
};

struct Run {
  std::vector<Instant> released;  ///< [window] from when on its inputs are no longer needed
  std::vector<Instant> made;      ///< [window] when its first buffer has it; consumers see raster order
  std::vector<Instant> absorbed, accumulated;  ///< [input pixel] of stages that reduce
  std::vector<Instant> image_drained;          ///< [image] its results have left all IMAs
  std::vector<Mvms> copies;
  std::int64_t windows = 0, opened = 0, image = 0, pixel = 0;
  Instant last_open = 0, last_fill = 0, last_read = 0, last_drain = 0, idle = 0;
  Instant absorb_free = 0, accumulate_free = 0;
  StageTimes times;
};

class Pipeline {
 public:
  Pipeline(const place::Program& program, const PipelineModel& model, const Parts& parts, std::int64_t images)
      : program_(program),
        model_(model),
        arch_(parts.arch()),
        contention_(model, parts),
        images_(images),
        clock_(fs(base::period(parts.arch().ima.clock))),
        release_at_(model.edges.size(), 0) {
    runs_.resize(model.stages.size());
    for (std::size_t s = 0; s < runs_.size(); ++s) start(model.stages[s], runs_[s]);
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

  void start(const StageModel& m, Run& r) const {
    r.windows = m.stage->pixels * images_;
    r.released.reserve(static_cast<std::size_t>(r.windows));
    if (m.stage->kind != StageKind::output) r.made.reserve(static_cast<std::size_t>(r.windows));
    if (m.layer == nullptr) return;
    r.copies.assign(m.replicas.size(), {arch_.ima.input_register.buffers, arch_.ima.output_register.buffers});
  }

  bool advance(std::size_t s) {
    const StageModel& m = model_.stages[s];
    Run& r = runs_[s];
    absorb(m, r);
    bool progress = false;
    while (r.opened < r.windows) {
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
      const std::int64_t left = r.opened + 1 - model_.edges[at(e)].edge->capacity;
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

  void open(const StageModel& m, Run& r, const Ready& ready) {
    const Instant open = std::max({r.last_open, ready.input, ready.output});
    if (r.opened == 0) {
      r.times.first_start = open;
    } else if (open > r.idle) {
      const Instant input = std::max(0.0, ready.input - r.idle);
      r.times.input_stall += input;
      r.times.output_stall += open - r.idle - input;
    }
    r.last_open = open;
    if (m.layer != nullptr) {
      multiply(m, r, open);
    } else {
      read(m, r, open);
    }
    ++r.opened;
    if (++r.pixel < m.stage->pixels) return;
    r.pixel = 0;
    ++r.image;
    if (m.layer != nullptr) r.image_drained.push_back(r.last_drain);
  }

  void multiply(const StageModel& m, Run& r, Instant open) {
    const auto copies = static_cast<std::int64_t>(r.copies.size());
    const auto q = static_cast<std::size_t>(r.opened % copies);
    const std::int64_t n = r.opened / copies;
    const Replica& replica = m.replicas[q];
    Mvms& mvms = r.copies[q];
    const std::int64_t in_buffers = arch_.ima.input_register.buffers;
    const std::int64_t out_buffers = arch_.ima.output_register.buffers;

    const Instant asked = std::max(open, mvms.latched[n - in_buffers]);
    const Instant fill_wait = contention_.wait(m, q, Contention::fill, asked);
    r.last_fill = std::max(asked + fill_wait + replica.fill, r.last_fill + m.fill_pace);
    r.released.push_back(r.last_fill);
    const Instant filled = r.last_fill + fs(arch_.ima.input_register.latency);
    const Instant first_read = align_up(std::max(filled, mvms.last_latch), clock_);
    const Instant converted = n == 0 ? 0 : mvms.last_latch + m.ima.convert;
    const Instant place = n == 0 ? 0 : align_up(mvms.drained[n - 1 - out_buffers], clock_);
    mvms.last_latch = std::max({first_read + m.ima.first_read, converted, place}) + m.ima.tail;
    mvms.latched.set(n, mvms.last_latch);
    r.idle = std::max(r.idle, mvms.last_latch);
    const Instant added = mvms.last_latch + m.ima.convert + fs(arch_.ima.shift_add.latency);
    const Instant results =
        std::max(added, mvms.drained[n - out_buffers]) + fs(arch_.ima.output_register.latency);
    mvms.drained.set(n, results + replica.drain);
    r.last_drain = std::max(r.last_drain, results + replica.drain);
    make(m, r, results + contention_.wait(m, q, Contention::deliver, results) + replica.deliver);
  }

  void read(const StageModel& m, Run& r, Instant open) {
    const Instant asked = std::max(open, r.last_read);
    const Instant from = asked + contention_.wait(m, 0, Contention::read, asked);
    const Instant takes = m.read.size() == 1 ? m.read.front() : m.read[static_cast<std::size_t>(r.pixel)];
    r.last_read = from + takes;
    r.released.push_back(r.last_read);
    r.idle = r.last_read;
    if (m.stage->kind != StageKind::output)
      make(m, r,
           r.last_read + contention_.wait(m, 0, Contention::deliver, r.last_read) +
               m.replicas.front().deliver);
  }

  static void make(const StageModel& m, Run& r, Instant time) {
    const Instant before = r.made.empty() ? 0 : r.made.back();
    const bool first = r.made.empty();
    r.made.push_back(first ? time : std::max({time, before, before + m.pace}));
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
    PipelineTimes result;
    const auto images = static_cast<std::size_t>(images_);
    result.image_start.assign(images, -1);
    result.image_end.assign(images, 0);
    for (std::size_t s = 0; s < runs_.size(); ++s) {
      const StageModel& m = model_.stages[s];
      Run& r = runs_[s];
      if (r.opened < r.windows)
        throw base::SimulationError(
            {m.stage->name, "the pipeline stops here", "", "enlarge the edges' buffers"});
      const std::vector<Instant>& done = m.stage->kind == StageKind::output ? r.released : r.made;
      r.times.last_end = done.empty() ? 0 : done.back() + longest_delay(*m.stage);
      r.times.busy = r.idle - r.times.first_start - r.times.input_stall - r.times.output_stall;
      result.stages.push_back(r.times);
      if (m.stage->kind == StageKind::output) end_images(m, r, result);
      if (m.stage->kind == StageKind::input) start_images(m, r, result);
    }
    return result;
  }
  [[nodiscard]] Instant longest_delay(const place::Stage& stage) const {
    Instant longest = 0;
    for (const place::EdgeId e : stage.outputs) longest = std::max(longest, model_.edges[at(e)].delay);
    return longest;
  }
  static void end_images(const StageModel& m, const Run& r, PipelineTimes& result) {
    for (std::size_t i = 0; i < result.image_end.size(); ++i) {
      const auto last = (i + 1) * static_cast<std::size_t>(m.stage->pixels) - 1;
      result.image_end[i] = std::max(result.image_end[i], r.released[last]);
    }
  }
  static void start_images(const StageModel& m, const Run& r, PipelineTimes& result) {
    for (std::size_t i = 0; i < result.image_start.size(); ++i) {
      const Instant start = r.released[i * static_cast<std::size_t>(m.stage->pixels)] - m.read.front();
      result.image_start[i] = result.image_start[i] < 0 ? start : std::min(result.image_start[i], start);
    }
  }

  const place::Program& program_;
  const PipelineModel& model_;
  const arch::Arch& arch_;
  Contention contention_;
  std::int64_t images_;
  Instant clock_;
  std::vector<std::int64_t>
      release_at_;  ///< [edge] window of the consumer that freed the last place asked for
  std::vector<Run> runs_;
};

}  // namespace

PipelineTimes run_pipeline(const place::Program& program, const PipelineModel& model, const Parts& parts,
                           std::int64_t images) {
  return Pipeline(program, model, parts, images).run();
}

}  // namespace bitline::analytic
