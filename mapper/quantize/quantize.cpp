// SPDX-License-Identifier: Apache-2.0
#include "mapper/quantize/quantize.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include <tbb/parallel_for.h>

#include "mapper/graph/given_grid.h"
#include "mapper/graph/shared_weights.h"
#include "mapper/quantize/minimum_error.h"
#include "mapper/reference/integer_kernel.h"
#include "models/base/errors.h"

namespace bitline::quantize {
namespace {

constexpr int kMaxBits = 16;

void require_bits(const char* key, int bits, int low) {
  if (bits >= low && bits <= kMaxBits) return;
  throw base::ConfigError(base::Problem{.where = key,
                                        .given = fmt::format("{} bits", bits),
                                        .allowed = fmt::format("{} to {} bits", low, kMaxBits),
                                        .remedy = {}});
}

std::span<const float> float_weights(const tensor::Tensor& weight) {
  BITLINE_CHECK(weight.holds<float>() && !weight.shape.empty());
  return weight.as<float>();
}

/// Of finite numbers: their bits without the sign are in the same order, and integers are compared in
/// vectors.
double max_magnitude(std::span<const float> values) {
  std::int32_t largest = 0;
  for (const float v : values) largest = std::max(largest, std::bit_cast<std::int32_t>(v) & INT32_MAX);
  return static_cast<double>(std::bit_cast<float>(largest));
}

/// S = ceil(log2(x)) of x > 0, exactly.
int ceil_log2(double x) {
  int exponent = 0;
  const double mantissa = std::frexp(x, &exponent);  // x = mantissa * 2^exponent, mantissa in [0.5, 1)
  return mantissa == 0.5 ? exponent - 1 : exponent;
}

/// rint(x), half to even, of |x| < 2^51, in what every vector unit has: the sum has no bits below 1.
double round_half_even(double x) {
  constexpr double kOnes = 0x1.8p52;
  return (x + kOnes) - kOnes;
}

/// Rounds `values` to multiples of `scale`, held at +-limit; returns how many were beyond it.
std::int64_t round_to_codes(std::span<const float> values, double scale, std::int32_t limit,
                            std::span<std::int32_t> codes) {
  const double beyond = limit + 1.0;
  std::int32_t saturated = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double steps = std::clamp(static_cast<double>(values[i]) / scale, -beyond, beyond);
    const auto code = static_cast<std::int32_t>(round_half_even(steps));
    codes[i] = std::clamp(code, -limit, limit);
    saturated += codes[i] != code ? 1 : 0;
  }
  return saturated;
}

void quantize_symmetric(std::span<const float> weights, const arch::PrecisionParams::Weights& precision,
                        WeightQuant& quant) {
  const std::size_t outputs = quant.scale.size();
  const std::size_t rows = weights.size() / std::max<std::size_t>(outputs, 1);
  const std::int32_t limit = (1 << (quant.bits - 1)) - 1;
  const auto covered = [&](std::span<const float> values) {
    return precision.calibration == arch::WeightRange::mse ? least_error_magnitude(values, limit)
                                                           : max_magnitude(values);
  };
  const bool per_channel = precision.granularity == arch::Granularity::per_channel;
  const double whole = per_channel ? 0.0 : covered(weights);
  std::vector<std::int64_t> saturated(outputs);
  tbb::parallel_for(std::size_t{0}, outputs, [&](std::size_t o) {
    const auto channel = weights.subspan(o * rows, rows);
    const double largest = per_channel ? covered(channel) : whole;
    quant.scale[o] = largest == 0.0 ? 1.0 : largest / limit;
    saturated[o] =
        round_to_codes(channel, quant.scale[o], limit, std::span(quant.codes).subspan(o * rows, rows));
  });
  quant.saturated = std::accumulate(saturated.begin(), saturated.end(), std::int64_t{0});
}

void quantize_dynamic_fixed_point(std::span<const float> weights, WeightQuant& quant) {
  const double largest = max_magnitude(weights);
  const double step = largest == 0.0 ? 1.0 : std::ldexp(1.0, ceil_log2(largest) - quant.bits);
  std::fill(quant.scale.begin(), quant.scale.end(), step);
  quant.saturated = round_to_codes(weights, step, (1 << quant.bits) - 1, quant.codes);
}

}  // namespace

std::int64_t ActivationQuant::min_code() const {
  return is_signed ? -(std::int64_t{1} << (bits - 1)) + (symmetric ? 1 : 0) : 0;
}

std::int64_t ActivationQuant::max_code() const {
  return (std::int64_t{1} << (is_signed ? bits - 1 : bits)) - 1;
}

