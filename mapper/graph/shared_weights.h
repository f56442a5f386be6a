// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "mapper/graph/graph.h"

namespace bitline::graph {

/// By node: the first node with the same weights in the same arrangement (steps of a recurrent layer, heads
/// with common weights), so that one set of crossbars can serve both; the node itself where there is none
/// before it. Weights are the same where they are one tensor, on one grid.
[[nodiscard]] std::vector<NodeId> first_with_weights(const Graph& graph);

}  // namespace bitline::graph
