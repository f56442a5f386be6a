// SPDX-License-Identifier: Apache-2.0
#include "sim/analytic/feed_forward.h"

#include <algorithm>
#include <cstring>
#include <memory>

#include "sim/analytic/contention.h"

namespace bitline::analytic {
namespace {

using place::Window;

std::size_t at(int i) {
  return static_cast<std::size_t>(i);
}

/// Streams are run this many times on average, and kFewer times more, before the coupled pipeline is quicker.
constexpr std::size_t kRuns = 3, kFewer = 64;

/// Where a part is busier than that, who comes first matters: streams would each take it for themselves.
constexpr double kBusiest = 0.8;

/// Arrays for one estimate, of memory that the next one of the thread uses again.
class Arena {
 public:
  explicit Arena(std::size_t size) {
    constexpr std::size_t kKept = std::size_t{1} << 23;  // 64 MiB
    if (size > kKept) {
      own_.reset(new Instant[size]);
      next_ = own_.get();
      return;
    }
    thread_local std::unique_ptr<Instant[]> kept;
    thread_local std::size_t kept_size = 0;
    if (kept_size < size) {
      kept.reset(new Instant[size]);
      kept_size = size;
    }
    next_ = kept.get();
  }
  Instant* take(std::int64_t size) {
    Instant* array = next_;
    next_ += size;
    return array;
  }

 private:
  std::unique_ptr<Instant[]> own_;
  Instant* next_;
};

/// A stage's windows of all images, by window.
struct Stream {
  explicit Stream(StageClock stage_clock) : clock(std::move(stage_clock)) {}
  StageClock clock;
  std::int64_t windows = 0;
  Instant *open = nullptr, *released = nullptr, *made = nullptr;
  /// Of stages that reduce, by input pixel: read, and added up.
  Instant *absorbed = nullptr, *accumulated = nullptr;
  bool dirty = true;  ///< to be run
  bool ran = false;
  bool bound = false;  ///< places for results have had to be waited for
};

class FeedForward {
 public:
  FeedForward(const PipelineModel& model, const Parts& parts, std::int64_t images)
      : model_(model), contention_(model, parts), images_(images), arena_(size_of_arrays()) {
    streams_.reserve(model.stages.size());
    for (const StageModel& m : model.stages) {
      Stream& s = streams_.emplace_back(StageClock(m, parts.arch(), contention_, false));
      s.windows = m.stage->pixels * images;
      for (Instant** array : {&s.open, &s.released, &s.made}) *array = arena_.take(s.windows);
      for (const place::EdgeId e : m.stage->inputs) {
        if (!reduces(e)) continue;
        s.absorbed = arena_.take(pixels_of(e) * images);
        s.accumulated = arena_.take(pixels_of(e) * images);
      }
    }
    for (Instant** array : {&input_, &output_, &released_, &made_}) *array = arena_.take(most_);
  }

  bool run() {
    if (contention_.busiest() > kBusiest) return false;
    std::size_t left = kRuns * streams_.size() + kFewer;
    for (std::size_t s = 0; s < streams_.size();) {
      if (!streams_[s].dirty) {
        ++s;
        continue;
      }
      if (left-- == 0) return false;
      s = run_stage(s);
    }
    return true;
  }

  [[nodiscard]] PipelineTimes collect() const {
    PipelineTimes result(images_);
    for (std::size_t s = 0; s < streams_.size(); ++s) {
      const Stream& stream = streams_[s];
      result.add(model_, model_.stages[s], stream.clock.times(), stream.released,
                 stream.made[stream.windows - 1]);
    }
    return result;
  }

 private:
  [[nodiscard]] bool reduces(place::EdgeId e) const {
    return model_.edges[at(e)].edge->window.kind == Window::Kind::reduce;
  }
  /// Of an image, on the edge.
  [[nodiscard]] std::int64_t pixels_of(place::EdgeId e) const {
    return model_.stages[at(model_.edges[at(e)].edge->producer)].stage->pixels;
  }
  std::size_t size_of_arrays() {
    std::int64_t sum = 0;
    for (const StageModel& m : model_.stages) {
      sum += 3 * m.stage->pixels;
      most_ = std::max(most_, m.stage->pixels * images_);
      for (const place::EdgeId e : m.stage->inputs) sum += reduces(e) ? 2 * pixels_of(e) : 0;
    }
    return static_cast<std::size_t>(sum * images_ + 4 * most_);
  }

  /// Runs a stage and marks those that are to run again for it; the first of them, or the next.
  std::size_t run_stage(std::size_t s) {
    const StageModel& m = model_.stages[s];
    Stream& stream = streams_[s];
    stream.dirty = false;
    absorb(m, stream);
    find_inputs(m, stream);
    if (stream.bound) find_places(m, stream);
    const bool again = stream.ran;
    if (again) stream.clock.restart();
    stream.ran = true;
    Instant* released = again ? released_ : stream.released;
    Instant* made = again ? made_ : stream.made;
    stream.clock.next(stream.windows, input_, stream.bound ? output_ : nullptr, stream.open, released, made);
    std::size_t next = s + 1;
    if (again && keep(made, stream.made, stream.windows)) {
      for (const place::EdgeId e : m.stage->outputs) {
        const std::size_t consumer = at(model_.edges[at(e)].edge->consumer);
        streams_[consumer].dirty = true;
        next = std::min(next, consumer);
      }
    }
    const bool later = !again || keep(released, stream.released, stream.windows);
    for (const place::EdgeId e : m.stage->inputs) {
      if ((!later && !reduces(e)) || !holds_up(e)) continue;
      const std::size_t producer = at(model_.edges[at(e)].edge->producer);
      streams_[producer].dirty = streams_[producer].bound = true;
      next = std::min(next, producer);
    }
    return next;
  }

