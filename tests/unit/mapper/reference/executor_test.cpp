// SPDX-License-Identifier: Apache-2.0
#include "mapper/reference/executor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tbb/parallel_for.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "mapper/graph/shapes.h"
#include "mapper/onnx/import.h"
#include "mapper/reference/integer_kernel.h"
#include "mapper/tensor/operations.h"
#include "models/base/errors.h"

namespace bitline::reference {
namespace {

using graph::ConvAttributes;
using graph::Graph;
using graph::LinearAttributes;
using graph::Node;
using graph::Op;
using graph::PoolAttributes;
using graph::Shape;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

std::mt19937& generator() {
  static std::mt19937 random(7);
  return random;
}
std::int64_t pick(std::int64_t low, std::int64_t high) {
  return std::uniform_int_distribution<std::int64_t>(low, high)(generator());
}
/// Small integers, so that every sum is exact in float.
Tensor random_tensor(const Shape& shape) {
  Tensor tensor = tensor::zeros(shape);
  for (float& value : tensor.as<float>()) value = static_cast<float>(pick(-8, 8));
  return tensor;
}

/// The definition of a convolution, pixel by pixel.
Tensor naive_conv(const Tensor& x, const ConvAttributes& a, const Shape& shape) {
  Tensor y = tensor::zeros(shape);
  const Shape& w = a.weight->shape;
  const auto at = [](const Tensor& t, std::int64_t n, std::int64_t c, std::int64_t h, std::int64_t i) {
    return t.as<float>()[static_cast<std::size_t>(((n * t.shape[1] + c) * t.shape[2] + h) * t.shape[3] + i)];
  };
  std::size_t out = 0;
  for (std::int64_t n = 0; n < shape[0]; ++n) {
    for (std::int64_t o = 0; o < shape[1]; ++o) {
      for (std::int64_t h = 0; h < shape[2]; ++h) {
        for (std::int64_t i = 0; i < shape[3]; ++i, ++out) {
          float sum = a.bias ? a.bias->as<float>()[static_cast<std::size_t>(o)] : 0.0F;
          for (std::int64_t c = 0; c < w[1]; ++c) {
            for (std::int64_t kh = 0; kh < w[2]; ++kh) {
              for (std::int64_t kw = 0; kw < w[3]; ++kw) {
                const std::int64_t row = h * a.strides[0] - a.pads[0] + kh * a.dilations[0];
                const std::int64_t col = i * a.strides[1] - a.pads[1] + kw * a.dilations[1];
                if (row < 0 || row >= x.shape[2] || col < 0 || col >= x.shape[3]) continue;
                const std::int64_t channel = o / (w[0] / a.group) * w[1] + c;
                sum += at(x, n, channel, row, col) * at(*a.weight, o, c, kh, kw);
              }
            }
          }
          y.as<float>()[out] = sum;
        }
      }
    }
  }
  return y;
}

TEST(Evaluate, ConvolutionAgreesWithItsDefinition) {
  for (int i = 0; i < 60; ++i) {
    ConvAttributes a;
    a.group = pick(1, 3);
    a.kernel = {pick(1, 4), pick(1, 4)};
    a.strides = {pick(1, 3), pick(1, 3)};
    a.dilations = {pick(1, 2), pick(1, 2)};
    a.pads = {pick(0, 3), pick(0, 3), pick(0, 3), pick(0, 3)};
    const std::int64_t channels = a.group * pick(1, 20);
    const std::int64_t outputs = a.group * pick(1, 20);
    a.weight = std::make_shared<const Tensor>(
        random_tensor({outputs, channels / a.group, a.kernel[0], a.kernel[1]}));
    if (i % 2 == 0) a.bias = std::make_shared<const Tensor>(random_tensor({outputs}));
    const Tensor x = random_tensor({pick(1, 2), channels, pick(8, 15), pick(8, 15)});
    const Shape shape = graph::conv_shape(x.shape, a);
    const Tensor y = evaluate({"c", "Conv", Op::conv, a, {}, {}}, {&x}, shape);
    ASSERT_EQ(y.as<float>(), naive_conv(x, a, shape).as<float>()) << i << ": " << tensor::to_string(x.shape);
  }
}

TEST(Evaluate, LinearIsAMatrixProductOverTheLastDimension) {
  LinearAttributes a{std::make_shared<const Tensor>(random_tensor({5, 7})),
                     std::make_shared<const Tensor>(random_tensor({5}))};
  const Tensor x = random_tensor({2, 3, 7});
  const Tensor y = evaluate({"l", "Gemm", Op::linear, a, {}, {}}, {&x}, {2, 3, 5});
  for (std::size_t row = 0; row < 6; ++row) {
    for (std::size_t o = 0; o < 5; ++o) {
      float sum = a.bias->as<float>()[o];
      for (std::size_t i = 0; i < 7; ++i)
        sum += x.as<float>()[row * 7 + i] * a.weight->as<float>()[o * 7 + i];
      ASSERT_EQ(y.as<float>()[row * 5 + o], sum);
    }
  }
}

/// Both pools by their definition: visits every tap and asks where it lies.
Tensor naive_pool(const Tensor& x, const PoolAttributes& a, const Shape& shape, bool average) {
  Tensor y = tensor::zeros(shape);
  std::size_t out = 0;
  for (std::int64_t plane = 0; plane < shape[0] * shape[1]; ++plane) {
    for (std::int64_t h = 0; h < shape[2]; ++h) {
      for (std::int64_t w = 0; w < shape[3]; ++w, ++out) {
        float sum = 0;
        float largest = std::numeric_limits<float>::lowest();
        float on_input = 0;
        float on_padding = 0;
        for (std::int64_t kh = 0; kh < a.kernel[0]; ++kh) {
          for (std::int64_t kw = 0; kw < a.kernel[1]; ++kw) {
            const std::int64_t row = h * a.strides[0] - a.pads[0] + kh * a.dilations[0];
            const std::int64_t col = w * a.strides[1] - a.pads[1] + kw * a.dilations[1];
            if (row >= 0 && row < x.shape[2] && col >= 0 && col < x.shape[3]) {
              const float value =
                  x.as<float>()[static_cast<std::size_t>((plane * x.shape[2] + row) * x.shape[3] + col)];
              sum += value;
              largest = std::max(largest, value);
              ++on_input;
            } else if (row < x.shape[2] + a.pads[2] && col < x.shape[3] + a.pads[3]) {
              ++on_padding;
            }
          }
        }
        const float count = on_input + (a.count_include_pad ? on_padding : 0.0F);
        y.as<float>()[out] = average ? (count == 0 ? 0.0F : sum / count) : largest;
      }
    }
  }
  return y;
}

TEST(Evaluate, PoolsAgreeWithTheirDefinition) {
  for (int i = 0; i < 200; ++i) {
    PoolAttributes a;
    a.kernel = {pick(1, 4), pick(1, 4)};
    a.strides = {pick(1, 3), pick(1, 3)};
    a.dilations = {pick(1, 2), pick(1, 2)};
    a.pads = {pick(0, a.kernel[0] - 1), pick(0, a.kernel[1] - 1), pick(0, a.kernel[0] - 1),
              pick(0, a.kernel[1] - 1)};
    a.ceil_mode = pick(0, 1) == 1;
    a.count_include_pad = pick(0, 1) == 1;
    const Tensor x = random_tensor({1, 2, pick(7, 12), pick(7, 12)});
    const Shape shape = graph::pool_shape(x.shape, a);
    for (const bool average : {false, true}) {
      const Node node{"p", "Pool", average ? Op::average_pool : Op::max_pool, a, {}, {}};
      ASSERT_EQ(evaluate(node, {&x}, shape).as<float>(), naive_pool(x, a, shape, average).as<float>()) << i;
    }
  }
}

TEST(Evaluate, ElementWiseOperators) {
  const Tensor x{{1, 2, 2}, std::vector<float>{-2, 0, 1, 3}};
  const auto on_x = [&](Op op, graph::Attributes attributes) {
    return evaluate({"n", "N", op, std::move(attributes), {}, {}}, {&x}, x.shape).as<float>();
  };
  EXPECT_THAT(on_x(Op::relu, {}), ElementsAre(0, 0, 1, 3));
  EXPECT_THAT(on_x(Op::clip, graph::ClipAttributes{-1, 2}), ElementsAre(-1, 0, 1, 2));
  EXPECT_THAT(on_x(Op::scale_shift, graph::ScaleShiftAttributes{{2, 10}, {1, -1}}),
              ElementsAre(-3, 1, 9, 29));
  EXPECT_FLOAT_EQ(on_x(Op::sigmoid, {})[3], static_cast<float>(1.0 / (1.0 + std::exp(-3.0))));
  const std::vector<float> softmax = on_x(Op::softmax, graph::AxisAttributes{1});
  EXPECT_FLOAT_EQ(softmax[0], static_cast<float>(1.0 / (1.0 + std::exp(3.0))));
  EXPECT_FLOAT_EQ(softmax[0] + softmax[2], 1.0F);
}

std::shared_ptr<const Graph> digits() {
  return std::make_shared<const Graph>(onnx::import_onnx(BITLINE_SOURCE_DIR "/workloads/digits-cnn.onnx"));
}
Tensor digit_images() {
  return tensor::load_npy(BITLINE_SOURCE_DIR "/workloads/digits-test-x.npy");
}

TEST(Executor, RecognisesTheHeldOutDigits) {
  const Executor executor(digits());
  const Tensor x = digit_images();
  const Tensor labels = tensor::load_npy(BITLINE_SOURCE_DIR "/workloads/digits-test-y.npy");
  std::int64_t right = 0;
  for (std::int64_t i = 0; i < x.shape[0]; ++i) {
    const std::vector<float> scores = executor.run({tensor::image(x, i)})[0].as<float>();
    const auto best = std::max_element(scores.begin(), scores.end()) - scores.begin();
    std::visit(
        [&](const auto& y) {
          right += best == static_cast<std::int64_t>(y[static_cast<std::size_t>(i)]) ? 1 : 0;
        },
        labels.data);
  }
  EXPECT_GE(right, 350) << "of " << x.shape[0] << ": 97 %";
}

TEST(Executor, TheResultDoesNotDependOnThreads) {
  const Executor executor(digits());
  const Tensor x = digit_images();
  std::vector<std::vector<float>> alone;
  for (std::int64_t i = 0; i < 40; ++i)
    alone.push_back(Executor(digits()).run({tensor::image(x, i)})[0].as<float>());
  std::vector<std::vector<float>> together(40);
  tbb::parallel_for(0, 40, [&](int i) {
    together[static_cast<std::size_t>(i)] = executor.run({tensor::image(x, i)})[0].as<float>();
  });
  EXPECT_EQ(alone, together);
}

TEST(Executor, AHookReplacesCrossbarLayersOnly) {
  const auto graph = digits();
  const Executor executor(graph);
  const Tensor image = tensor::image(digit_images(), 0);
  std::vector<std::string> seen;
  Hooks hooks;
  hooks.crossbar_layer = [&](const Node& node, const Tensor& x, Tensor& y) {
    EXPECT_TRUE(on_crossbars(node));
    EXPECT_EQ(x.shape, graph->shape(node.inputs[0]));
    EXPECT_EQ(y.shape, graph->shape(node.outputs[0]));
    EXPECT_EQ(static_cast<std::int64_t>(y.as<float>().size()), y.size());
    seen.push_back(node.name);
    return false;
  };
  EXPECT_EQ(executor.run({image}, hooks)[0].data, executor.run({image})[0].data);
  std::vector<std::string> layers;
  for (const Node& node : graph->nodes) {
    if (on_crossbars(node)) layers.push_back(node.name);
  }
  EXPECT_EQ(seen, layers);
  hooks.crossbar_layer = [](const Node& node, const Tensor&, Tensor& y) {
    std::fill(y.as<float>().begin(), y.as<float>().end(), 0.0F);
    return node.op == Op::linear;
  };
  EXPECT_NE(executor.run({image}, hooks)[0].data, executor.run({image})[0].data);
}

TEST(Executor, TheObserverSeesEveryValueOnce) {
  const auto graph = digits();
  std::vector<int> times(graph->values.size(), 0);
  std::vector<float> last;
  Hooks hooks;
  hooks.observe = [&](graph::ValueId v, const Tensor& tensor) {
    EXPECT_EQ(tensor.shape, graph->shape(v));
    ++times[static_cast<std::size_t>(v)];
    last = tensor.as<float>();
  };
  const auto outputs = Executor(graph).run({tensor::image(digit_images(), 3)}, hooks);
  for (std::size_t v = 0; v < times.size(); ++v) EXPECT_EQ(times[v], graph->values[v].constant ? 0 : 1) << v;
  EXPECT_EQ(last, outputs[0].as<float>());
}

TEST(Executor, InputsThatDoNotFitAreRefused) {
  const Executor executor(digits());
  EXPECT_THAT([&] { static_cast<void>(executor.run({})); },
              ThrowsMessage<base::UsageError>(HasSubstr("0 input arrays; allowed: 1")));
  EXPECT_THAT(
      [&] {
        static_cast<void>(executor.run({tensor::zeros({1, 2, 3})}));
      },
      ThrowsMessage<base::UsageError>(HasSubstr("array of shape 1x2x3; allowed: float32 of shape 1x1x8x8")));
  Tensor integers = tensor::zeros({1, 1, 8, 8});
  integers.data = std::vector<std::int32_t>(64);
  EXPECT_THAT([&] { static_cast<void>(executor.run({integers})); },
              ThrowsMessage<base::UsageError>(HasSubstr("not float32")));
}

TEST(BiasInSteps, IsTheWholeNumberThatAFloatStandsFor) {
  std::mt19937 random(5);
  for (int i = 0; i < 1000; ++i) {
    const double step = std::ldexp(1.0 + static_cast<double>(random() % 1000003) / 1e6, -12);
    const auto code = static_cast<std::int32_t>(random() % (1U << 23)) - (1 << 22);
    EXPECT_EQ(bias_in_steps(static_cast<float>(code * step), step), code);
  }
  EXPECT_EQ(bias_in_steps(0.0F, 0.1), 0.0);
  EXPECT_EQ(bias_in_steps(0.75F, 0.5), 1.5) << "not on the grid: as it is";
  EXPECT_EQ(bias_in_steps(0x1p26F, 1.5), 0x1p26 / 1.5) << "beyond the whole numbers of a float";
}

}  // namespace
}  // namespace bitline::reference
