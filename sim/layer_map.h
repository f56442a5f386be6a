// SPDX-License-Identifier: Apache-2.0
// Where the network lies and what a tile could do: for pictures of a result (floorplan, network graph,
// roofline).
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "sim/cycle/runner.h"
#include "sim/mapping.h"
#include "sim/result/result.h"

namespace bitline::sim {

/// The machine's floor and the most that one of its tiles can do.
[[nodiscard]] result::Machine machine_of(const Mapping& mapping);

/// What the stages of a program do, from which layers they read, and in which tiles they lie. The stages must
/// be the layers of the result, in order, and are added in this order. Keeps a reference to `mapping`.
class LayerMap {
 public:
  explicit LayerMap(const Mapping& mapping) : mapping_(mapping) {}
  void add(std::size_t stage, result::LayerResult& layer);

 private:
  using Nodes = place::Few<const graph::Node*, 4>;
  [[nodiscard]] const graph::Node* named(const std::string& name);
  [[nodiscard]] Nodes nodes_of(const place::Stage& stage);
  const Mapping& mapping_;
  std::size_t next_ = 0;  ///< the node behind the one found last
};

/// When each layer waited; nothing in mode analytic, which does not know it.
void add_waits(const cycle::CycleResult& timed, result::Result& result);

}  // namespace bitline::sim
