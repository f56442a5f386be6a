// SPDX-License-Identifier: Apache-2.0
#include "mapper/graph/signs.h"

#include <algorithm>

namespace bitline::graph {
namespace {

/// Whether a node's results are never negative where its inputs are not.
bool keeps_sign(Op op) {
  switch (op) {
    case Op::gather:
    case Op::rearrange:
    case Op::reduce:
    case Op::resample:
    case Op::max_pool:
    case Op::average_pool:
    case Op::global_average_pool:
    case Op::add:
    case Op::concat:
    case Op::flatten:
    case Op::reshape:
    case Op::quantize:
    case Op::dequantize:
    case Op::matmul:
      return true;
    default:
      return false;
  }
}

bool never_negative(Op op) {
  return op == Op::relu || op == Op::sigmoid || op == Op::softmax || op == Op::dynamic_scale ||
         op == Op::dynamic_zero_point;
}

}  // namespace

std::vector<bool> can_be_negative(const Graph& graph, bool inputs_can) {
  std::vector<bool> can(graph.values.size(), true);
  for (const ValueId input : graph.inputs) can[static_cast<std::size_t>(input)] = inputs_can;
  for (const Node& node : graph.nodes) {
    const auto* clip = std::get_if<ClipAttributes>(&node.attributes);
    bool negative = !never_negative(node.op) && !(clip != nullptr && clip->min >= 0);
    if (negative && keeps_sign(node.op)) {
      negative = std::any_of(node.inputs.begin(), node.inputs.end(),
                             [&](ValueId v) { return can[static_cast<std::size_t>(v)]; });
    }
    for (const ValueId v : node.outputs) can[static_cast<std::size_t>(v)] = negative;
  }
  return can;
}

}  // namespace bitline::graph