std::int32_t ActivationQuant::code(float x) const {
  const double rounded = std::nearbyint(static_cast<double>(x) / scale) + static_cast<double>(zero_point);
  return static_cast<std::int32_t>(
      std::clamp(rounded, static_cast<double>(min_code()), static_cast<double>(max_code())));
}

ActivationQuant quantize_range(Range range, int bits) {
  const bool is_signed = range.min < 0.0;
  require_bits("precision.activations.bits", bits, is_signed ? 2 : 1);
  ActivationQuant quant{.bits = bits, .is_signed = is_signed, .scale = 1.0, .zero_point = 0};
  const double largest = std::max(std::abs(range.min), std::abs(range.max));
  if (largest > 0.0) quant.scale = largest / static_cast<double>(quant.max_code());
  return quant;
}

ActivationQuant given_activations(const graph::Grid& grid) {
  BITLINE_CHECK(grid.per_tensor());
  ActivationQuant quant{.bits = graph::code_bits(grid.low, grid.high),
                        .is_signed = grid.low < 0,
                        .scale = static_cast<double>(grid.scale.front()),
                        .zero_point = grid.zero_point.front()};
  quant.symmetric = grid.low > -(std::int64_t{1} << (quant.bits - 1));
  require_bits("bits of activations that the network gives", quant.bits, quant.is_signed ? 2 : 1);
  return quant;
}

WeightQuant given_weights(const tensor::Tensor& weight, const graph::Grid& grid) {
  const std::span<const float> values = float_weights(weight);
  WeightQuant quant{.bits = 2, .scheme = arch::WeightScheme::symmetric, .scale = {}, .codes = {}};
  quant.scale.assign(grid.scale.begin(), grid.scale.end());
  quant.scale.resize(static_cast<std::size_t>(weight.shape[0]), quant.scale.front());
  quant.codes.resize(values.size());
  const std::size_t rows = values.size() / quant.scale.size();
  std::int32_t largest = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double code = std::nearbyint(static_cast<double>(values[i]) / quant.scale[i / rows]);
    if (!(std::abs(code) < INT32_MAX)) require_bits("bits of weights that the network gives", 32, 2);
    quant.codes[i] = static_cast<std::int32_t>(code);
    largest = std::max(largest, std::abs(quant.codes[i]));
  }
  // A type of more than 8 bits as such says nothing of the codes.
  const bool narrow = grid.low > INT16_MIN && grid.high < UINT16_MAX;
  if (narrow) quant.bits = std::max(2, graph::code_bits(grid.low, grid.high));
  while (largest > (std::int64_t{1} << (quant.bits - 1)) - 1) ++quant.bits;
  require_bits("bits of weights that the network gives", quant.bits, 2);
  return quant;
}

WeightQuant quantize_weights(const tensor::Tensor& weight, const arch::PrecisionParams::Weights& precision) {
  const bool symmetric = precision.scheme == arch::WeightScheme::symmetric;
  require_bits("precision.weights.bits", precision.bits, symmetric ? 2 : 1);
  const std::span<const float> values = float_weights(weight);
  WeightQuant quant{.bits = precision.bits, .scheme = precision.scheme, .scale = {}, .codes = {}};
  quant.scale.resize(static_cast<std::size_t>(weight.shape[0]));
  quant.codes.resize(values.size());
  if (symmetric) {
    quantize_symmetric(values, precision, quant);
  } else {
    quantize_dynamic_fixed_point(values, quant);
  }
  return quant;
}

std::vector<OutputScale> output_scales(const graph::Node& node, const LayerQuant& quant) {
  const auto& bias = node.op == graph::Op::conv ? std::get<graph::ConvAttributes>(node.attributes).bias
                                                : std::get<graph::LinearAttributes>(node.attributes).bias;
  const bool given = graph::weight_grid(node) != nullptr;
  std::vector<OutputScale> scales(quant.weights.scale.size());
  for (std::size_t o = 0; o < scales.size(); ++o) {
    const float value = bias == nullptr ? 0.0F : bias->as<float>()[o];
    const double step = quant.input.scale * quant.weights.scale[o];
    scales[o] = {step, given ? reference::bias_in_steps(value, step) : static_cast<double>(value) / step};
  }
  return scales;
}

arch::PrecisionParams layer_precision(const arch::PrecisionParams& precision, const std::string& name) {
  arch::PrecisionParams own = precision;
  own.layers.clear();
  for (const arch::LayerBits& row : precision.layers) {
    if (row.layer != name) continue;
    if (row.weights != 0) own.weights.bits = row.weights;
    if (row.activations != 0) own.activations.bits = row.activations;
  }
  return own;
}

