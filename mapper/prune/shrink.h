// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "mapper/graph/graph.h"
#include "mapper/prune/channels.h"
#include "mapper/quantize/quantize.h"

namespace bitline::prune {

/// By value: the channels that stay, ascending; empty for values that are not tracked.
using Kept = std::vector<std::vector<std::int64_t>>;

/// `graph` with these channels only: same nodes and values (constant operands that are cut become new
/// values), weights and biases cut. Cuts `layers` in the same way.
[[nodiscard]] graph::Graph shrink(const graph::Graph& graph, const Channels& channels, const Kept& kept,
                                  std::vector<quantize::LayerQuant>& layers);

}  // namespace bitline::prune
