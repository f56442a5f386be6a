// SPDX-License-Identifier: Apache-2.0
#include "mapper/graph/shared_weights.h"

#include <map>
#include <tuple>

namespace bitline::graph {

std::vector<NodeId> first_with_weights(const Graph& graph) {
  using Key = std::tuple<const Tensor*, const Grid*, Op, std::int64_t>;  // the last: groups
  std::map<Key, NodeId> first;
  std::vector<NodeId> result;
  result.reserve(graph.nodes.size());
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
    const Node& node = graph.nodes[n];
    const auto id = static_cast<NodeId>(n);
    const auto add = [&](const auto& attributes, std::int64_t group) {
      if (attributes.weight.use_count() <= 1) return id;  // none, or no one else's
      const Key key{attributes.weight.get(), attributes.grid.get(), node.op, group};
      return first.try_emplace(key, id).first->second;
    };
    if (const auto* conv = std::get_if<ConvAttributes>(&node.attributes)) {
      result.push_back(add(*conv, conv->group));
    } else if (const auto* linear = std::get_if<LinearAttributes>(&node.attributes)) {
      result.push_back(add(*linear, 1));
    } else {
      result.push_back(id);
    }
  }
  return result;
}

}  // namespace bitline::graph
