// SPDX-License-Identifier: Apache-2.0
#include "mapper/place/buffers.h"

#include <algorithm>
#include <functional>
#include <queue>
#include <utility>

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
/// so each stage makes as many at once as it can. One that cannot go on waits for the neighbour that lets it
/// make the fewest, and is looked at again only when that one has made what the next window takes.
class UntimedRun {
 public:
  UntimedRun(Program& program, const Tables& tables)
      : program_(program), stages_(program.stages.size()), looked_at_(program.stages.size(), 0) {
    for (std::size_t e = 0; e < program.edges.size(); ++e) {
      const Edge& edge = program.edges[e];
      const WindowTable& table = *tables[e];
      edges_.push_back({edge.producer, edge.consumer, static_cast<std::int32_t>(edge.capacity),
                        edge.window.kind == Window::Kind::reduce, table.ready.data(), table.released.data(),
                        &table});
    }
    for (std::size_t s = 0; s < stages_.size(); ++s) {
      stages_[s].pixels = static_cast<std::int32_t>(program.stages[s].pixels);
      left_ += stages_[s].pixels > 0 ? 1 : 0;
    }
    for (std::size_t l = 0; l < program.layers.size(); ++l)
      stages_[index(program.layers[l].stage)].earlier_user = earlier_user(static_cast<LayerId>(l));
  }

  void run() {
    for (std::size_t s = stages_.size(); s-- > 0;) to_do_.push_back(static_cast<StageId>(s));
    for (;;) {
      while (!to_do_.empty()) {
        const StageId s = to_do_.back();
        to_do_.pop_back();
        fire(s);
      }
      if (left_ == 0) break;
      grow_a_buffer();
    }
    for (std::size_t e = 0; e < edges_.size(); ++e) program_.edges[e].capacity = edges_[e].capacity;
  }

 private:
  struct Channel {
    StageId producer, consumer;
    std::int32_t capacity;
    bool reduces;                           ///< pixels leave at once
    const std::int32_t *ready, *released;  ///< of the table
    const WindowTable* table;
  };
  /// A stage, and the one that it waits for. Those that wait for a stage are a linked list.
  struct Maker {
    std::int32_t fired = 0, pixels = 0;  ///< windows made, and to be made
    StageId first_waiting = -1;          ///< for this one
    StageId waits_for = -1;
    StageId next_waiting = -1;  ///< for the same as this one
    std::int32_t until = 0;     ///< windows that the other one must have made
    bool has_inputs = false;    ///< it waits for a place
    StageId earlier_user = -1;  ///< must be done with an image before this one may use their crossbars
  };

  void fire(StageId s) {
    Maker& stage = stages_[index(s)];
    if (looked_at_[index(s)] != growths_) {
      looked_at_[index(s)] = growths_;
      seen_.push_back(s);
    }
    const std::int32_t count = find_limit(s);
    if (count <= stage.fired) return;
    stage.fired = count;
    if (count == stage.pixels) --left_;
    for (StageId* link = &stage.first_waiting; *link >= 0;) {
      Maker& waiting = stages_[index(*link)];
      if (waiting.until > count) {
        link = &waiting.next_waiting;
        continue;
      }
      to_do_.push_back(*link);
      waiting.waits_for = -1;
      *link = waiting.next_waiting;
    }
  }

  /// How many windows the stage can make; it then waits for the stage that lets it make no more.
  std::int32_t find_limit(StageId s) {
    Maker& stage = stages_[index(s)];
    if (stage.earlier_user >= 0) {
      const Maker& before = stages_[index(stage.earlier_user)];
      if (before.fired < before.pixels) {
        wait(s, stage.earlier_user, before.pixels, false);
        return 0;
      }
    }
    std::int32_t count = stage.pixels;
    const Channel* closest = nullptr;
    const Stage& of_program = program_.stages[index(s)];
    for (const EdgeId e : of_program.inputs) {
      const Channel& c = edges_[index(e)];
      const std::int32_t ready = c.ready[stages_[index(c.producer)].fired];
      if (ready >= count) continue;
      count = ready;
      closest = &c;
    }
    const Channel* fullest = nullptr;
    for (const EdgeId e : of_program.outputs) {
      const Channel& c = edges_[index(e)];
      const std::int32_t room = room_of(c);
      if (room >= count) continue;
      count = room;
      fullest = &c;
    }
    const auto next = static_cast<std::size_t>(count);
    if (fullest != nullptr) {
      const std::int32_t taken = fullest->table->freed[next - static_cast<std::size_t>(fullest->capacity)];
      wait(s, fullest->consumer, taken + 1, true);
    } else if (closest != nullptr) {
      wait(s, closest->producer, closest->table->needed[next], false);
    }
    return count;
  }
  [[nodiscard]] std::int32_t room_of(const Channel& c) const {
    if (c.reduces) return stages_[index(c.producer)].pixels;
    const std::int32_t done = stages_[index(c.consumer)].fired;
    return c.capacity + (done == 0 ? 0 : c.released[done - 1]);
  }

