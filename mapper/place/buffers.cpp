// SPDX-License-Identifier: Apache-2.0
#include "mapper/place/buffers.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <mutex>
#include <utility>

#include "mapper/place/untimed_run.h"

namespace bitline::place {
namespace {

std::size_t index(int id) {
  return static_cast<std::size_t>(id);
}

/// Most input pixels that one output pixel needs beyond those released before it.
std::int64_t span(const Window& window, const WindowTable& table) {
  return window.kind == Window::Kind::reduce ? 1 : table.span;
}

/// What the run of an image follows from.
std::vector<std::int64_t> structure(const Program& program) {
  std::vector<std::int64_t> structure;
  structure.reserve(program.stages.size() + 18 * program.edges.size());
  structure.push_back(std::ssize(program.stages));
  for (const Stage& stage : program.stages) structure.push_back(stage.pixels);
  for (const LayerPlacement& layer : program.layers) {
    if (layer.after >= 0) structure.insert(structure.end(), {layer.stage, layer.after});
  }
  for (const Edge& e : program.edges) {
    structure.insert(structure.end(), {-1, e.producer, e.consumer});
    const WindowNumbers window = window_numbers(e.window, program.stages[index(e.consumer)].pixels);
    structure.insert(structure.end(), window.begin(), window.end());
    if (!e.window.gather) continue;
    for (const auto* list : {&e.window.gather->needed, &e.window.gather->released})
      structure.insert(structure.end(), list->begin(), list->end());
  }
  return structure;
}

/// Capacities by structure, of networks met before: on other machines, with other channels, with another
/// slack.
class KnownCapacities {
 public:
  /// Sets those of the program, whose edges hold the spans of their windows.
  void set(Program& program, const std::vector<std::shared_ptr<const WindowTable>>& tables) {
    std::vector<std::int64_t> key = structure(program);
    {
      const std::lock_guard lock(mutex_);
      if (const auto found = known_.find(key); found != known_.end()) {
        for (std::size_t e = 0; e < program.edges.size(); ++e) program.edges[e].capacity = found->second[e];
        return;
      }
    }
    grow_until_image_passes(program, tables);
    std::vector<std::int64_t> capacities;
    for (const Edge& e : program.edges) capacities.push_back(e.capacity);
    constexpr std::size_t kMost = std::size_t{1} << 22;  // numbers: 32 MB
    const std::lock_guard lock(mutex_);
    const std::size_t size = key.size() + capacities.size();
    if (numbers_ + size > kMost) {
      known_.clear();
      numbers_ = 0;
    }
    if (known_.emplace(std::move(key), std::move(capacities)).second) numbers_ += size;
  }

 private:
  std::mutex mutex_;
  std::map<std::vector<std::int64_t>, std::vector<std::int64_t>> known_;
  std::size_t numbers_ = 0;
};

}  // namespace

void size_buffers(Program& program, const Slack& slack) {
  std::vector<std::int64_t> depth(program.stages.size(), 0);
  for (std::size_t s = 0; s < program.stages.size(); ++s) {
    for (EdgeId e : program.stages[s].inputs) {
      depth[s] = std::max(depth[s], depth[index(program.edges[index(e)].producer)] + 1);
    }
  }
  std::vector<std::shared_ptr<const WindowTable>> tables;
  tables.reserve(program.edges.size());
  // What the paths need, without slack. Larger buffers never block where these do not.
  for (Edge& e : program.edges) {
    tables.push_back(window_table(e.window, program.stages[index(e.consumer)].pixels));
    e.capacity = span(e.window, *tables.back());
  }
  static KnownCapacities known;
  known.set(program, tables);
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
