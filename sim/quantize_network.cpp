// SPDX-License-Identifier: Apache-2.0
#include "sim/quantize_network.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <span>
#include <unordered_map>

#include "mapper/graph/given_grid.h"
#include "mapper/onnx/import.h"
#include "mapper/onnx/write_qdq.h"
#include "mapper/quantize/quantize.h"
#include "models/base/errors.h"
#include "models/base/files.h"
#include "sim/mapping.h"

namespace bitline::sim {
namespace {

constexpr std::int64_t kLargestNetwork = std::int64_t{1} << 31;

graph::Grid grid_of(const quantize::ActivationQuant& quant) {
  return {.scale = {static_cast<float>(quant.scale)},
          .zero_point = {quant.zero_point},
          .axis = 0,
          .low = quant.min_code(),
          .high = quant.max_code()};
}

graph::Grid grid_of(const quantize::WeightQuant& quant) {
  graph::Grid grid;
  grid.scale.assign(quant.scale.begin(), quant.scale.end());
  const bool one = std::all_of(grid.scale.begin(), grid.scale.end(),
                               [&](float scale) { return scale == grid.scale.front(); });
  if (one) grid.scale.resize(1);
  grid.high = (std::int64_t{1} << quant.magnitude_bits()) - 1;
  grid.low = -grid.high;
  return grid;
}

const graph::Value& value(const graph::Graph& graph, graph::ValueId id) {
  return graph.values[static_cast<std::size_t>(id)];
}

/// The weight and bias of a conv or linear node.
std::pair<const tensor::Tensor*, std::shared_ptr<const tensor::Tensor>> weights_of(const graph::Node& node) {
  if (const auto* conv = std::get_if<graph::ConvAttributes>(&node.attributes))
    return {conv->weight.get(), conv->bias};
  const auto& linear = std::get<graph::LinearAttributes>(node.attributes);
  return {linear.weight.get(), linear.bias};
}

onnx::QdqLayer to_write(const graph::Graph& graph, const quantize::LayerQuant& quant) {
  const graph::Node& node = graph.node(quant.node);
  const auto [weight, bias] = weights_of(node);
  onnx::QdqLayer layer;
  layer.node = node.name;
  layer.output = value(graph, node.outputs.front()).name;
  layer.shape = weight->shape;
  if (graph::given_grid(graph, node.inputs.front()) == nullptr) layer.input = grid_of(quant.input);
  if (graph::weight_grid(node) != nullptr) return layer;
  layer.weights = grid_of(quant.weights);
  layer.codes = quant.weights.codes;
  layer.bias = bias;
  return layer;
}

/// Root of the mean squared error of the codes, by the root of the mean square of the weights.
double relative_error(std::span<const float> weights, const quantize::WeightQuant& quant) {
  const std::size_t rows = weights.size() / quant.scale.size();
  double error = 0.0, square = 0.0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const double w = weights[i];
    const double e = w - quant.scale[i / rows] * quant.codes[i];
    error += e * e;
    square += w * w;
  }
  return square > 0.0 ? std::sqrt(error / square) : 0.0;
}

QuantizedLayer summary(const graph::Graph& graph, const quantize::LayerQuant& quant) {
  const graph::Node& node = graph.node(quant.node);
  QuantizedLayer layer;
  layer.name = node.name;
  layer.op = graph::to_string(node.op);
  layer.weight_bits = quant.weights.bits;
  layer.activation_bits = quant.input.bits;
  layer.activation_signed = quant.input.is_signed;
  layer.activation_scale = quant.input.scale;
  layer.weight_scale = *std::max_element(quant.weights.scale.begin(), quant.weights.scale.end());
  layer.weights = static_cast<std::int64_t>(quant.weights.codes.size());
  layer.saturated = quant.weights.saturated;
  if (graph::weight_grid(node) == nullptr)
    layer.weight_error = relative_error(weights_of(node).first->as<float>(), quant.weights);
  return layer;
}

/// Whether a layer of the written model has the codes and grids of the one it was written from.
bool reads_back(const graph::Graph& written, const graph::Node& node, const quantize::LayerQuant& quant) {
  const graph::Grid* input = graph::given_grid(written, node.inputs.front());
  const graph::Grid* weights = graph::weight_grid(node);
  if (input == nullptr || weights == nullptr) return false;
  const quantize::ActivationQuant x = quantize::given_activations(*input);
  const quantize::WeightQuant w = quantize::given_weights(*weights_of(node).first, *weights);
  const auto same_scale = [](double a, double b) { return static_cast<float>(a) == static_cast<float>(b); };
  return same_scale(x.scale, quant.input.scale) && x.zero_point == quant.input.zero_point &&
         x.bits == quant.input.bits && x.min_code() == quant.input.min_code() &&
         w.magnitude_bits() == quant.weights.magnitude_bits() && w.codes == quant.weights.codes &&
         std::equal(w.scale.begin(), w.scale.end(), quant.weights.scale.begin(), quant.weights.scale.end(),
                    same_scale);
}

void check(const graph::Graph& graph, std::span<const quantize::LayerQuant> quants,
           const graph::Graph& written, const std::string& file) {
  std::unordered_map<std::string, const graph::Node*> nodes;
  for (const graph::Node& node : written.nodes) nodes.emplace(node.name, &node);
  std::vector<base::Problem> problems;
  for (const quantize::LayerQuant& quant : quants) {
    const std::string& name = graph.node(quant.node).name;
    const auto found = nodes.find(name);
    if (found != nodes.end() && graph::on_crossbars(*found->second) &&
        reads_back(written, *found->second, quant))
      continue;
    problems.push_back(
        {fmt::format("{}: node '{}'", file, name), "does not read back from a QDQ model as it was quantised",
         "layers whose input and weights are values of the file", "simplify the model before"});
  }
  if (!problems.empty()) throw base::NetworkError(std::move(problems));
}

}  // namespace

QuantizedNetwork quantize_network(const QuantizeRequest& request) {
  const std::shared_ptr<const graph::Graph> graph = import_network(request.network, request.dimensions);
  const Images images = load_images(*graph, request.calibration, "--calibrate", request.normalisation);
  const reference::Executor executor(graph);
  const std::vector<quantize::Range> ranges =
      quantize::calibrate(executor, images.first(images.count()), request.precision.activations);
  const std::vector<quantize::LayerQuant> quants = quantize::quantize(*graph, ranges, request.precision);

  std::vector<onnx::QdqLayer> layers;
  QuantizedNetwork result;
  for (const quantize::LayerQuant& quant : quants) {
    layers.push_back(to_write(*graph, quant));
    result.layers.push_back(summary(*graph, quant));
  }
  const std::filesystem::path file(request.network);
  result.model = onnx::write_qdq(base::read_file(request.network, kLargestNetwork), request.network,
                                 file.has_parent_path() ? file.parent_path() : ".", layers);
  const graph::Graph written =
      onnx::import_onnx_bytes(result.model, request.network, import_options(request.dimensions));
  check(*graph, quants, written, request.network);
  return result;
}

}  // namespace bitline::sim
