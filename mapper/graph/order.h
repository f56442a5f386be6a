// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>
#include <vector>

namespace bitline::graph {

/// Edge from a vertex to one that must come after it.
using Precedence = std::pair<int, int>;

/// The vertices 0 .. count-1 so that each comes after its predecessors; 0, 1, 2, ... where that is already
/// so. Empty if there is a cycle (see find_cycle) and count > 0.
[[nodiscard]] std::vector<int> topological_order(int count, const std::vector<Precedence>& edges);

/// The vertices of one cycle, in order; empty if there is none.
[[nodiscard]] std::vector<int> find_cycle(int count, const std::vector<Precedence>& edges);

}  // namespace bitline::graph
