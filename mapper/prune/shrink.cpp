// SPDX-License-Identifier: Apache-2.0
#include "mapper/prune/shrink.h"

#include <memory>
#include <numeric>
#include <utility>

namespace bitline::prune {
namespace {

using graph::Graph;
using graph::Node;
using graph::ValueId;
using tensor::Tensor;
using Indices = std::vector<std::int64_t>;

/// The elements of `from` at these indices of dimension `axis`.
template <class T>
std::vector<T> taken(const std::vector<T>& from, const graph::Shape& shape, std::size_t axis,
                     const Indices& indices) {
  const auto product = [&](std::size_t first, std::size_t last) {
    return std::accumulate(shape.begin() + static_cast<std::ptrdiff_t>(first),
                           shape.begin() + static_cast<std::ptrdiff_t>(last), std::int64_t{1},
                           std::multiplies<>());
  };
  const std::int64_t outer = product(0, axis);
  const std::int64_t inner = product(axis + 1, shape.size());
  std::vector<T> result;
  result.reserve(static_cast<std::size_t>(outer * inner) * indices.size());
  for (std::int64_t o = 0; o < outer; ++o) {
    for (const std::int64_t i : indices) {
      const auto first = from.begin() + (o * shape[axis] + i) * inner;
      result.insert(result.end(), first, first + inner);
    }
  }
  return result;
}

std::shared_ptr<const Tensor> taken(const std::shared_ptr<const Tensor>& from, std::size_t axis,
                                    const Indices& indices) {
  if (from == nullptr || from->shape[axis] == std::ssize(indices)) return from;
  auto result = std::make_shared<Tensor>(Tensor{from->shape, {}});
  result->shape[axis] = std::ssize(indices);
  std::visit([&](const auto& values) { result->data = taken(values, from->shape, axis, indices); },
             from->data);
  return result;
}

std::shared_ptr<const graph::Grid> taken(const std::shared_ptr<const graph::Grid>& from,
                                         const Indices& outputs) {
  if (from == nullptr || from->scale.size() <= 1) return from;
  auto result = std::make_shared<graph::Grid>(*from);
  const graph::Shape shape{static_cast<std::int64_t>(from->scale.size())};
  result->scale = taken(from->scale, shape, 0, outputs);
  result->zero_point = taken(from->zero_point, shape, 0, outputs);
  return result;
}

Indices all(std::int64_t count) {
  Indices indices(static_cast<std::size_t>(count));
  std::iota(indices.begin(), indices.end(), std::int64_t{0});
  return indices;
}

class Shrinker {
 public:
  Shrinker(const Graph& graph, const Channels& channels, const Kept& kept,
           std::vector<quantize::LayerQuant>& layers)
      : from_(graph), channels_(channels), kept_(kept), layers_(layers), to_(graph) {}

  Graph run() {
    for (std::size_t v = 0; v < from_.values.size(); ++v)
      if (channels_.tracked(static_cast<ValueId>(v))) to_.values[v].shape[1] = std::ssize(kept_[v]);
    for (std::size_t n = 0; n < to_.nodes.size(); ++n) {
      Node& node = to_.nodes[n];
      switch (channels_.role(static_cast<graph::NodeId>(n))) {
        case Role::dense:
          cut_weights(node, inputs_of(node));
          break;
        case Role::depthwise:
          std::get<graph::ConvAttributes>(node.attributes).group = std::ssize(outputs_of(node));
          cut_weights(node, all(1));
          break;
        case Role::channelwise:
          cut_operands(node);
          break;
        case Role::concat:
        case Role::flatten:
        case Role::opaque:
          break;
      }
    }
    for (quantize::LayerQuant& layer : layers_) cut_codes(layer);
    return std::move(to_);
  }

 private:
  [[nodiscard]] const Indices& outputs_of(const Node& node) const {
    return kept_[static_cast<std::size_t>(node.outputs.front())];
  }
  [[nodiscard]] Indices inputs_of(const Node& node) const {
    const ValueId in = node.inputs.front();
    return channels_.tracked(in) ? kept_[static_cast<std::size_t>(in)] : all(from_.shape(in)[1]);
  }

  void cut_weights(Node& node, const Indices& inputs) const {
    const Indices& outputs = outputs_of(node);
    const auto cut = [&](auto& attributes) {
      attributes.weight = taken(taken(attributes.weight, 0, outputs), 1, inputs);
      attributes.bias = taken(attributes.bias, 0, outputs);
      attributes.grid = taken(attributes.grid, outputs);
    };
    if (auto* conv = std::get_if<graph::ConvAttributes>(&node.attributes)) {
      cut(*conv);
    } else {
      cut(std::get<graph::LinearAttributes>(node.attributes));
    }
  }

  void cut_operands(Node& node) {
    const Indices& outputs = outputs_of(node);
    if (auto* affine = std::get_if<graph::ScaleShiftAttributes>(&node.attributes)) {
      const graph::Shape shape{static_cast<std::int64_t>(affine->scale.size())};
      affine->scale = taken(affine->scale, shape, 0, outputs);
      affine->shift = taken(affine->shift, shape, 0, outputs);
    }
    const std::size_t rank = from_.shape(node.outputs.front()).size();
    for (ValueId& v : node.inputs) {
      const graph::Value& operand = from_.values[static_cast<std::size_t>(v)];
      const std::int64_t axis = operand.constant == nullptr ? -1 : channel_dimension(operand.shape, rank);
      if (axis < 0 || operand.shape[static_cast<std::size_t>(axis)] == std::ssize(outputs)) continue;
      graph::Value own = operand;
      own.constant = taken(operand.constant, static_cast<std::size_t>(axis), outputs);
      own.shape = own.constant->shape;
      v = static_cast<ValueId>(to_.values.size());
      to_.values.push_back(std::move(own));
    }
  }

  void cut_codes(quantize::LayerQuant& layer) const {
    const Node& node = from_.node(layer.node);
    const Role role = channels_.role(layer.node);
    if (role != Role::dense && role != Role::depthwise) return;
    const auto* conv = std::get_if<graph::ConvAttributes>(&node.attributes);
    graph::Shape shape = conv != nullptr ? conv->weight->shape
                                         : std::get<graph::LinearAttributes>(node.attributes).weight->shape;
    const Indices& outputs = outputs_of(node);
    quantize::WeightQuant& weights = layer.weights;
    weights.scale = taken(weights.scale, {shape[0]}, 0, outputs);
    weights.codes = taken(weights.codes, shape, 0, outputs);
    shape[0] = std::ssize(outputs);
    if (role == Role::dense) weights.codes = taken(weights.codes, shape, 1, inputs_of(node));
  }

  const Graph& from_;
  const Channels& channels_;
  const Kept& kept_;
  std::vector<quantize::LayerQuant>& layers_;
  Graph to_;
};

}  // namespace

Graph shrink(const Graph& graph, const Channels& channels, const Kept& kept,
             std::vector<quantize::LayerQuant>& layers) {
  return Shrinker(graph, channels, kept, layers).run();
}

}  // namespace bitline::prune
