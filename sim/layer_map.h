// SPDX-License-Identifier: Apache-2.0
// Where the network lies and what a tile could do: for pictures of a result (floorplan, network graph,
// roofline).
#pragma once

#include <string_view>
#include <unordered_map>
#include <vector>

#include "sim/cycle/runner.h"
#include "sim/mapping.h"
#include "sim/result/result.h"

namespace bitline::sim {

/// The machine's floor and the most that one of its tiles can do.
[[nodiscard]] result::Machine machine_of(const Mapping& mapping);

/// What the stages of a program do, from which layers they read, and in which tiles they lie. The stages must
/// be the layers of the result, in order. Keeps a reference to `mapping`.
class LayerMap {
 public:
  explicit LayerMap(const Mapping& mapping);
  void add(std::size_t stage, result::LayerResult& layer) const;

 private:
  [[nodiscard]] std::vector<const graph::Node*> nodes_of(const place::Stage& stage) const;
  const Mapping& mapping_;
  std::unordered_map<std::string_view, const graph::Node*> by_name_;
};

/// When each layer waited; nothing in mode analytic, which does not know it.
void add_waits(const cycle::CycleResult& timed, result::Result& result);

}  // namespace bitline::sim
