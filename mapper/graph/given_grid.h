// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "mapper/graph/graph.h"

namespace bitline::graph {

/// The grid that all elements of `value` lie on because a DequantizeLinear made them, directly or before
/// operators that only move or select elements; null where there is none, or it is not one for the whole
/// tensor. The result points into the graph.
[[nodiscard]] const Grid* given_grid(const Graph& graph, ValueId value);

/// The grid of a crossbar node's weights; null: the network gives none.
[[nodiscard]] const Grid* weight_grid(const Node& node);

}  // namespace bitline::graph
