// SPDX-License-Identifier: Apache-2.0
// Which values of a network can be negative, as far as its operators tell.
#pragma once

#include <vector>

#include "mapper/graph/graph.h"

namespace bitline::graph {

/// By value: false where it is never negative, whatever the weights. `inputs_can`: of the network's inputs.
[[nodiscard]] std::vector<bool> can_be_negative(const Graph& graph, bool inputs_can);

}  // namespace bitline::graph
