// SPDX-License-Identifier: Apache-2.0
#include "mapper/graph/graph.h"

#include <algorithm>
#include <unordered_set>

#include "models/base/errors.h"

namespace bitline::graph {

std::vector<NodeId> Graph::consumers(ValueId v) const {
  std::vector<NodeId> result;
  for (std::size_t n = 0; n < nodes.size(); ++n) {
    const ValueIds& read = nodes[n].inputs;
    if (std::find(read.begin(), read.end(), v) != read.end()) result.push_back(static_cast<NodeId>(n));
  }
  return result;
}

const char* to_string(Op op) {
  switch (op) {
    case Op::conv:
      return "conv";
    case Op::linear:
      return "linear";
    case Op::scale_shift:
      return "scale_shift";
    case Op::relu:
      return "relu";
    case Op::clip:
      return "clip";
    case Op::sigmoid:
      return "sigmoid";
    case Op::elementwise:
      return "elementwise";
    case Op::gather:
      return "gather";
    case Op::rearrange:
      return "rearrange";
    case Op::reduce:
      return "reduce";
    case Op::resample:
      return "resample";
    case Op::normalise:
      return "normalise";
    case Op::matmul:
      return "matmul";
    case Op::softmax:
      return "softmax";
    case Op::max_pool:
      return "max_pool";
    case Op::average_pool:
      return "average_pool";
    case Op::global_average_pool:
      return "global_average_pool";
    case Op::add:
      return "add";
    case Op::concat:
      return "concat";
    case Op::flatten:
      return "flatten";
    case Op::reshape:
      return "reshape";
    case Op::quantize:
      return "quantize";
    case Op::dequantize:
      return "dequantize";
    case Op::dynamic_scale:
      return "dynamic_scale";
    case Op::dynamic_zero_point:
      return "dynamic_zero_point";
  }
  BITLINE_CHECK(false && "operator without a name");
  return "";
}

std::int64_t macs(const Graph& graph, const Node& node) {
  if (!is_dense(node) && node.op != Op::matmul) return 0;
  const std::int64_t outputs = tensor::element_count(graph.shape(node.outputs.at(0)));
  if (node.op == Op::matmul) return outputs * graph.shape(node.inputs.at(0)).back();
  if (const auto* conv = std::get_if<ConvAttributes>(&node.attributes)) {
    return outputs * (conv->weight->size() / conv->weight->shape[0] / conv->spread_groups);
  }
  return outputs * std::get<LinearAttributes>(node.attributes).weight->shape[1];
}

std::int64_t parameters(const Graph& graph) {
  std::int64_t total = 0;
  std::unordered_set<const Tensor*> seen;  // layers may share their weights
  const auto add = [&](const std::shared_ptr<const Tensor>& tensor, std::int64_t spread = 1) {
    if (tensor && seen.insert(tensor.get()).second) total += tensor->size() / spread;
  };
  for (const Node& node : graph.nodes) {
    if (const auto* conv = std::get_if<ConvAttributes>(&node.attributes)) {
      add(conv->weight, conv->spread_groups);
      add(conv->bias);
    } else if (const auto* linear = std::get_if<LinearAttributes>(&node.attributes)) {
      add(linear->weight);
      add(linear->bias);
    } else if (const auto* affine = std::get_if<ScaleShiftAttributes>(&node.attributes)) {
      total += static_cast<std::int64_t>(affine->scale.size() + affine->shift.size());
    }
  }
  return total;
}

}  // namespace bitline::graph
