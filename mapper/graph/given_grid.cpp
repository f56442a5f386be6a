// SPDX-License-Identifier: Apache-2.0
#include "mapper/graph/given_grid.h"

#include <bit>

namespace bitline::graph {

namespace {

/// Operators whose results are some of the elements of their first input, and zeros.
bool keeps_elements(const Node& node) {
  if (const auto* moved = std::get_if<RearrangeAttributes>(&node.attributes)) return moved->fill == 0.0F;
  return node.op == Op::reshape || node.op == Op::flatten || node.op == Op::max_pool;
}

bool holds_zero(const Grid& grid) {
  return grid.zero_point.front() >= grid.low && grid.zero_point.front() <= grid.high;
}

}  // namespace

int code_bits(std::int64_t low, std::int64_t high) {
  if (low >= 0) return std::bit_width(static_cast<std::uint64_t>(high));
  const std::int64_t below = -(low + 1);
  return std::bit_width(static_cast<std::uint64_t>(below > high ? below : high)) + 1;
}

const Grid* given_grid(const Graph& graph, ValueId value) {
  bool has_zeros = false;
  for (;;) {
    const NodeId producer = graph.values[static_cast<std::size_t>(value)].producer;
    if (producer < 0) return nullptr;
    const Node& node = graph.node(producer);
    if (node.op == Op::dequantize) {
      const Grid& grid = std::get<Grid>(node.attributes);
      return grid.per_tensor() && (!has_zeros || holds_zero(grid)) ? &grid : nullptr;
    }
    if (!keeps_elements(node)) return nullptr;
    has_zeros = has_zeros || node.op == Op::rearrange;
    value = node.inputs.front();
  }
}

const Grid* weight_grid(const Node& node) {
  const auto* conv = std::get_if<ConvAttributes>(&node.attributes);
  return conv != nullptr ? conv->grid.get() : std::get<LinearAttributes>(node.attributes).grid.get();
}

}  // namespace bitline::graph
