// SPDX-License-Identifier: Apache-2.0
#include "mapper/prune/constants.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

#include "mapper/reference/executor.h"

namespace bitline::prune {
namespace {

using graph::Graph;
using graph::Node;
using graph::ValueId;
using tensor::Tensor;

class Propagation {
 public:
  Propagation(const Graph& graph, const Channels& channels,
              const std::vector<const quantize::LayerQuant*>& layers)
      : graph_(graph), channels_(channels), layers_(layers), known_(graph.values.size()) {
    for (std::size_t v = 0; v < known_.size(); ++v)
      if (channels.tracked(static_cast<ValueId>(v)))
        known_[v].resize(static_cast<std::size_t>(channels.count(static_cast<ValueId>(v))));
  }

  Constants run() {
    for (std::size_t n = 0; n < graph_.nodes.size(); ++n) {
      const Node& node = graph_.nodes[n];
      switch (channels_.role(static_cast<graph::NodeId>(n))) {
        case Role::dense:
          dense(node, *layers_[n]);
          break;
        case Role::depthwise:
          depthwise(node, *layers_[n]);
          break;
        case Role::channelwise:
          channelwise(node);
          break;
        case Role::concat:
          concat(node);
          break;
        case Role::flatten:
          flatten(node);
          break;
        case Role::opaque:
          break;
      }
    }
    return std::move(known_);
  }

 private:
  [[nodiscard]] std::optional<float> known(ValueId v, std::int64_t channel) const {
    if (!channels_.tracked(v)) return std::nullopt;
    return known_[static_cast<std::size_t>(v)][static_cast<std::size_t>(channel)];
  }
  void set(ValueId v, std::int64_t channel, std::optional<float> value) {
    known_[static_cast<std::size_t>(v)][static_cast<std::size_t>(channel)] = value;
  }

  /// What an input channel gives to a sum, if that is the same everywhere.
  [[nodiscard]] std::optional<std::int64_t> given(const WeightMatrix& weights,
                                                  const quantize::LayerQuant& quant, std::int64_t output,
                                                  std::int64_t input, std::optional<float> value) const {
    if (!weights.uses(output, input)) return 0;
    if (!value || !weights.uniform(*value)) return std::nullopt;
    return weights.contribution(output, input, quant.input.code(*value));
  }

  void dense(const Node& node, const quantize::LayerQuant& quant) {
    const WeightMatrix weights(node, quant);
    const std::vector<quantize::OutputScale> scales = quantize::output_scales(node, quant);
    for (std::int64_t o = 0; o < weights.outputs(); ++o) {
      std::optional<std::int64_t> sum = 0;
      for (std::int64_t i = 0; sum && i < weights.inputs(); ++i) {
        const auto part = given(weights, quant, o, i, known(node.inputs.front(), i));
        sum = part ? std::optional(*sum + *part) : std::nullopt;
      }
      if (sum) set(node.outputs.front(), o, scales[static_cast<std::size_t>(o)].real(*sum));
    }
  }

  void depthwise(const Node& node, const quantize::LayerQuant& quant) {
    const WeightMatrix weights(node, quant);
    const std::vector<quantize::OutputScale> scales = quantize::output_scales(node, quant);
    for (std::int64_t o = 0; o < weights.outputs(); ++o) {
      const auto sum = given(weights, quant, o, 0, known(node.inputs.front(), o));
      if (sum) set(node.outputs.front(), o, scales[static_cast<std::size_t>(o)].real(*sum));
    }
  }

