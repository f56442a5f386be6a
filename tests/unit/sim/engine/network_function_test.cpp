// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <cmath>
#include <filesystem>
#include <limits>
#include <random>

#include "mapper/slice/slicer.h"
#include "models/base/errors.h"
#include "sim/engine/dump.h"
#include "sim/engine/engine.h"

namespace bitline::engine {
namespace {

using testing::HasSubstr;

std::shared_ptr<tensor::Tensor> random_tensor(tensor::Shape shape, std::mt19937& random) {
  std::vector<float> values(static_cast<std::size_t>(tensor::element_count(shape)));
  for (float& v : values) v = static_cast<float>(static_cast<double>(random()) / 4294967296.0 - 0.5);
  return std::make_shared<tensor::Tensor>(tensor::Tensor{std::move(shape), std::move(values)});
}

/// conv 2x5x6 -> 4x3x4 in two groups, stride, dilation, uneven pads, bias -> relu -> flatten -> linear 48
/// -> 3.
std::shared_ptr<const graph::Graph> small_network() {
  std::mt19937 random(5);
  graph::ConvAttributes conv;
  conv.kernel = {3, 2};
  conv.strides = {2, 1};
  conv.pads = {1, 0, 2, 1};
  conv.dilations = {1, 3};
  conv.group = 2;
  conv.weight = random_tensor({4, 1, 3, 2}, random);
  conv.bias = random_tensor({4}, random);
  const graph::LinearAttributes linear{.weight = random_tensor({3, 48}, random), .bias = nullptr};
  auto graph = std::make_shared<graph::Graph>();
  // (5+3-3)/2+1 = 3 rows, (6+1-4)/1+1 = 4 columns
  graph->values = {{.name = "x", .shape = {1, 2, 5, 6}, .producer = -1, .constant = nullptr},
                   {.name = "c", .shape = {1, 4, 3, 4}, .producer = 0, .constant = nullptr},
                   {.name = "r", .shape = {1, 4, 3, 4}, .producer = 1, .constant = nullptr},
                   {.name = "f", .shape = {1, 48}, .producer = 2, .constant = nullptr},
                   {.name = "y", .shape = {1, 3}, .producer = 3, .constant = nullptr}};
  graph->nodes = {{.name = "/a/Conv",
                   .onnx_type = "Conv",
                   .op = graph::Op::conv,
                   .attributes = conv,
                   .inputs = {0},
                   .outputs = {1}},
                  {.name = "relu",
                   .onnx_type = "Relu",
                   .op = graph::Op::relu,
                   .attributes = {},
                   .inputs = {1},
                   .outputs = {2}},
                  {.name = "flat",
                   .onnx_type = "Flatten",
                   .op = graph::Op::flatten,
                   .attributes = graph::AxisAttributes{.axis = 1},
                   .inputs = {2},
                   .outputs = {3}},
                  {.name = "/a:Conv",
                   .onnx_type = "Gemm",
                   .op = graph::Op::linear,
                   .attributes = linear,
                   .inputs = {3},
                   .outputs = {4}}};
  graph->inputs = {0};
  graph->outputs = {4};
  return graph;
}

arch::Arch machine() {
  arch::Arch arch;
  arch.precision.weights.bits = arch.precision.activations.bits = 8;
  arch.crossbar.rows = arch.crossbar.active_rows = 16;
  arch.adc.resolution.policy = periphery::AdcPolicy::lossless;
  return arch;
}

class NetworkFunctionTest : public testing::Test {
 protected:
  NetworkFunctionTest() : graph(small_network()) {
    std::mt19937 random(9);
    for (int i = 0; i < 3; ++i) images.push_back({*random_tensor({1, 2, 5, 6}, random)});
    const arch::Arch arch = machine();
    const reference::Executor executor(graph);
    const auto ranges = quantize::calibrate(executor, images, arch.precision.activations);
    for (quantize::LayerQuant& quant : quantize::quantize(*graph, ranges, arch.precision)) {
      NetworkLayer layer;
      layer.sliced = std::make_shared<slice::SlicedLayer>(
          slice::slice_layer(slice::layer_shape(graph->node(quant.node)), quant, arch));
      layer.quant = std::make_shared<const quantize::LayerQuant>(std::move(quant));
      layers.push_back(std::move(layer));
    }
    network = std::make_unique<NetworkFunction>(graph, layers, false);
  }

