// SPDX-License-Identifier: Apache-2.0
#include "mapper/place/raster_schedule.h"

#include <algorithm>

#include "mapper/place/window_table.h"

namespace bitline::place {
namespace {

using Kind = Window::Kind;

/// From one pixel of an input to the next: can be cut by strides and enlarged by interpolations.
constexpr std::int64_t kStep = 1 << 16;

std::size_t index(int id) {
  return static_cast<std::size_t>(id);
}

/// Its windows follow those of the producer.
bool is_paced(const Window& window) {
  return window.kind != Kind::all && window.kind != Kind::reduce;
}

bool sees(const Window& window, const RasterPace& producer) {
  return window.in_h == producer.h && window.in_w == producer.w;
}
bool makes(const Window& window, const RasterPace& consumer) {
  return window.out_h == consumer.h && window.out_w == consumer.w;
}

/// The step of `out` windows made of `in` that have one of `step`.
std::int64_t scaled(std::int64_t step, std::int64_t in, std::int64_t out) {
  if (in >= out) return step * ((in + out / 2) / out);
  return std::max<std::int64_t>(1, step / ((out + in / 2) / in));
}

void be_later(RasterTime& time, std::int64_t row, std::int64_t column) {
  time.row = std::max(time.row, row);
  time.column = std::max(time.column, column);
}

/// Of the first window of a kernel.
RasterTime first_behind(const WindowTable& table, const RasterPace& producer) {
  return {producer.first.row + table.reach_rows * producer.step.row,
          producer.first.column + table.reach_columns * producer.step.column};
}

bool is_plain_kernel(const Window& window, const RasterPace& producer, const RasterPace& consumer) {
  return window.kind == Kind::sliding && sees(window, producer) && makes(window, consumer) &&
         consumer.step.row == producer.step.row * window.stride_h &&
         consumer.step.column == producer.step.column * window.stride_w;
}

/// Pixel by pixel, in the same places at the same pace.
bool is_in_step(const Window& window, const RasterPace& producer, const RasterPace& consumer) {
  return window.kind == Kind::pixelwise && producer.h == consumer.h && producer.w == consumer.w &&
         producer.step == consumer.step;
}

class Scheduler {
 public:
  explicit Scheduler(const Program& program) : program_(program), paces_(program.stages.size()) {}

  std::vector<RasterPace> run() {
    for (std::size_t s = 0; s < paces_.size(); ++s) {
      const Stage& stage = program_.stages[s];
      RasterPace& pace = paces_[s];
      set_size(stage, pace);
      set_step(stage, pace);
      for (const EdgeId e : stage.inputs) follow(e, pace);
      if (stage.layer >= 0) take_turn(stage.layer, pace);
    }
    return std::move(paces_);
  }

 private:
  [[nodiscard]] const Edge& edge(EdgeId e) const { return program_.edges[index(e)]; }
  [[nodiscard]] const RasterPace& producer(EdgeId e) const { return paces_[index(edge(e).producer)]; }

  /// As the stage's first reader sees it, or as its first input has it.
  void set_size(const Stage& stage, RasterPace& pace) const {
    pace.w = stage.pixels;
    const auto take = [&](std::int64_t h, std::int64_t w) {
      if (h * w == stage.pixels) pace.h = h, pace.w = w;
    };
    if (stage.inputs.empty()) {
      if (!stage.outputs.empty()) {
        const Window& window = edge(stage.outputs.front()).window;
        take(window.in_h, window.in_w);
      }
      return;
    }
    const EdgeId first = stage.inputs.front();
    if (edge(first).window.kind == Kind::pixelwise) {
      take(producer(first).h, producer(first).w);
    } else {
      take(edge(first).window.out_h, edge(first).window.out_w);
    }
  }

  void set_step(const Stage& stage, RasterPace& pace) const {
    for (const EdgeId e : stage.inputs) {
      const RasterPace& from = producer(e);
      if (!is_paced(edge(e).window)) continue;
      be_later(pace.step, scaled(from.step.row, from.h, pace.h), scaled(from.step.column, from.w, pace.w));
    }
    if (pace.step == RasterTime{}) pace.step = {kStep, kStep};
  }

