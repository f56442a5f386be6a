// SPDX-License-Identifier: Apache-2.0
// Grouped (depthwise) convolutions in another form, for machines that do not pack their groups
// block-diagonally.
#pragma once

#include "mapper/graph/graph.h"

namespace bitline::graph {

[[nodiscard]] inline bool is_grouped(const Node& node) {
  const auto* conv = std::get_if<ConvAttributes>(&node.attributes);
  return node.op == Op::conv && conv != nullptr && conv->group > 1;
}

/// Each grouped convolution as one of a single group: weight [O, C, kh, kw] with zeros where an output does
/// not read a channel. Values, nodes and their numbers stay. Throws base::MappingError naming each node whose
/// weight would have more than 2^28 elements.
[[nodiscard]] Graph spread_groups(const Graph& graph);

/// Each grouped convolution on the digital units.
[[nodiscard]] Graph digital_groups(const Graph& graph);

}  // namespace bitline::graph
