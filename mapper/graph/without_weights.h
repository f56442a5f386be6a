// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "mapper/graph/graph.h"

namespace bitline::graph {

/// The same network for those who have its weights as codes: the weights of nodes on crossbars have their
/// shape and no values. What was one tensor still is.
[[nodiscard]] Graph without_weights(const Graph& graph);

}  // namespace bitline::graph
