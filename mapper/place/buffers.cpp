// SPDX-License-Identifier: Apache-2.0
#include "mapper/place/buffers.h"

#include <algorithm>

#include "models/base/errors.h"

namespace bitline::place {
namespace {

std::size_t index(int id) {
  return static_cast<std::size_t>(id);
}

/// Most input pixels that one output pixel needs beyond those released before it.
std::int64_t span(const Window& w) {
  if (w.kind == Window::Kind::pixelwise || w.kind == Window::Kind::reduce) return 1;
  if (w.kind == Window::Kind::all) return w.in_h * w.in_w;
  std::int64_t most = 0, released = 0;
  for (std::int64_t j = 0; j < w.out_h * w.out_w; ++j) {
    most = std::max(most, w.needed(j) - released);
    released = w.released(j);
  }
  return std::max<std::int64_t>(most, 1);
}

/// Runs one image through the stages with no notion of time, growing buffers where it blocks.
class UntimedRun {
 public:
  explicit UntimedRun(Program& program) : program_(program), fired_(program.stages.size(), 0) {}

  void run() {
    for (;;) {
      bool progress = false;
      for (std::size_t s = 0; s < program_.stages.size(); ++s) progress |= fire_while_possible(s);
      if (progress) continue;
      if (complete()) return;
      grow_a_buffer();
    }
  }

 private:
  bool fire_while_possible(std::size_t s) {
    bool fired = false;
    while (fired_[s] < program_.stages[s].pixels && inputs_ready(s) && outputs_free(s)) {
      ++fired_[s];
      fired = true;
    }
    return fired;
  }

  bool inputs_ready(std::size_t s) const {
    if (waits_for_crossbars(s)) return false;
    return std::all_of(program_.stages[s].inputs.begin(), program_.stages[s].inputs.end(),
                       [&](EdgeId e) { return has_input(program_.edges[index(e)]); });
  }
  /// An earlier user of its crossbars is not done with the image.
  bool waits_for_crossbars(std::size_t s) const {
    const LayerId l = program_.stages[s].layer;
    if (l < 0) return false;
    const LayerId after = program_.layers[index(l)].after;
    if (after < 0 || after > l) return false;
    const StageId stage = program_.layers[index(after)].stage;
    return fired_[index(stage)] < program_.stages[index(stage)].pixels;
  }
  bool has_input(const Edge& e) const {
    return fired_[index(e.producer)] >= e.window.needed(fired_[index(e.consumer)]);
  }
  bool outputs_free(std::size_t s) const {
    return std::all_of(program_.stages[s].outputs.begin(), program_.stages[s].outputs.end(),
                       [&](EdgeId e) { return !full(program_.edges[index(e)]); });
  }
  bool full(const Edge& e) const { return fired_[index(e.producer)] - released(e) >= e.capacity; }
  std::int64_t released(const Edge& e) const {
    if (e.window.kind == Window::Kind::reduce) return fired_[index(e.producer)];
    const std::int64_t done = fired_[index(e.consumer)];
    return done == 0 ? 0 : e.window.released(done - 1);
  }
  bool complete() const {
    for (std::size_t s = 0; s < fired_.size(); ++s) {
      if (fired_[s] < program_.stages[s].pixels) return false;
    }
    return true;
  }

  void grow_a_buffer() {
    Edge* smallest = nullptr;
    for (Edge& e : program_.edges) {
      const bool starving = !inputs_ready(index(e.consumer));
      const bool could_fire = fired_[index(e.producer)] < program_.stages[index(e.producer)].pixels &&
                              inputs_ready(index(e.producer));
      if (full(e) && starving && could_fire && (smallest == nullptr || e.capacity < smallest->capacity))
        smallest = &e;
    }
    if (smallest == nullptr) throw base::MappingError(stuck());
    smallest->capacity += std::max<std::int64_t>(1, smallest->capacity / 16);
  }

  base::Problem stuck() const {
    for (std::size_t s = 0; s < fired_.size(); ++s) {
      if (fired_[s] < program_.stages[s].pixels) {
        return {program_.stages[s].name,
                "the pipeline stops at output pixel " + std::to_string(fired_[s]) + " of " +
                    std::to_string(program_.stages[s].pixels) + " whatever the buffers",
                "networks whose windows lie inside their inputs", "report this network as a defect"};
      }
    }
    return {};
  }

  Program& program_;
  std::vector<std::int64_t> fired_;
};

}  // namespace

void size_buffers(Program& program, const Slack& slack) {
  std::vector<std::int64_t> depth(program.stages.size(), 0);
  for (std::size_t s = 0; s < program.stages.size(); ++s) {
    for (EdgeId e : program.stages[s].inputs) {
      depth[s] = std::max(depth[s], depth[index(program.edges[index(e)].producer)] + 1);
    }
  }
  for (Edge& e : program.edges) {
    const std::int64_t steps = depth[index(e.consumer)] - depth[index(e.producer)];
    e.capacity = span(e.window) + slack.pixels * steps + slack.rows * (steps - 1) * e.window.in_w;
  }
  UntimedRun(program).run();
  for (Edge& e : program.edges) {
    // Never more than all pixels of an image and those of the next that are on the way.
    const std::int64_t pixels = program.stages[index(e.producer)].pixels;
    e.capacity = std::min(e.capacity, std::max<std::int64_t>(2 * pixels, 1));
  }
}

}  // namespace bitline::place