  void follow(EdgeId e, RasterPace& pace) const {
    const Window& window = edge(e).window;
    const RasterPace& from = producer(e);
    if (!is_paced(window)) {
      const RasterTime end = from.time(from.h * from.w - 1);
      be_later(pace.first, end.row, end.column);
    } else if (is_in_step(window, from, pace)) {
      be_later(pace.first, from.first.row, from.first.column);
    } else if (is_plain_kernel(window, from, pace)) {
      const RasterTime first = first_behind(*edge(e).table, from);
      be_later(pace.first, first.row, first.column);
    } else {
      follow_each(*edge(e).table, from, pace);
    }
  }

  /// So late that every window finds what it needs.
  static void follow_each(const WindowTable& table, const RasterPace& from, RasterPace& pace) {
    const auto needed = [&](std::size_t j) { return from.time(table.needed[j] - 1); };
    const RasterPace from_zero{pace.h, pace.w, {}, pace.step};
    const auto at_zero = [&](std::size_t j) { return from_zero.time(static_cast<std::int64_t>(j)); };
    for (std::size_t j = 0; j < table.needed.size(); ++j) {
      if (table.needed[j] > 0) be_later(pace.first, needed(j).row - at_zero(j).row, 0);
    }
    for (std::size_t j = 0; j < table.needed.size(); ++j) {
      if (table.needed[j] > 0 && needed(j).row == pace.first.row + at_zero(j).row)
        be_later(pace.first, 0, needed(j).column - at_zero(j).column);
    }
  }

  /// After the layer that has the crossbars before it in an image.
  void take_turn(LayerId layer, RasterPace& pace) const {
    const LayerId before = program_.layers[index(layer)].after;
    if (before < 0 || before > layer) return;
    const RasterPace& user = paces_[index(program_.layers[index(before)].stage)];
    const RasterTime end = user.time(user.h * user.w - 1);
    be_later(pace.first, end.row, end.column);
  }

  const Program& program_;
  std::vector<RasterPace> paces_;
};

/// The consumer as much later, at any pixel.
std::int64_t most_in_step(const RasterPace& producer, const RasterPace& consumer) {
  const RasterTime later{consumer.first.row - producer.first.row,
                         consumer.first.column - producer.first.column};
  const std::int64_t rows = later.row / producer.step.row;
  const bool at_a_row = later.row % producer.step.row == 0;
  const std::int64_t more =
      at_a_row ? std::min(producer.w, later.column / producer.step.column + 1) : producer.w;
  return std::min(producer.h * producer.w, rows * producer.w + more);
}

}  // namespace

std::int64_t RasterPace::made(RasterTime time) const {
  if (time.row < first.row) return 0;
  const std::int64_t row = (time.row - first.row) / step.row;
  if (row >= h) return h * w;
  if (first.row + row * step.row < time.row) return (row + 1) * w;
  if (time.column < first.column) return row * w;
  return row * w + std::min(w, (time.column - first.column) / step.column + 1);
}

std::vector<RasterPace> raster_schedule(const Program& program) {
  return Scheduler(program).run();
}

std::int64_t most_buffered(const Edge& edge, const RasterPace& producer, const RasterPace& consumer) {
  const Window& window = edge.window;
  const WindowTable& table = *edge.table;
  if (window.kind == Kind::reduce) return 1;
  if (is_in_step(window, producer, consumer)) return most_in_step(producer, consumer);
  if (is_plain_kernel(window, producer, consumer) && consumer.first == first_behind(table, producer))
    return table.paced_span;
  std::int64_t most = 1;
  for (std::size_t j = 0; j < table.needed.size(); ++j)
    most = std::max(most, producer.made(consumer.time(static_cast<std::int64_t>(j))) - table.gone[j]);
  return most;
}

}  // namespace bitline::place
