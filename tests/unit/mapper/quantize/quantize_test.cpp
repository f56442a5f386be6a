// SPDX-License-Identifier: Apache-2.0
#include "mapper/quantize/quantize.h"

#include <gmock/gmock.h>

#include <cmath>
#include <random>

#include "models/base/errors.h"
#include "tests/support/refusal.h"

namespace bitline::quantize {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing_support::refusal;

tensor::Tensor matrix(std::int64_t outputs, std::vector<float> values) {
  const auto rows = static_cast<std::int64_t>(values.size()) / outputs;
  return {{outputs, rows}, std::move(values)};
}

arch::PrecisionParams::Weights weights(int bits, arch::WeightScheme scheme = arch::WeightScheme::symmetric,
                                       arch::Granularity granularity = arch::Granularity::per_channel) {
  return {.bits = bits, .scheme = scheme, .granularity = granularity};
}

TEST(QuantizeWeights, SymmetricPerChannel) {
  // 4 bits: codes -7..7; scales 7/7 = 1 and 14/7 = 2
  const WeightQuant q = quantize_weights(matrix(2, {7, -3.4f, 0.6f, 0, -14, 5, 2, 1.0f}), weights(4));
  EXPECT_THAT(q.scale, ElementsAre(1.0, 2.0));
  EXPECT_THAT(q.codes,
              ElementsAre(7, -3, 1, 0, -7, 2, 1, 0));  // 5/2 = 2.5 -> 2, 1/2 = 0.5 -> 0: ties to even
  EXPECT_EQ(q.saturated, 0);
  EXPECT_EQ(q.magnitude_bits(), 3);
}

TEST(QuantizeWeights, SymmetricPerTensorHasOneScale) {
  const WeightQuant q =
      quantize_weights(matrix(2, {7, -3.4f, -14, 5}),
                       weights(4, arch::WeightScheme::symmetric, arch::Granularity::per_tensor));
  EXPECT_THAT(q.scale, ElementsAre(2.0, 2.0));
  EXPECT_THAT(q.codes, ElementsAre(4, -2, -7, 2));  // 3.5 -> 4, -1.7 -> -2, 2.5 -> 2
}

TEST(QuantizeWeights, TiesGoToEvenOnBothSides) {
  const WeightQuant q = quantize_weights(matrix(1, {7, 0.5f, 1.5f, 2.5f, -0.5f, -1.5f, -2.5f}), weights(4));
  EXPECT_THAT(q.codes, ElementsAre(7, 0, 2, 2, 0, -2, -2));
}

TEST(QuantizeWeights, AllZeroChannelHasScaleOne) {
  const WeightQuant q = quantize_weights(matrix(2, {0, 0, 3, -1}), weights(8));
  EXPECT_THAT(q.scale, ElementsAre(1.0, 3.0 / 127));
  EXPECT_THAT(q.codes, ElementsAre(0, 0, 127, -42));
}

TEST(QuantizeWeights, DynamicFixedPointHasSignAndAllMagnitudeBits) {
  // max 3 -> S = 2, 4 bits: step 2^-2; 3/0.25 = 12, sign and 4 bits hold 15
  const WeightQuant q = quantize_weights(matrix(1, {3, -2.9f, 0.125f, 0.375f}),
                                         weights(4, arch::WeightScheme::dynamic_fixed_point));
  EXPECT_THAT(q.scale, ElementsAre(0.25));
  EXPECT_THAT(q.codes, ElementsAre(12, -12, 0, 2));  // -11.6, 0.5 -> 0, 1.5 -> 2
  EXPECT_EQ(q.saturated, 0);
  EXPECT_EQ(q.magnitude_bits(), 4);
}

TEST(QuantizeWeights, DynamicFixedPointSaturatesAndCounts) {
  // max 4 = 2^2 exactly: S = 2, step 2^-2, 4/0.25 = 16 does not fit 4 bits; 3.9 rounds to 16 too
  const WeightQuant q =
      quantize_weights(matrix(2, {4, -4, 3.9f, 3.8f}), weights(4, arch::WeightScheme::dynamic_fixed_point));
  EXPECT_THAT(q.scale, ElementsAre(0.25, 0.25));
  EXPECT_THAT(q.codes, ElementsAre(15, -15, 15, 15));  // 3.8/0.25 = 15.2
  EXPECT_EQ(q.saturated, 3);
}

TEST(QuantizeWeights, DynamicFixedPointOfSmallWeights) {
  // max 0.3 -> S = ceil(-1.74) = -1, 8 bits: step 2^-9
  const WeightQuant q =
      quantize_weights(matrix(1, {0.3f, -0.1f}), weights(8, arch::WeightScheme::dynamic_fixed_point));
  EXPECT_THAT(q.scale, ElementsAre(std::ldexp(1.0, -9)));
  EXPECT_THAT(q.codes, ElementsAre(154, -51));  // 153.6, -51.2
}

TEST(QuantizeWeights, DynamicFixedPointOfZeros) {
  const WeightQuant q =
      quantize_weights(matrix(1, {0, 0}), weights(8, arch::WeightScheme::dynamic_fixed_point));
  EXPECT_THAT(q.scale, ElementsAre(1.0));
  EXPECT_THAT(q.codes, ElementsAre(0, 0));
}

TEST(QuantizeWeights, BitsOutOfRange) {
  EXPECT_THAT(
      refusal<base::ConfigError>([] { static_cast<void>(quantize_weights(matrix(1, {1}), weights(1))); }),
      HasSubstr("precision.weights.bits: 1 bits; allowed: 2 to 16 bits"));
  EXPECT_THAT(
      refusal<base::ConfigError>([] { static_cast<void>(quantize_weights(matrix(1, {1}), weights(17))); }),
      HasSubstr("17 bits"));
}

TEST(QuantizeRange, UnsignedFromZeroUp) {
  const ActivationQuant q = quantize_range({0.0, 5.1}, 8);
  EXPECT_FALSE(q.is_signed);
  EXPECT_EQ(q.scale, 5.1 / 255);
  EXPECT_EQ(q.min_code(), 0);
  EXPECT_EQ(q.max_code(), 255);
  EXPECT_EQ(q.code(5.1f), 255);
  EXPECT_EQ(q.code(9.0f), 255);
  EXPECT_EQ(q.code(-1.0f), 0);
}

TEST(QuantizeRange, SignedIsSymmetric) {
  const ActivationQuant q = quantize_range({-2.54, 1.0}, 8);
  EXPECT_TRUE(q.is_signed);
  EXPECT_EQ(q.scale, 2.54 / 127);
  EXPECT_EQ(q.min_code(), -127);
  EXPECT_EQ(q.max_code(), 127);
  EXPECT_EQ(q.code(-100.0f), -127);
  EXPECT_EQ(q.code(100.0f), 127);
  EXPECT_EQ(q.code(0.0f), 0);
}

TEST(QuantizeRange, TiesToEven) {
  const ActivationQuant q{.bits = 8, .is_signed = true, .scale = 2.0, .zero_point = 0};
  EXPECT_EQ(q.code(1.0f), 0);
  EXPECT_EQ(q.code(3.0f), 2);
  EXPECT_EQ(q.code(5.0f), 2);
  EXPECT_EQ(q.code(-1.0f), 0);
  EXPECT_EQ(q.code(-3.0f), -2);
}

TEST(QuantizeRange, ZeroPointShiftsBeforeTheClamp) {
  const ActivationQuant q{.bits = 8, .is_signed = false, .scale = 0.5, .zero_point = 10};
  EXPECT_EQ(q.code(0.0f), 10);
  EXPECT_EQ(q.code(-4.0f), 2);
  EXPECT_EQ(q.code(-6.0f), 0);
  EXPECT_EQ(q.code(200.0f), 255);
}

TEST(QuantizeRange, AllZeroAndConstantRanges) {
  EXPECT_EQ(quantize_range({0.0, 0.0}, 8).scale, 1.0);
  EXPECT_EQ(quantize_range({3.0, 3.0}, 8).scale, 3.0 / 255);
  EXPECT_EQ(quantize_range({0.0, 1.0}, 1).max_code(), 1);
}

TEST(QuantizeRange, BitsOutOfRange) {
  EXPECT_THAT(refusal<base::ConfigError>([] {
                static_cast<void>(quantize_range({-1.0, 1.0}, 1));
              }),
              HasSubstr("precision.activations.bits: 1 bits; allowed: 2 to 16 bits"));
  EXPECT_THAT(refusal<base::ConfigError>([] {
                static_cast<void>(quantize_range({0.0, 1.0}, 17));
              }),
              HasSubstr("allowed: 1 to 16 bits"));
}

/// x [1, 4] -> linear (2x) -> relu -> linear.
std::shared_ptr<graph::Graph> two_layers() {
  auto graph = std::make_shared<graph::Graph>();
  const auto diagonal = std::make_shared<tensor::Tensor>(
      tensor::Tensor{{4, 4}, std::vector<float>{2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 2}});
  graph->values = {{.name = "x", .shape = {1, 4}, .producer = -1, .constant = nullptr},
                   {.name = "a", .shape = {1, 4}, .producer = 0, .constant = nullptr},
                   {.name = "b", .shape = {1, 4}, .producer = 1, .constant = nullptr},
                   {.name = "y", .shape = {1, 4}, .producer = 2, .constant = nullptr}};
  const graph::LinearAttributes linear{.weight = diagonal, .bias = nullptr};
  // A tensor of its own: layers with the same one share crossbars and scales.
  const graph::LinearAttributes second{.weight = std::make_shared<tensor::Tensor>(*diagonal),
                                       .bias = nullptr};
  graph->nodes = {{.name = "first",
                   .onnx_type = "Gemm",
                   .op = graph::Op::linear,
                   .attributes = linear,
                   .inputs = {0},
                   .outputs = {1}},
                  {.name = "relu",
                   .onnx_type = "Relu",
                   .op = graph::Op::relu,
                   .attributes = {},
                   .inputs = {1},
                   .outputs = {2}},
                  {.name = "second",
                   .onnx_type = "Gemm",
                   .op = graph::Op::linear,
                   .attributes = second,
                   .inputs = {2},
                   .outputs = {3}}};
  graph->inputs = {0};
  graph->outputs = {3};
  return graph;
}

Inputs image(std::vector<float> values) {
  return {tensor::Tensor{{1, 4}, std::move(values)}};
}

TEST(Calibrate, MinMaxOverImages) {
  const auto graph = two_layers();
  const reference::Executor executor(graph);
  const std::vector<Inputs> images = {image({-1, 2, 0, 1}), image({3, -0.5f, 0, 0})};
  const std::vector<Range> ranges = calibrate(executor, images, {});
  ASSERT_EQ(ranges.size(), 4u);
  EXPECT_EQ(ranges[0].min, -1.0);
  EXPECT_EQ(ranges[0].max, 3.0);
  EXPECT_EQ(ranges[1].min, -2.0);
  EXPECT_EQ(ranges[1].max, 6.0);
  EXPECT_EQ(ranges[2].min, 0.0);
  EXPECT_EQ(ranges[2].max, 6.0);

  arch::PrecisionParams precision;
  precision.weights.bits = precision.activations.bits = 8;
  const std::vector<LayerQuant> layers = quantize(*graph, ranges, precision);
  ASSERT_EQ(layers.size(), 2u);
  EXPECT_EQ(layers[0].node, 0);
  EXPECT_TRUE(layers[0].input.is_signed);
  EXPECT_EQ(layers[0].input.scale, 3.0 / 127);
  EXPECT_EQ(layers[1].node, 2);
  EXPECT_FALSE(layers[1].input.is_signed);
  EXPECT_EQ(layers[1].input.scale, 6.0 / 255);
  EXPECT_EQ(layers[1].weights.codes[0], 127);
}

TEST(Calibrate, PercentileIsTheNearestRankOfMagnitudes) {
  const auto graph = two_layers();
  const reference::Executor executor(graph);
  std::vector<Inputs> images;
  std::vector<float> magnitudes;
  std::mt19937 random(3);
  for (int i = 0; i < 250; ++i) {
    std::vector<float> x(4);
    for (float& v : x) {
      v = static_cast<float>(static_cast<double>(random()) / 4294967296.0 * 8 - 4);
      magnitudes.push_back(std::abs(v));
    }
    images.push_back(image(x));
  }
  std::sort(magnitudes.begin(), magnitudes.end());
  for (const double percentile : {50.0, 99.0, 99.95, 100.0}) {
    const std::vector<Range> ranges =
        calibrate(executor, images,
                  {.bits = 8, .calibration = arch::Calibration::percentile, .percentile = percentile});
    const auto rank = static_cast<std::size_t>(std::ceil(percentile / 100.0 * 1000.0)) - 1;
    const double limit = magnitudes[rank];
    EXPECT_EQ(std::max(-ranges[0].min, ranges[0].max), limit) << percentile;
    EXPECT_LE(-ranges[0].min, limit);
    EXPECT_LE(ranges[0].max, limit);
    EXPECT_EQ(ranges[2].min, 0.0);  // after ReLU: unsigned whatever the percentile
  }
}

TEST(Calibrate, LeastErrorCutsOffAnOutlier) {
  const auto graph = two_layers();
  const reference::Executor executor(graph);
  std::vector<Inputs> images;
  std::mt19937 random(5);
  std::normal_distribution<float> normal;
  for (int i = 0; i < 500; ++i) images.push_back(image({normal(random), normal(random), normal(random), 0}));
  images.push_back(image({20, 0, 0, 0}));
  const std::vector<Range> ranges =
      calibrate(executor, images, {.bits = 4, .calibration = arch::Calibration::mse});
  EXPECT_LE(-ranges[0].min, ranges[0].max);  // signed: cut on both sides
  EXPECT_LT(ranges[0].max, 6.0);             // four bits of a normal distribution: about three deviations
  EXPECT_GT(ranges[0].max, 1.5);
  EXPECT_EQ(ranges[2].min, 0.0);
  EXPECT_LT(ranges[2].max, 40.0);
  EXPECT_EQ(ranges[3].max, calibrate(executor, images, {})[3].max);  // read by no layer: not searched
}

TEST(Quantize, BitsOfSingleLayers) {
  const auto graph = two_layers();
  const std::vector<Range> ranges(4, Range{-1.0, 1.0});
  arch::PrecisionParams precision;
  precision.weights.bits = precision.activations.bits = 8;
  precision.layers = {{.layer = "second", .weights = 4, .activations = 5}};
  const std::vector<LayerQuant> layers = quantize(*graph, ranges, precision);
  EXPECT_EQ(layers[0].weights.bits, 8);
  EXPECT_EQ(layers[0].input.scale, 1.0 / 127);
  EXPECT_EQ(layers[1].weights.bits, 4);
  EXPECT_EQ(layers[1].weights.codes[0], 7);
  EXPECT_EQ(layers[1].input.scale, 1.0 / 15);
  precision.layers = {{.layer = "relu", .weights = 4}, {.layer = "third", .weights = 4}};
  const std::string message = refusal<base::ConfigError>([&] { return quantize(*graph, ranges, precision); });
  EXPECT_THAT(message,
              HasSubstr("precision.layers: layer 'relu'; allowed: a layer of the network with weights"));
  EXPECT_THAT(message, HasSubstr("layer 'third'"));
}

TEST(Calibrate, NeedsImages) {
  const reference::Executor executor(two_layers());
  EXPECT_THAT(refusal<base::UsageError>([&] { static_cast<void>(calibrate(executor, {}, {})); }),
              HasSubstr("calibration: no input images"));
}

TEST(Calibrate, NamesValuesThatAreNotFinite) {
  const reference::Executor executor(two_layers());
  const std::vector<Inputs> images = {image({3e38f, 0, 0, 0})};  // doubled: beyond float32
  EXPECT_THAT(refusal<base::NetworkError>([&] { static_cast<void>(calibrate(executor, images, {})); }),
              testing::AllOf(HasSubstr("value 'a': not finite"), HasSubstr("value 'y'")));
}

}  // namespace
}  // namespace bitline::quantize