  /// Computes the node on tensors that hold the known channels.
  void channelwise(const Node& node) {
    const ValueId out = node.outputs.front();
    const auto is_known = [&](std::int64_t c) {
      return std::all_of(node.inputs.begin(), node.inputs.end(), [&](ValueId v) {
        return graph_.values[static_cast<std::size_t>(v)].constant != nullptr || known(v, c).has_value();
      });
    };
    std::vector<std::int64_t> candidates;
    for (std::int64_t c = 0; c < channels_.count(out); ++c)
      if (is_known(c)) candidates.push_back(c);
    if (candidates.empty()) return;
    std::vector<Tensor> filled;
    filled.reserve(node.inputs.size());
    std::vector<const Tensor*> operands;
    for (const ValueId v : node.inputs) {
      const Tensor* constant = graph_.values[static_cast<std::size_t>(v)].constant.get();
      if (constant == nullptr) filled.push_back(tensor_of(v));
      operands.push_back(constant != nullptr ? constant : &filled.back());
    }
    const Tensor y = reference::evaluate(node, operands, graph_.shape(out));
    const std::vector<float>& values = y.as<float>();
    const std::size_t plane = values.size() / static_cast<std::size_t>(channels_.count(out));
    for (const std::int64_t c : candidates) {
      const auto first = values.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(c) * plane);
      const auto same = [first](float x) {
        return std::bit_cast<std::uint32_t>(x) == std::bit_cast<std::uint32_t>(*first);
      };
      if (std::isfinite(*first) && std::all_of(first, first + static_cast<std::ptrdiff_t>(plane), same))
        set(out, c, *first);
    }
  }

  [[nodiscard]] Tensor tensor_of(ValueId v) const {
    const graph::Shape& shape = graph_.shape(v);
    Tensor x{shape, std::vector<float>(static_cast<std::size_t>(tensor::element_count(shape)), 0.0F)};
    if (!channels_.tracked(v)) return x;
    const auto plane = static_cast<std::ptrdiff_t>(x.as<float>().size()) / channels_.count(v);
    for (std::int64_t c = 0; c < channels_.count(v); ++c)
      std::fill_n(x.as<float>().begin() + c * plane, plane, known(v, c).value_or(0.0F));
    return x;
  }

  void concat(const Node& node) {
    std::int64_t first = 0;
    for (const ValueId v : node.inputs) {
      const std::int64_t count = graph_.shape(v)[1];
      for (std::int64_t c = 0; c < count; ++c) set(node.outputs.front(), first + c, known(v, c));
      first += count;
    }
  }

  void flatten(const Node& node) {
    const ValueId in = node.inputs.front();
    const ValueId out = node.outputs.front();
    if (!channels_.tracked(in)) return;
    const std::int64_t run = channels_.count(out) / channels_.count(in);
    for (std::int64_t c = 0; c < channels_.count(out); ++c) set(out, c, known(in, c / run));
  }

  const Graph& graph_;
  const Channels& channels_;
  const std::vector<const quantize::LayerQuant*>& layers_;
  Constants known_;
};

}  // namespace

WeightMatrix::WeightMatrix(const Node& node, const quantize::LayerQuant& quant) : quant_(quant) {
  const auto* conv = std::get_if<graph::ConvAttributes>(&node.attributes);
  const graph::Shape& shape = conv != nullptr
                                  ? conv->weight->shape
                                  : std::get<graph::LinearAttributes>(node.attributes).weight->shape;
  outputs_ = shape[0];
  inputs_ = shape[1];
  taps_ = conv != nullptr ? shape[2] * shape[3] : 1;
  padded_ =
      conv != nullptr && std::any_of(conv->pads.begin(), conv->pads.end(), [](auto p) { return p != 0; });
}

std::span<const std::int32_t> WeightMatrix::of(std::int64_t output, std::int64_t input) const {
  return std::span(quant_.weights.codes)
      .subspan(static_cast<std::size_t>((output * inputs_ + input) * taps_), static_cast<std::size_t>(taps_));
}

bool WeightMatrix::uses(std::int64_t output, std::int64_t input) const {
  const auto codes = of(output, input);
  return std::any_of(codes.begin(), codes.end(), [](std::int32_t q) { return q != 0; });
}

std::int64_t WeightMatrix::contribution(std::int64_t output, std::int64_t input, std::int64_t code) const {
  const auto codes = of(output, input);
  return (code - quant_.input.zero_point) * std::accumulate(codes.begin(), codes.end(), std::int64_t{0});
}

bool WeightMatrix::uniform(float value) const {
  return !padded_ || quant_.input.code(value) == quant_.input.zero_point;
}

Constants constant_channels(const Graph& graph, const Channels& channels,
                            const std::vector<const quantize::LayerQuant*>& layers) {
  return Propagation(graph, channels, layers).run();
}

}  // namespace bitline::prune
