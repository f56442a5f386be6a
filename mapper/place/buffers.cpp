// SPDX-License-Identifier: Apache-2.0
#include "mapper/place/buffers.h"

#include <algorithm>

#include "mapper/place/window_table.h"
#include "models/base/errors.h"

namespace bitline::place {
namespace {

std::size_t index(int id) {
  return static_cast<std::size_t>(id);
}

/// Most input pixels that one output pixel needs beyond those released before it.
std::int64_t span(const Window& window, const WindowTable& table) {
  return window.kind == Window::Kind::reduce ? 1 : table.span;
}

using Tables = std::vector<std::shared_ptr<const WindowTable>>;

/// Runs one image through the stages with no notion of time, growing buffers where it blocks. Which windows
/// can be made in the end does not depend on the order (a stage that can go on can do so whatever others do),
/// so each stage makes as many at once as it can, and is looked at again only after a neighbour has moved.
class UntimedRun {
 public:
  UntimedRun(Program& program, const Tables& tables)
      : program_(program),
        tables_(tables),
        fired_(program.stages.size(), 0),
        waiting_(program.stages.size(), false),
        next_users_(program.stages.size()) {
    for (std::size_t l = 0; l < program_.layers.size(); ++l) {
      const StageId earlier = earlier_user(static_cast<LayerId>(l));
      if (earlier >= 0) next_users_[index(earlier)].push_back(program_.layers[l].stage);
    }
  }

  void run() {
    for (std::size_t s = program_.stages.size(); s-- > 0;) look_at(static_cast<StageId>(s));
    for (;;) {
      while (!to_do_.empty()) {
        const StageId s = to_do_.back();
        to_do_.pop_back();
        waiting_[index(s)] = false;
        fire(s);
      }
      if (complete()) return;
      grow_a_buffer();
    }
  }

 private:
  void look_at(StageId s) {
    if (waiting_[index(s)]) return;
    waiting_[index(s)] = true;
    to_do_.push_back(s);
  }

  void fire(StageId s) {
    const Stage& stage = program_.stages[index(s)];
    std::int64_t count = inputs_ready(s) - fired_[index(s)];
    for (const EdgeId e : stage.outputs) count = std::min(count, free_places(e));
    if (count <= 0) return;
    fired_[index(s)] += count;
    for (const EdgeId e : stage.inputs) look_at(program_.edges[index(e)].producer);
    for (const EdgeId e : stage.outputs) look_at(program_.edges[index(e)].consumer);
    if (fired_[index(s)] == stage.pixels)
      std::for_each(next_users_[index(s)].begin(), next_users_[index(s)].end(),
                    [&](StageId user) { look_at(user); });
  }

  /// Output pixels that the inputs there are enough for.
  std::int64_t inputs_ready(StageId s) const {
    const Stage& stage = program_.stages[index(s)];
    if (waits_for_crossbars(stage.layer)) return 0;
    std::int64_t count = stage.pixels;
    for (const EdgeId e : stage.inputs) {
      const std::int64_t there = fired_[index(program_.edges[index(e)].producer)];
      count = std::min<std::int64_t>(count, tables_[index(e)]->ready[static_cast<std::size_t>(there)]);
    }
    return count;
  }
  /// The stage that must be done with an image before layer `l` may use their crossbars; -1: none.
  StageId earlier_user(LayerId l) const {
    const LayerId after = program_.layers[index(l)].after;
    return after < 0 || after > l ? -1 : program_.layers[index(after)].stage;
  }
  bool waits_for_crossbars(LayerId l) const {
    const StageId stage = l < 0 ? -1 : earlier_user(l);
    return stage >= 0 && fired_[index(stage)] < program_.stages[index(stage)].pixels;
  }
  std::int64_t free_places(EdgeId e) const {
    const Edge& edge = program_.edges[index(e)];
    // Pixels that are reduced leave at once.
    if (edge.window.kind == Window::Kind::reduce) return program_.stages[index(edge.producer)].pixels;
    const std::int64_t done = fired_[index(edge.consumer)];
    const std::int64_t released =
        done == 0 ? 0 : tables_[index(e)]->released[static_cast<std::size_t>(done - 1)];
    return edge.capacity - (fired_[index(edge.producer)] - released);
  }
  bool complete() const {
    for (std::size_t s = 0; s < fired_.size(); ++s) {
      if (fired_[s] < program_.stages[s].pixels) return false;
    }
    return true;
  }

  void grow_a_buffer() {
    Edge* smallest = nullptr;
    for (std::size_t i = 0; i < program_.edges.size(); ++i) {
      Edge& e = program_.edges[i];
      if (free_places(static_cast<EdgeId>(i)) > 0) continue;
      const bool starving = inputs_ready(e.consumer) <= fired_[index(e.consumer)];
      const bool could_fire = inputs_ready(e.producer) > fired_[index(e.producer)];
      if (starving && could_fire && (smallest == nullptr || e.capacity < smallest->capacity)) smallest = &e;
    }
    if (smallest == nullptr) throw base::MappingError(stuck());
    smallest->capacity += std::max<std::int64_t>(1, smallest->capacity / 16);
    look_at(smallest->producer);
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
  const Tables& tables_;
  std::vector<std::int64_t> fired_;  ///< by stage: windows made
  std::vector<bool> waiting_;        ///< by stage: is in `to_do_`
  std::vector<StageId> to_do_;
  std::vector<std::vector<StageId>> next_users_;  ///< by stage: those that wait for its crossbars
};

}  // namespace

void size_buffers(Program& program, const Slack& slack) {
  std::vector<std::int64_t> depth(program.stages.size(), 0);
  for (std::size_t s = 0; s < program.stages.size(); ++s) {
    for (EdgeId e : program.stages[s].inputs) {
      depth[s] = std::max(depth[s], depth[index(program.edges[index(e)].producer)] + 1);
    }
  }
  Tables tables;
  tables.reserve(program.edges.size());
  // What the paths need, without slack. Larger buffers never block where these do not.
  for (Edge& e : program.edges) {
    tables.push_back(window_table(e.window, program.stages[index(e.consumer)].pixels));
    e.capacity = span(e.window, *tables.back());
  }
  UntimedRun(program, tables).run();
  for (std::size_t i = 0; i < program.edges.size(); ++i) {
    Edge& e = program.edges[i];
    const std::int64_t steps = depth[index(e.consumer)] - depth[index(e.producer)];
    const std::int64_t rows = slack.rows * e.window.in_w;
    const std::int64_t flight = slack.pixels * steps;
    e.capacity = std::max(span(e.window, *tables[i]) + flight + rows * (steps - 1),
                          e.capacity + flight + (steps > 1 ? rows : 0));
  }
  for (Edge& e : program.edges) {
    // Never more than all pixels of an image and those of the next that are on the way.
    const std::int64_t pixels = program.stages[index(e.producer)].pixels;
    e.capacity = std::min(e.capacity, std::max<std::int64_t>(2 * pixels, 1));
  }
}

}  // namespace bitline::place
