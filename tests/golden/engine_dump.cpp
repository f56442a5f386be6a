// SPDX-License-Identifier: Apache-2.0
// engine_dump DIR: runs one small random layer for every combination of encoding, conversion, ADC policy,
// chunking, flip and grouping through the engine and dumps its integers to DIR/<case>/, for the independent
// NumPy computation to check. The same folders come out every time.
#include <array>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <memory>
#include <random>
#include <string>

#include "mapper/slice/slicer.h"
#include "sim/engine/engine.h"

namespace {

using namespace bitline;

struct Combination {
  arch::WeightEncoding encoding;
  arch::Subtraction subtraction;
  bool flip;
  periphery::AdcConversion conversion;
  periphery::AdcPolicy policy;
  int dac_bits;
  int group;  ///< 0: a linear layer
};

class Maker {
 public:
  explicit Maker(std::uint32_t seed) : random_(seed) {}

  int between(int low, int high) {
    return low + static_cast<int>(random_() % static_cast<std::uint32_t>(high - low + 1));
  }
  bool coin() { return between(0, 1) == 1; }

  arch::Arch machine(const Combination& c) {
    arch::Arch arch;
    arch.encoding = {.weights = c.encoding, .subtraction = c.subtraction, .flip = c.flip};
    arch.adc.conversion = c.conversion;
    arch.adc.resolution = {.policy = c.policy, .bits = {between(3, 6)}, .percentile = 80.0};
    arch.dac.bits = c.dac_bits;
    arch.device.bits_per_cell = between(1, 4);
    arch.crossbar.rows = between(9, 40);
    arch.crossbar.active_rows = coin() ? arch.crossbar.rows : between(4, arch.crossbar.rows);
    arch.precision.weights.bits = between(4, 9);
    arch.precision.weights.scheme =
        coin() ? arch::WeightScheme::symmetric : arch::WeightScheme::dynamic_fixed_point;
    arch.precision.activations.bits = between(4, 9);
    return arch;
  }

  std::shared_ptr<tensor::Tensor> weight(tensor::Shape shape, double skew) {
    std::vector<float> values(static_cast<std::size_t>(tensor::element_count(shape)));
    for (float& v : values) v = static_cast<float>(uniform() - skew);
    return std::make_shared<tensor::Tensor>(tensor::Tensor{std::move(shape), std::move(values)});
  }

  /// One conv or linear node.
  std::shared_ptr<graph::Graph> network(int group) {
    auto graph = std::make_shared<graph::Graph>();
    graph->name = "layer";
    const double skew =
        between(0, 4) / 4.0 * 0.6 + 0.2;  // from mostly positive to mostly negative: both flip
    graph::Node node{.name = "/layer/0",
                     .onnx_type = "",
                     .op = graph::Op::linear,
                     .attributes = {},
                     .inputs = {0},
                     .outputs = {1}};
    graph::Shape in;
    graph::Shape out;
    if (group == 0) {
      in = {between(1, 3), between(5, 50)};
      out = {in[0], between(1, 9)};
      node.onnx_type = "Gemm";
      node.attributes = graph::LinearAttributes{.weight = weight({out[1], in[1]}, skew), .bias = nullptr};
    } else {
      graph::ConvAttributes conv;
      conv.group = group;
      conv.kernel = {between(1, 3), between(1, 3)};
      conv.strides = {between(1, 2), between(1, 2)};
      conv.pads = {between(0, 2), between(0, 2), between(0, 2), between(0, 2)};
      conv.dilations = {between(1, 2), between(1, 2)};
      const std::int64_t channels = group * between(1, 3);
      in = {1, channels, between(5, 7), between(5, 7)};
      out = {1, group * between(1, 3)};
      for (std::size_t i = 0; i < 2; ++i) {
        const std::int64_t extent = (conv.kernel[i] - 1) * conv.dilations[i] + 1;
        out.push_back((in[2 + i] + conv.pads[i] + conv.pads[2 + i] - extent) / conv.strides[i] + 1);
      }
      conv.weight = weight({out[1], channels / group, conv.kernel[0], conv.kernel[1]}, skew);
      node.op = graph::Op::conv;
      node.onnx_type = "Conv";
      node.attributes = std::move(conv);
    }
    graph->values = {{.name = "x", .shape = in, .producer = -1, .constant = nullptr},
                     {.name = "y", .shape = out, .producer = 0, .constant = nullptr}};
    graph->nodes = {node};
    graph->inputs = {0};
    graph->outputs = {1};
    return graph;
  }