  /// Whether anything is new.
  static bool keep(const Instant* now, Instant* before, std::int64_t count) {
    const std::size_t bytes = static_cast<std::size_t>(count) * sizeof(Instant);
    if (std::memcmp(now, before, bytes) == 0) return false;
    std::memcpy(before, now, bytes);
    return true;
  }

  void absorb(const StageModel& m, Stream& stream) const {
    for (const place::EdgeId e : m.stage->inputs) {
      if (!reduces(e)) continue;
      const EdgeModel& edge = model_.edges[at(e)];
      const Instant* made = streams_[at(edge.edge->producer)].made;
      Instant read = 0, added = 0;
      for (std::int64_t p = 0; p < pixels_of(e) * images_; ++p) {
        const Instant start = std::max(made[p] + edge.delay, read);
        read = start + m.absorb;
        stream.absorbed[p] = start + m.absorb_latency;
        const Instant from = std::max(stream.absorbed[p], added);
        added = from + m.accumulate;
        stream.accumulated[p] = from + m.accumulate_latency;
      }
    }
  }

  /// When the inputs of each window are there.
  void find_inputs(const StageModel& m, const Stream& stream) {
    if (m.stage->inputs.empty()) std::fill(input_, input_ + stream.windows, 0);
    for (const place::EdgeId e : m.stage->inputs) {
      const bool first = e == m.stage->inputs.front();
      const EdgeModel& edge = model_.edges[at(e)];
      const bool reduce = reduces(e);
      const Instant* there = reduce ? stream.accumulated : streams_[at(edge.edge->producer)].made;
      const Instant delay = reduce ? 0 : edge.delay;
      if (edge.window->one_to_one) {
        take_latest({there, nullptr}, delay, first, stream.windows, input_);
        continue;
      }
      const std::vector<std::int32_t>& needed = edge.window->needed;
      for (std::int64_t image = 0; image < images_; ++image) {
        Instant* input = input_ + image * m.stage->pixels;
        // The first windows may lie on padding alone; later images follow their predecessor then.
        std::int64_t alone = 0;
        if (image == 0) alone = std::upper_bound(needed.begin(), needed.end(), 0) - needed.begin();
        if (first) std::fill(input, input + alone, 0);
        take_latest({there + image * pixels_of(e) - 1, needed.data() + alone}, delay, first,
                    m.stage->pixels - alone, input + alone);
      }
    }
  }

  /// Calls `use` with lists of times of when pixels have left the edge's buffer, the first of each and their
  /// number, for the first `count` pixels of all images, until it says true; whether it has.
  template <class Use>
  bool each_gone(place::EdgeId e, std::int64_t count, Use use) const {
    const EdgeModel& edge = model_.edges[at(e)];
    const Stream& consumer = streams_[at(edge.edge->consumer)];
    if (count <= 0) return false;
    if (reduces(e)) return use(TimeList{consumer.absorbed, nullptr}, std::int64_t{0}, count);
    if (edge.window->one_to_one) return use(TimeList{consumer.released, nullptr}, std::int64_t{0}, count);
    const std::int64_t pixels = pixels_of(e), windows = consumer.windows / images_;
    for (std::int64_t image = 0; image * pixels < count; ++image) {
      const TimeList list{consumer.released + image * windows, edge.window->freed.data()};
      if (use(list, image * pixels, std::min(pixels, count - image * pixels))) return true;
    }
    return false;
  }

  /// When consumers have places for the results of each window.
  void find_places(const StageModel& m, const Stream& stream) {
    std::fill(output_, output_ + stream.windows, 0);
    for (const place::EdgeId e : m.stage->outputs) {
      if (!streams_[at(model_.edges[at(e)].edge->consumer)].ran) continue;
      const std::int64_t capacity = model_.edges[at(e)].edge->capacity;
      each_gone(e, stream.windows - capacity, [&](TimeList gone, std::int64_t pixel, std::int64_t count) {
        take_latest(gone, 0, false, count, output_ + capacity + pixel);
        return false;
      });
    }
  }

  /// Whether the producer of an edge has opened a window before there was a place for its result.
  [[nodiscard]] bool holds_up(place::EdgeId e) const {
    const std::int64_t capacity = model_.edges[at(e)].edge->capacity;
    const Stream& producer = streams_[at(model_.edges[at(e)].edge->producer)];
    return each_gone(e, producer.windows - capacity,
                     [&](TimeList gone, std::int64_t pixel, std::int64_t count) {
                       return any_later(gone, producer.open + capacity + pixel, count);
                     });
  }

  const PipelineModel& model_;
  Contention contention_;
  std::int64_t images_;
  std::int64_t most_ = 0;  ///< windows of a stage, all images
  Arena arena_;
  std::vector<Stream> streams_;
  Instant *input_ = nullptr, *output_ = nullptr, *released_ = nullptr, *made_ = nullptr;
};

}  // namespace

std::optional<PipelineTimes> run_feed_forward(const place::Program& program, const PipelineModel& model,
                                              const Parts& parts, std::int64_t images) {
  const bool turns = std::any_of(program.layers.begin(), program.layers.end(),
                                 [](const place::LayerPlacement& layer) { return layer.after >= 0; });
  if (turns) return std::nullopt;
  FeedForward streams(model, parts, images);
  if (!streams.run()) return std::nullopt;
  return streams.collect();
}

}  // namespace bitline::analytic
