// SPDX-License-Identifier: Apache-2.0
#include "mapper/graph/without_weights.h"

#include <map>

namespace bitline::graph {

Graph without_weights(const Graph& graph) {
  std::map<const Tensor*, std::shared_ptr<const Tensor>> emptied;
  const auto empty = [&emptied](std::shared_ptr<const Tensor>& weight) {
    if (!weight) return;
    std::shared_ptr<const Tensor>& shape = emptied[weight.get()];
    if (!shape) shape = std::make_shared<const Tensor>(Tensor{weight->shape, std::vector<float>()});
    weight = shape;
  };
  Graph result = graph;
  for (Node& node : result.nodes) {
    if (!on_crossbars(node)) continue;
    if (auto* conv = std::get_if<ConvAttributes>(&node.attributes)) empty(conv->weight);
    if (auto* linear = std::get_if<LinearAttributes>(&node.attributes)) empty(linear->weight);
  }
  return result;
}

}  // namespace bitline::graph