  quantize::ActivationQuant activation(int bits) {
    quantize::ActivationQuant quant;
    quant.bits = bits;
    quant.is_signed = coin();
    quant.scale = 0.01 * between(1, 9);
    quant.zero_point = between(0, 3) == 0 ? between(1, 1 << (bits - 2)) : 0;
    return quant;
  }

  tensor::Tensor image(const graph::Shape& shape, const quantize::ActivationQuant& quant) {
    std::vector<float> values(static_cast<std::size_t>(tensor::element_count(shape)));
    for (float& v : values) {
      const double code = uniform() * static_cast<double>(quant.max_code() - quant.min_code()) +
                          static_cast<double>(quant.min_code());
      v = coin() ? static_cast<float>((code - static_cast<double>(quant.zero_point)) * quant.scale) : 0.0f;
    }
    return {shape, std::move(values)};
  }

 private:
  double uniform() { return static_cast<double>(random_()) / 4294967296.0; }
  std::mt19937 random_;
};

void dump(const std::string& directory, const Combination& c, std::uint32_t seed) {
  Maker make(seed);
  const arch::Arch arch = make.machine(c);
  const std::shared_ptr<const graph::Graph> graph = make.network(c.group);
  const graph::Node& node = graph->nodes.front();
  const tensor::Tensor& weight = node.op == graph::Op::conv
                                     ? *std::get<graph::ConvAttributes>(node.attributes).weight
                                     : *std::get<graph::LinearAttributes>(node.attributes).weight;
  engine::NetworkLayer layer;
  layer.quant = std::make_shared<const quantize::LayerQuant>(
      quantize::LayerQuant{.node = 0,
                           .input = make.activation(arch.precision.activations.bits),
                           .weights = quantize::quantize_weights(weight, arch.precision.weights)});
  layer.sliced =
      std::make_shared<slice::SlicedLayer>(slice::slice_layer(slice::layer_shape(node), *layer.quant, arch));
  const quantize::ActivationQuant input = layer.quant->input;
  const engine::NetworkFunction network(graph, {std::move(layer)}, false);
  std::vector<engine::ImageResult> results;
  for (int image = 0; image < 2; ++image) {
    results.push_back(
        network.run({make.image(graph->shape(0), input)}, {.keep_inputs = true, .keep_sums = true}));
  }
  engine::dump_layers(directory, network, results);
}

int dump_all(const std::string& directory) {
  using enum arch::WeightEncoding;
  struct Way {
    arch::WeightEncoding encoding;
    arch::Subtraction subtraction;
    bool flip;
  };
  constexpr auto kDigital = arch::Subtraction::digital;
  const std::array<Way, 10> ways = {{{differential, kDigital, false},
                                     {differential, kDigital, true},
                                     {differential, arch::Subtraction::analog, false},
                                     {offset, kDigital, false},
                                     {offset, kDigital, true},
                                     {twos_complement, kDigital, false},
                                     {twos_complement, kDigital, true},
                                     {centre_offset, kDigital, false},
                                     {centre_offset, kDigital, true},
                                     {centre_offset, arch::Subtraction::analog, false}}};
  std::uint32_t cases = 0;
  for (const Way& way : ways) {
    for (const auto conversion : {periphery::AdcConversion::clip, periphery::AdcConversion::truncate}) {
      for (const auto policy : {periphery::AdcPolicy::fixed, periphery::AdcPolicy::isaac,
                                periphery::AdcPolicy::lossless, periphery::AdcPolicy::percentile}) {
        for (const int dac_bits : {1, 2, 3}) {
          for (const int group : {0, 1, 2, 4}) {
            dump(directory + "/" + std::to_string(cases),
                 {way.encoding, way.subtraction, way.flip, conversion, policy, dac_bits, group}, cases);
            ++cases;
          }
        }
      }
    }
  }
  std::printf("%u cases\n", cases);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: engine_dump DIR\n");
    return 2;
  }
  try {
    return dump_all(argv[1]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
