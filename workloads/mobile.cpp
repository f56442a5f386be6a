// SPDX-License-Identifier: Apache-2.0
#include "workloads/mobile.h"

#include <algorithm>

#include "workloads/model.h"

namespace bitline::workloads {

namespace {

// As in networks.cpp: sums over many blocks stay bounded.
constexpr float kResidualGain = 0.3F;

std::string dotted(const std::string& name, std::int64_t i) {
  return name + "." + std::to_string(i);
}

/// Conv without bias, named `conv`, and its normalisation, named `bn`.
std::string conv_bn(Model& model, const std::string& conv, const std::string& bn, const std::string& x,
                    Conv shape, float gain = 1.0F) {
  shape.bias = false;
  return model.batch_norm(bn, model.conv(conv, x, shape), shape.out, gain);
}

Conv depthwise(std::int64_t channels, std::int64_t kernel, std::int64_t stride) {
  Conv conv{channels, channels, kernel, stride, kernel / 2};
  conv.group = channels;
  return conv;
}

Conv linear_bottleneck(std::int64_t in, std::int64_t out) {
  return {in, out, 1};
}

/// Blocks of an inverted residual network that differ in their first's stride only.
struct Stack {
  std::int64_t expansion, channels, blocks, stride, kernel;
};

struct InvertedResidual {
  std::int64_t in, hidden, out, kernel, stride;
  [[nodiscard]] bool adds() const { return stride == 1 && in == out; }
};

std::string sum(Model& model, const std::string& name, const InvertedResidual& block, const std::string& x,
                const std::string& y) {
  return block.adds() ? model.add(name + ".add", x, y) : y;
}

float last_gain(const InvertedResidual& block) {
  return block.adds() ? kResidualGain : 1.0F;
}

std::string mobilenet_block(Model& model, const std::string& name, const std::string& x,
                            const InvertedResidual& b) {
  std::string y = x;
  int module = 0;
  const auto activated = [&](const Conv& conv) {
    const std::string part = dotted(name + ".conv", module++);
    y = model.clip(part + ".2", conv_bn(model, part + ".0", part + ".1", y, conv), 0.0F, 6.0F);
  };
  if (b.hidden != b.in) {
    Conv expand{b.in, b.hidden, 1};
    expand.after_linear = true;
    activated(expand);
  }
  activated(depthwise(b.hidden, b.kernel, b.stride));
  y = conv_bn(model, dotted(name + ".conv", module), dotted(name + ".conv", module + 1), y,
              linear_bottleneck(b.hidden, b.out), last_gain(b));
  return sum(model, name, b, x, y);
}

std::string mnasnet_block(Model& model, const std::string& name, const std::string& x,
                          const InvertedResidual& b) {
  const auto part = [&](int i) { return dotted(name + ".layers", i); };
  Conv expand{b.in, b.hidden, 1};
  expand.after_linear = true;
  std::string y = model.relu(part(2), conv_bn(model, part(0), part(1), x, expand));
  y = model.relu(part(5), conv_bn(model, part(3), part(4), y, depthwise(b.hidden, b.kernel, b.stride)));
  y = conv_bn(model, part(6), part(7), y, linear_bottleneck(b.hidden, b.out), last_gain(b));
  return sum(model, name, b, x, y);
}

std::string finish_classifier(Model& model, const std::string& x, std::int64_t channels,
                              std::int64_t classes) {
  const std::string pooled = model.flatten("flatten", model.global_average_pool("avgpool", x));
  return model.finish(model.linear("classifier.1", pooled, channels, classes), classes);
}

/// SqueezeNet's block: `squeeze` channels, then `expand` by a 1x1 and as many by a 3x3 convolution.
std::string fire(Model& model, const std::string& name, const std::string& x, std::int64_t in,
                 std::int64_t squeeze, std::int64_t expand) {
  const std::string y =
      model.relu(name + ".squeeze_activation", model.conv(name + ".squeeze", x, {in, squeeze, 1}));
  const std::string pointwise = model.conv(name + ".expand1x1", y, {squeeze, expand, 1});
  const std::string spatial = model.conv(name + ".expand3x3", y, {squeeze, expand, 3, 1, 1});
  return model.concat(name + ".concat", {model.relu(name + ".expand1x1_activation", pointwise),
                                         model.relu(name + ".expand3x3_activation", spatial)});
}

}  // namespace

std::string make_mobilenetv2(const std::string& name, Seed seed, const ImageShape& shape) {
  constexpr Stack kStacks[] = {{1, 16, 1, 1, 3}, {6, 24, 2, 2, 3},  {6, 32, 3, 2, 3}, {6, 64, 4, 2, 3},
                               {6, 96, 3, 1, 3}, {6, 160, 3, 2, 3}, {6, 320, 1, 1, 3}};
  Model model(name, seed, {3, shape.resolution, shape.resolution});
  std::string x = conv_bn(model, "features.0.0", "features.0.1", model.input(), {3, 32, 3, 2, 1});
  x = model.clip("features.0.2", x, 0.0F, 6.0F);
  std::int64_t channels = 32;
  int feature = 1;
  for (const Stack& stack : kStacks) {
    for (std::int64_t i = 0; i < stack.blocks; ++i) {
      x = mobilenet_block(
          model, dotted("features", feature++), x,
          {channels, channels * stack.expansion, stack.channels, stack.kernel, i == 0 ? stack.stride : 1});
      channels = stack.channels;
    }
  }
  Conv last{channels, 1280, 1};
  last.after_linear = true;
  x = model.clip("features.18.2", conv_bn(model, "features.18.0", "features.18.1", x, last), 0.0F, 6.0F);
  return finish_classifier(model, x, 1280, shape.classes);
}

std::string make_mnasnet1_0(const std::string& name, Seed seed, const ImageShape& shape) {
  constexpr Stack kStacks[] = {{3, 24, 3, 2, 3}, {3, 40, 3, 2, 5},  {6, 80, 3, 2, 5},
                               {6, 96, 2, 1, 3}, {6, 192, 4, 2, 5}, {6, 320, 1, 1, 3}};
  Model model(name, seed, {3, shape.resolution, shape.resolution});
  const auto layer = [](int i) { return dotted("layers", i); };
  std::string x = conv_bn(model, layer(0), layer(1), model.input(), {3, 32, 3, 2, 1});
  x = conv_bn(model, layer(3), layer(4), model.relu(layer(2), x), depthwise(32, 3, 1));
  x = conv_bn(model, layer(6), layer(7), model.relu(layer(5), x), linear_bottleneck(32, 16));
  std::int64_t channels = 16;
  int position = 8;
  for (const Stack& stack : kStacks) {
    for (std::int64_t i = 0; i < stack.blocks; ++i) {
      x = mnasnet_block(
          model, dotted(layer(position), i), x,
          {channels, channels * stack.expansion, stack.channels, stack.kernel, i == 0 ? stack.stride : 1});
      channels = stack.channels;
    }
    ++position;
  }
  Conv last{channels, 1280, 1};
  last.after_linear = true;
  x = model.relu(layer(16), conv_bn(model, layer(14), layer(15), x, last));
  return finish_classifier(model, x, 1280, shape.classes);
}

std::string make_squeezenet1_1(const std::string& name, Seed seed, const ImageShape& shape) {
  // Squeezed and half of the expanded channels; 0 stands for a pooling.
  constexpr std::int64_t kFires[][2] = {{0, 0}, {16, 64},  {16, 64},  {0, 0},    {32, 128}, {32, 128},
                                        {0, 0}, {48, 192}, {48, 192}, {64, 256}, {64, 256}};
  Model model(name, seed, {3, shape.resolution, shape.resolution});
  std::string x = model.relu("features.1", model.conv("features.0", model.input(), {3, 64, 3, 2}));
  std::int64_t channels = 64;
  int position = 2;
  for (const auto& [squeeze, expand] : kFires) {
    const std::string feature = dotted("features", position++);
    if (squeeze == 0) {
      x = model.max_pool(feature, x, 3, 2, 0, true);
    } else {
      x = fire(model, feature, x, channels, squeeze, expand);
      channels = 2 * expand;
    }
  }
  x = model.relu("classifier.2", model.conv("classifier.1", x, {channels, shape.classes, 1}));
  return model.finish(model.flatten("flatten", model.global_average_pool("classifier.3", x)), shape.classes);
}

}  // namespace bitline::workloads
