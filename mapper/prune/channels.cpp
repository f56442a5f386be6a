// SPDX-License-Identifier: Apache-2.0
#include "mapper/prune/channels.h"

#include <algorithm>
#include <map>

#include "mapper/graph/shared_weights.h"
#include "mapper/tensor/tensor.h"

namespace bitline::prune {
namespace {

using graph::Graph;
using graph::Node;
using graph::Op;
using graph::Shape;
using graph::ValueId;

bool is_constant(const Graph& graph, ValueId v) {
  return graph.values[static_cast<std::size_t>(v)].constant != nullptr;
}

/// Each input is the same for all channels, or has one element or more for each of them.
bool is_channelwise(const Graph& graph, const Node& node) {
  const Shape& y = graph.shape(node.outputs.front());
  return std::all_of(node.inputs.begin(), node.inputs.end(), [&](ValueId v) {
    const Shape& x = graph.shape(v);
    if (!is_constant(graph, v)) return x.size() == y.size() && x[1] == y[1];
    const std::int64_t dimension = channel_dimension(x, y.size());
    return dimension < 0 || x[static_cast<std::size_t>(dimension)] == y[1];
  });
}

bool flattens(const Graph& graph, const Node& node) {
  const Shape& x = graph.shape(node.inputs.front());
  const Shape& y = graph.shape(node.outputs.front());
  return x.size() >= 2 && x[0] == y[0] && y[1] % std::max<std::int64_t>(x[1], 1) == 0;
}

Role role_of(const Graph& graph, const Node& node, bool shares_weights) {
  const Shape& y = graph.shape(node.outputs.front());
  if (y.size() < 2 || y[0] != 1) return Role::opaque;
  switch (node.op) {
    case Op::conv: {
      const auto& conv = std::get<graph::ConvAttributes>(node.attributes);
      if (conv.digital || shares_weights) return Role::opaque;
      if (conv.group == 1) return Role::dense;
      return conv.group == y[1] && conv.weight->shape[1] == 1 ? Role::depthwise : Role::opaque;
    }
    case Op::linear:
      return y.size() == 2 && !shares_weights ? Role::dense : Role::opaque;
    case Op::relu:
    case Op::clip:
    case Op::sigmoid:
    case Op::scale_shift:
    case Op::elementwise:
    case Op::add:
    case Op::max_pool:
    case Op::average_pool:
    case Op::global_average_pool:
      return is_channelwise(graph, node) ? Role::channelwise : Role::opaque;
    case Op::quantize:
    case Op::dequantize:
      return node.inputs.size() == 1 && std::get<graph::Grid>(node.attributes).per_tensor()
                 ? Role::channelwise
                 : Role::opaque;
    case Op::concat: {
      const bool computed = std::none_of(node.inputs.begin(), node.inputs.end(),
                                         [&](ValueId v) { return is_constant(graph, v); });
      return computed && std::get<graph::AxisAttributes>(node.attributes).axis == 1 ? Role::concat
                                                                                    : Role::opaque;
    }
    case Op::flatten:
    case Op::reshape:
      return flattens(graph, node) ? Role::flatten : Role::opaque;
    default:
      return Role::opaque;
  }
}

std::vector<Role> roles_of(const Graph& graph) {
  const std::vector<graph::NodeId> first = graph::first_with_weights(graph);
  std::map<graph::NodeId, int> users;
  for (const graph::NodeId n : first) ++users[n];
  std::vector<Role> roles;
  for (std::size_t n = 0; n < graph.nodes.size(); ++n)
    roles.push_back(role_of(graph, graph.nodes[n], users[first[n]] > 1));
  return roles;
}

}  // namespace

std::int64_t channel_dimension(const Shape& constant, std::size_t rank) {
  if (constant.size() + 1 < rank) return -1;
  if (constant.size() > rank) return -1;
  const std::size_t dimension = constant.size() + 1 - rank;
  return constant[dimension] == 1 ? -1 : static_cast<std::int64_t>(dimension);
}

Channels::Channels(const Graph& graph)
    : graph_(graph), roles_(roles_of(graph)), first_(graph.values.size(), -1) {
  std::int64_t channels = 0;
  for (const Node& node : graph.nodes) {
    const ValueId v = node.outputs.front();
    if (graph.shape(v).size() < 2) continue;
    first_[static_cast<std::size_t>(v)] = channels;
    channels += graph.shape(v)[1];
  }
  pinned_.assign(static_cast<std::size_t>(channels), false);
  Sets sets(static_cast<std::size_t>(channels));
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) tie(graph.nodes[n], roles_[n], sets);
  for (const ValueId v : graph.outputs) pin(v);
  std::vector<bool> set_pinned(pinned_.size(), false);
  for (std::size_t e = 0; e < pinned_.size(); ++e) {
    set_.push_back(sets.find_set(e));
    if (pinned_[e]) set_pinned[set_.back()] = true;
  }
  pinned_ = std::move(set_pinned);
}

std::int64_t Channels::count(ValueId value) const {
  return graph_.shape(value)[1];
}

std::size_t Channels::element(ValueId value, std::int64_t channel) const {
  return static_cast<std::size_t>(first_[static_cast<std::size_t>(value)] + channel);
}

std::size_t Channels::set_of(ValueId value, std::int64_t channel) const {
  return set_[element(value, channel)];
}

void Channels::pin(ValueId value) {
  if (!tracked(value)) return;
  for (std::int64_t c = 0; c < count(value); ++c) pinned_[element(value, c)] = true;
}

void Channels::tie(const Node& node, Role role, Sets& sets) {
  const ValueId out = node.outputs.front();
  const ValueId in = node.inputs.front();
  switch (role) {
    case Role::dense:
      return;
    case Role::depthwise:
    case Role::channelwise:
      tie_channelwise(node, sets);
      return;
    case Role::concat: {
      std::int64_t first = 0;
      for (const ValueId v : node.inputs) {
        const std::int64_t channels = graph_.shape(v)[1];
        for (std::int64_t c = 0; c < channels; ++c) {
          if (tracked(v)) sets.union_set(element(v, c), element(out, first + c));
          if (!tracked(v)) pinned_[element(out, first + c)] = true;
        }
        first += channels;
      }
      return;
    }
    case Role::flatten: {
      if (!tracked(in)) return pin(out);
      const std::int64_t run = count(out) / count(in);
      for (std::int64_t c = 0; c < count(out); ++c) sets.union_set(element(in, c / run), element(out, c));
      return;
    }
    case Role::opaque:
      for (const ValueId v : node.inputs) pin(v);
      pin(out);
      return;
  }
}

void Channels::tie_channelwise(const Node& node, Sets& sets) {
  const ValueId out = node.outputs.front();
  for (const ValueId v : node.inputs) {
    if (is_constant(graph_, v)) continue;
    if (!tracked(v)) {
      pin(out);
      continue;
    }
    for (std::int64_t c = 0; c < count(out); ++c) sets.union_set(element(v, c), element(out, c));
  }
}

}  // namespace bitline::prune