  void wait(StageId s, StageId other, std::int32_t until, bool has_inputs) {
    Maker& stage = stages_[index(s)];
    stage.waits_for = other;
    stage.until = until;
    stage.has_inputs = has_inputs;
    stage.next_waiting = std::exchange(stages_[index(other)].first_waiting, s);
  }
  void wait_no_more(StageId s) {
    Maker& stage = stages_[index(s)];
    StageId* link = &stages_[index(stage.waits_for)].first_waiting;
    while (*link != s) link = &stages_[index(*link)].next_waiting;
    *link = stage.next_waiting;
    stage.waits_for = -1;
  }

  /// The stage that must be done with an image before layer `l` may use their crossbars; -1: none.
  [[nodiscard]] StageId earlier_user(LayerId l) const {
    const LayerId after = program_.layers[index(l)].after;
    return after < 0 || after > l ? -1 : program_.layers[index(after)].stage;
  }

  /// Full, in front of a stage that waits for inputs, while its producer has them. Only where all wait.
  [[nodiscard]] bool may_grow(const Channel& c) const {
    const Maker& producer = stages_[index(c.producer)];
    const Maker& consumer = stages_[index(c.consumer)];
    return producer.waits_for >= 0 && producer.has_inputs && consumer.waits_for >= 0 &&
           !consumer.has_inputs && room_of(c) <= producer.fired;
  }

  /// The smallest that may, the first of equal ones.
  void grow_a_buffer() {
    for (const StageId s : seen_) {
      const Stage& stage = program_.stages[index(s)];
      const bool has_inputs = stages_[index(s)].has_inputs;
      for (const EdgeId e : has_inputs ? stage.outputs : stage.inputs) {
        if (may_grow(edges_[index(e)])) candidates_.push({edges_[index(e)].capacity, e});
      }
    }
    seen_.clear();
    ++growths_;
    for (;; candidates_.pop()) {
      if (candidates_.empty()) throw base::MappingError(stuck());
      const auto [capacity, e] = candidates_.top();
      Channel& c = edges_[index(e)];
      if (c.capacity != capacity || !may_grow(c)) continue;
      c.capacity += std::max(1, capacity / 16);
      candidates_.pop();
      wait_no_more(c.producer);
      to_do_.push_back(c.producer);
      return;
    }
  }

  [[nodiscard]] base::Problem stuck() const {
    for (std::size_t s = 0; s < stages_.size(); ++s) {
      if (stages_[s].fired < stages_[s].pixels) {
        return {program_.stages[s].name,
                "the pipeline stops at output pixel " + std::to_string(stages_[s].fired) + " of " +
                    std::to_string(stages_[s].pixels) + " whatever the buffers",
                "networks whose windows lie inside their inputs", "report this network as a defect"};
      }
    }
    return {};
  }

  Program& program_;
  std::vector<Maker> stages_;
  std::vector<Channel> edges_;
  std::vector<StageId> to_do_;
  std::size_t left_ = 0;  ///< stages that have windows to make
  // Since the last growth, and the edges that may have to grow, smallest first; some no longer have to.
  std::vector<StageId> seen_;
  std::vector<std::int32_t> looked_at_;  ///< by stage: the number of growths at that time
  std::int32_t growths_ = 1;
  using Candidate = std::pair<std::int32_t, EdgeId>;
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> candidates_;
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