std::vector<base::Problem> unknown_layers(const graph::Graph& graph, const std::string& key,
                                          std::span<const std::string> names) {
  std::vector<base::Problem> problems;
  for (const std::string& name : names) {
    const bool known = std::any_of(graph.nodes.begin(), graph.nodes.end(), [&](const graph::Node& node) {
      return graph::is_dense(node) && node.name == name;
    });
    if (known) continue;
    problems.push_back({.where = key,
                        .given = fmt::format("layer '{}'", name),
                        .allowed = "a layer of the network with weights",
                        .remedy = "see `bitline show` for their names"});
  }
  return problems;
}

std::vector<std::string> layer_names(const arch::PrecisionParams& precision) {
  std::vector<std::string> names;
  for (const arch::LayerBits& row : precision.layers) names.push_back(row.layer);
  return names;
}

void require_layers(const graph::Graph& graph, const arch::PrecisionParams& precision) {
  std::vector<base::Problem> problems = unknown_layers(graph, "precision.layers", layer_names(precision));
  if (!problems.empty()) throw base::ConfigError(std::move(problems));
}

WeightQuant quantize_weights(const graph::Node& node, const arch::PrecisionParams& precision) {
  const tensor::Tensor& weight = node.op == graph::Op::conv
                                     ? *std::get<graph::ConvAttributes>(node.attributes).weight
                                     : *std::get<graph::LinearAttributes>(node.attributes).weight;
  const graph::Grid* grid = graph::weight_grid(node);
  if (grid != nullptr) return given_weights(weight, *grid);
  return quantize_weights(weight, layer_precision(precision, node.name).weights);
}

namespace {

/// The range of each layer's inputs, by node: of all layers with the same weights together, whose crossbars
/// and converters they share.
std::vector<Range> input_ranges(const graph::Graph& graph, std::span<const Range> ranges,
                                const std::vector<graph::NodeId>& first) {
  std::vector<Range> result(graph.nodes.size());
  const auto merge = [](Range& into, const Range& range) {
    into = {std::min(into.min, range.min), std::max(into.max, range.max)};
  };
  for (std::size_t n = 0; n < result.size(); ++n) {
    if (!graph::on_crossbars(graph.nodes[n])) continue;
    const auto owner = static_cast<std::size_t>(first[n]);
    const Range& own = ranges[static_cast<std::size_t>(graph.nodes[n].inputs.front())];
    if (owner == n) result[n] = own;
    merge(result[owner], own);
  }
  for (std::size_t n = 0; n < result.size(); ++n) result[n] = result[static_cast<std::size_t>(first[n])];
  return result;
}

}  // namespace

namespace {

template <class Weights>
std::vector<LayerQuant> quantize_layers(const graph::Graph& graph, std::span<const Range> ranges,
                                        const arch::PrecisionParams& precision, Weights weights_of) {
  BITLINE_CHECK(ranges.size() == graph.values.size());
  require_layers(graph, precision);
  const std::vector<Range> inputs = input_ranges(graph, ranges, graph::first_with_weights(graph));
  std::vector<LayerQuant> layers;
  layers.reserve(graph.nodes.size());
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
    const graph::Node& node = graph.nodes[n];
    if (!graph::on_crossbars(node)) continue;
    const Range range = inputs[n];
    const graph::Grid* input = graph::given_grid(graph, node.inputs.front());
    layers.push_back(
        {.node = static_cast<graph::NodeId>(n),
         .input = input != nullptr
                      ? given_activations(*input)
                      : quantize_range(range, layer_precision(precision, node.name).activations.bits),
         .weights = weights_of(node)});
  }
  return layers;
}

}  // namespace

std::vector<LayerQuant> quantize(const graph::Graph& graph, std::span<const Range> ranges,
                                 const arch::PrecisionParams& precision) {
  return quantize_layers(graph, ranges, precision,
                         [&](const graph::Node& node) { return quantize_weights(node, precision); });
}

std::vector<LayerQuant> quantize_shapes(const graph::Graph& graph, std::span<const Range> ranges,
                                        const arch::PrecisionParams& precision) {
  return quantize_layers(graph, ranges, precision, [&](const graph::Node& node) {
    BITLINE_CHECK(graph::weight_grid(node) == nullptr);
    const arch::PrecisionParams::Weights own = layer_precision(precision, node.name).weights;
    return WeightQuant{.bits = own.bits, .scheme = own.scheme, .scale = {}, .codes = {}};
  });
}

}  // namespace bitline::quantize
