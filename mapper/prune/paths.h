// SPDX-License-Identifier: Apache-2.0
// Paths of a network that give nothing to its outputs are taken out: channels that no layer with weights
// reads (their weights are all zero, or what they hold is the same for every input and is folded into the
// sums of their readers), filters whose channel is gone, and so on to a fixpoint. Outputs stay the same bit
// for bit where no conversion clips or rounds.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "mapper/graph/graph.h"
#include "mapper/quantize/quantize.h"

namespace bitline::prune {

struct Paths {
  std::shared_ptr<const graph::Graph> graph;  ///< the same nodes and values, with fewer channels
  std::vector<quantize::LayerQuant> layers;   ///< what is left of the codes and scales
  /// By layer and output: what removed channels that are constant give to its sum; empty: nothing.
  std::vector<std::vector<std::int64_t>> folded;
};

/// `layers`: the crossbar layers of `graph` in node order. Every value keeps at least one channel.
[[nodiscard]] Paths remove_unused_paths(const std::shared_ptr<const graph::Graph>& graph,
                                        std::vector<quantize::LayerQuant> layers);

}  // namespace bitline::prune