  /// The integer convolution of image `x`, tap by tap over the whole padded plane.
  [[nodiscard]] std::int64_t convolve(const tensor::Tensor& x, std::int64_t o, std::int64_t oy,
                                      std::int64_t ox) const {
    const auto& conv = std::get<graph::ConvAttributes>(graph->node(0).attributes);
    std::int64_t sum = 0;
    for (std::int64_t ky = 0; ky < 3; ++ky) {
      for (std::int64_t kx = 0; kx < 2; ++kx) {
        const std::int64_t y = oy * conv.strides[0] - conv.pads[0] + ky * conv.dilations[0];
        const std::int64_t xx = ox * conv.strides[1] - conv.pads[1] + kx * conv.dilations[1];
        if (y < 0 || y >= 5 || xx < 0 || xx >= 6) continue;
        const std::int64_t channel = o / 2;  // two outputs per group of one channel
        const std::int32_t code =
            layers[0].quant->input.code(x.as<float>()[static_cast<std::size_t>((channel * 5 + y) * 6 + xx)]);
        sum += std::int64_t{code} *
               layers[0].quant->weights.codes[static_cast<std::size_t>((o * 3 + ky) * 2 + kx)];
      }
    }
    return sum;
  }

  std::shared_ptr<const graph::Graph> graph;
  std::vector<quantize::Inputs> images;
  std::vector<NetworkLayer> layers;
  std::unique_ptr<NetworkFunction> network;
};

TEST_F(NetworkFunctionTest, EqualsIntegersThenFloats) {
  ASSERT_TRUE(layers[0].quant->input.is_signed);
  ASSERT_FALSE(layers[1].quant->input.is_signed);
  for (const quantize::Inputs& image : images) {
    const ImageResult result = network->run(image, {.keep_inputs = true, .keep_sums = true});
    const auto& bias = std::get<graph::ConvAttributes>(graph->node(0).attributes).bias->as<float>();
    std::vector<std::int32_t> flat;
    for (std::int64_t o = 0; o < 4; ++o) {
      const auto channel = static_cast<std::size_t>(o);
      const double scale = layers[0].quant->weights.scale[channel];
      for (std::int64_t p = 0; p < 12; ++p) {
        const std::int64_t sum = convolve(image[0], o, p / 4, p % 4);
        ASSERT_EQ(result.traces[0].y.as<std::int64_t>()[channel * 12 + static_cast<std::size_t>(p)], sum);
        const auto y = static_cast<float>(static_cast<double>(sum) * layers[0].quant->input.scale * scale +
                                          bias[channel]);
        flat.push_back(layers[1].quant->input.code(std::max(y, 0.0f)));
      }
    }
    ASSERT_EQ(result.traces[1].x.as<std::int32_t>(), flat);
    ASSERT_EQ(result.outputs.size(), 1u);
    EXPECT_EQ(result.outputs[0].shape, (tensor::Shape{1, 3}));
    for (std::size_t o = 0; o < 3; ++o) {
      std::int64_t sum = 0;
      for (std::size_t i = 0; i < 48; ++i)
        sum += std::int64_t{flat[i]} * layers[1].quant->weights.codes[o * 48 + i];
      const double expected =
          static_cast<double>(sum) * layers[1].quant->input.scale * layers[1].quant->weights.scale[o];
      EXPECT_EQ(result.outputs[0].as<float>()[o], static_cast<float>(expected));
    }
    EXPECT_EQ(result.activity[0].windows, 12);
    EXPECT_EQ(result.activity[1].windows, 1);
  }
}

TEST_F(NetworkFunctionTest, EightBitsAreCloseToFloat) {
  const reference::Executor executor(graph);
  for (const quantize::Inputs& image : images) {
    const std::vector<float> exact = executor.run(image)[0].as<float>();
    const std::vector<float> got = network->run(image).outputs[0].as<float>();
    for (std::size_t i = 0; i < exact.size(); ++i) EXPECT_NEAR(got[i], exact[i], 0.02);
  }
}

TEST_F(NetworkFunctionTest, GatherGivesTheRowsOfAWindow) {
  const ImageResult result = network->run(images[0], {.keep_inputs = true});
  EXPECT_TRUE(result.traces[0].y.shape.empty());
  const std::vector<std::int32_t>& x = result.traces[0].x.as<std::int32_t>();
  std::vector<std::int32_t> rows(12);
  network->gather(0, result.traces[0], 0, rows);  // top left: kernel row 0 is padding
  const auto at = [&x](int channel, int y, int column) {
    return x[static_cast<std::size_t>((channel * 5 + y) * 6 + column)];
  };
  EXPECT_THAT(rows, testing::ElementsAre(0, 0, at(0, 0, 0), at(0, 0, 3), at(0, 1, 0), at(0, 1, 3),  //
                                         0, 0, at(1, 0, 0), at(1, 0, 3), at(1, 1, 0), at(1, 1, 3)));
  network->gather(0, result.traces[0], 11,
                  rows);  // bottom right: columns 3 and (padding) 6, rows 3, 4 and (padding) 5
  EXPECT_THAT(
      rows, testing::ElementsAre(at(0, 3, 3), 0, at(0, 4, 3), 0, 0, 0, at(1, 3, 3), 0, at(1, 4, 3), 0, 0, 0));
}

TEST_F(NetworkFunctionTest, RefusesActivationsThatAreNotFinite) {
  images[0][0].as<float>()[7] = std::numeric_limits<float>::quiet_NaN();
  try {
    static_cast<void>(network->run(images[0]));
    FAIL() << "no error";
  } catch (const base::SimulationError& error) {
    EXPECT_THAT(error.what(), HasSubstr("layer '/a/Conv': an input activation that is not finite"));
  }
}

TEST_F(NetworkFunctionTest, DumpsAllImagesUnderUniqueNames) {
  const auto folder = std::filesystem::path(testing::TempDir()) / "bitline_engine_dump" / "deeper";
  std::filesystem::remove_all(folder.parent_path());
  std::vector<ImageResult> results;
  for (const quantize::Inputs& image : images) {
    results.push_back(network->run(image, {.keep_inputs = true, .keep_sums = true}));
  }
  dump_layers(folder.string(), *network, results);
  // both node names give the same stem
  const tensor::Tensor x = tensor::load_npy((folder / "_a_Conv.x.npy").string());
  const tensor::Tensor w = tensor::load_npy((folder / "_a_Conv.w.npy").string());
  const tensor::Tensor y = tensor::load_npy((folder / "_a_Conv_.y.npy").string());
  EXPECT_EQ(x.shape, (tensor::Shape{3, 2, 5, 6}));
  EXPECT_EQ(w.shape, (tensor::Shape{4, 1, 3, 2}));
  EXPECT_EQ(w.as<std::int32_t>(), layers[0].quant->weights.codes);
  EXPECT_EQ(y.shape, (tensor::Shape{3, 3}));
  EXPECT_EQ(y.as<std::int64_t>()[5], results[1].traces[1].y.as<std::int64_t>()[2]);
  EXPECT_TRUE(std::filesystem::exists(folder / "layers.json"));
  std::filesystem::remove_all(folder.parent_path());
}

TEST_F(NetworkFunctionTest, SaysWhereItCannotWrite) {
  const std::vector<ImageResult> results = {
      network->run(images[0], {.keep_inputs = true, .keep_sums = true})};
  try {
    dump_layers("/proc/none/here", *network, results);
    FAIL() << "no error";
  } catch (const base::UsageError& error) {
    EXPECT_THAT(error.what(), HasSubstr("/proc/none/here: cannot be made"));
  }
}

TEST(FileStem, KeepsPlainCharacters) {
  EXPECT_EQ(file_stem("layer1.0/conv:1 x"), "layer1.0_conv_1_x");
  EXPECT_EQ(file_stem("../up"), ".._up");
}

TEST(LayerActivity, AddsUp) {
  LayerActivity a;
  a.counts.clipped = 2;
  a.windows = 3;
  a.conversions_per_slice = {1, 2};
  LayerActivity b = a;
  b.clipped_per_slice = {5, 6};
  a += b;
  EXPECT_EQ(a.counts.clipped, 4);
  EXPECT_EQ(a.windows, 6);
  EXPECT_THAT(a.conversions_per_slice, testing::ElementsAre(2, 4));
  EXPECT_THAT(a.clipped_per_slice, testing::ElementsAre(5, 6));
}

}  // namespace
}  // namespace bitline::engine
