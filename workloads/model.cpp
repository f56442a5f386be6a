// SPDX-License-Identifier: Apache-2.0
#include "workloads/model.h"

#include <cmath>
#include <limits>
#include <vector>

#include "models/base/errors.h"
#include "workloads/random.h"

namespace bitline::workloads {

namespace {

using Integers = std::vector<std::int64_t>;

/// Of all weights: 1 GiB. A file cannot have 2 GiB.
constexpr std::int64_t kMostElements = std::int64_t{1} << 28;

}  // namespace

Model::Model(const std::string& name, Seed seed, const tensor::Shape& shape)
    : builder_(name), name_(name), seed_(seed) {
  tensor::Shape with_batch = {-1};
  with_batch.insert(with_batch.end(), shape.begin(), shape.end());
  builder_.input(input_, with_batch);
}

void Model::count(const tensor::Shape& shape) {
  elements_ += tensor::element_count(shape);
  if (elements_ > kMostElements) {
    throw base::UsageError({"workload " + name_, "would have more than 268 435 456 weights", "less",
                            "ask for fewer layers or channels"});
  }
}

std::span<float> Model::weights(const std::string& name, const tensor::Shape& shape) {
  count(shape);
  return builder_.weights(name, shape);
}

void Model::filled(const std::string& name, const tensor::Shape& shape,
                   const std::function<void(Random&, std::span<float>)>& fill) {
  if (!seed_.weights) {
    count(shape);
    return builder_.shape(name, shape);
  }
  Random random(seed_.value, name);
  fill(random, weights(name, shape));
}

void Model::he_weights(const std::string& name, const tensor::Shape& shape, double gain) {
  const double fan_in = static_cast<double>(tensor::element_count(shape) / shape[0]);
  filled(name, shape, [&](Random& random, std::span<float> values) {
    random.fill_normal(values, static_cast<float>(std::sqrt(gain / fan_in)));
  });
}

void Model::small_bias(const std::string& name, std::int64_t size) {
  filled(name, {size}, [](Random& random, std::span<float> values) { random.fill_normal(values, 0.05F); });
}

std::string Model::conv(const std::string& name, const std::string& x, const Conv& conv) {
  std::vector<std::string> inputs = {x, name + ".weight"};
  he_weights(inputs[1], {conv.out, conv.in / conv.group, conv.kernel, conv.kernel},
             conv.after_linear ? 1.0 : 2.0);
  if (conv.bias) {
    inputs.push_back(name + ".bias");
    small_bias(inputs[2], conv.out);
  }
  std::vector<onnx::Attribute> attributes = {{"kernel_shape", Integers{conv.kernel, conv.kernel}},
                                             {"strides", Integers{conv.stride, conv.stride}},
                                             {"pads", Integers(4, conv.padding)}};
  if (conv.dilation != 1) attributes.push_back({"dilations", Integers{conv.dilation, conv.dilation}});
  if (conv.group != 1) attributes.push_back({"group", conv.group});
  return builder_.node("Conv", name, inputs, attributes);
}

std::string Model::batch_norm(const std::string& name, const std::string& x, std::int64_t channels,
                              float gain) {
  const auto fill = [&](const std::string& part, float low, float high) {
    const std::string full = name + "." + part;
    filled(full, {channels},
           [&](Random& random, std::span<float> values) { random.fill_uniform(values, low, high); });
    return full;
  };
  const std::vector<std::string> inputs = {x, fill("weight", 0.5F * gain, 1.5F * gain),
                                           fill("bias", -0.2F, 0.2F), fill("running_mean", -0.2F, 0.2F),
                                           fill("running_var", 0.5F, 1.5F)};
  return builder_.node("BatchNormalization", name, inputs, {{"epsilon", 1e-5F}});
}

std::string Model::linear(const std::string& name, const std::string& x, std::int64_t in, std::int64_t out) {
  he_weights(name + ".weight", {out, in});
  small_bias(name + ".bias", out);
  return builder_.node("Gemm", name, {x, name + ".weight", name + ".bias"}, {{"transB", std::int64_t{1}}});
}

std::string Model::relu(const std::string& name, const std::string& x) {
  return builder_.node("Relu", name, {x});
}

std::string Model::max_pool(const std::string& name, const std::string& x, std::int64_t kernel,
                            std::int64_t stride, std::int64_t padding, bool ceil_mode) {
  std::vector<onnx::Attribute> attributes = {{"kernel_shape", Integers{kernel, kernel}},
                                             {"strides", Integers{stride, stride}},
                                             {"pads", Integers(4, padding)}};
  if (ceil_mode) attributes.push_back({"ceil_mode", std::int64_t{1}});
  return builder_.node("MaxPool", name, {x}, attributes);
}

std::string Model::average_pool(const std::string& name, const std::string& x, std::int64_t stride) {
  return builder_.node(
      "AveragePool", name, {x},
      {{"kernel_shape", Integers{3, 3}}, {"strides", Integers{stride, stride}}, {"pads", Integers(4, 1)}});
}

std::string Model::global_average_pool(const std::string& name, const std::string& x) {
  return builder_.node("GlobalAveragePool", name, {x});
}

std::string Model::add(const std::string& name, const std::string& a, const std::string& b) {
  return builder_.node("Add", name, {a, b});
}

std::string Model::clip(const std::string& name, const std::string& x, float min, float max) {
  weights(name + ".min", {})[0] = min;
  weights(name + ".max", {})[0] = max;
  return builder_.node("Clip", name, {x, name + ".min", name + ".max"});
}

std::string Model::concat(const std::string& name, const std::vector<std::string>& parts) {
  return builder_.node("Concat", name, parts, {{"axis", std::int64_t{1}}});
}

std::string Model::shift(const std::string& name, const std::string& x) {
  constexpr std::int64_t kEnd = std::numeric_limits<std::int64_t>::max();
  builder_.integers(name + ".starts", {1, 1});
  builder_.integers(name + ".ends", {kEnd, kEnd});
  builder_.integers(name + ".axes", {2, 3});
  return builder_.node("Slice", name, {x, name + ".starts", name + ".ends", name + ".axes"});
}

std::string Model::flatten(const std::string& name, const std::string& x) {
  return builder_.node("Flatten", name, {x}, {{"axis", std::int64_t{1}}});
}

void Model::output(const std::string& name, const std::string& x, const tensor::Shape& shape) {
  tensor::Shape with_batch = {-1};
  with_batch.insert(with_batch.end(), shape.begin(), shape.end());
  builder_.node("Identity", name + ".identity", {x}, {}, name);
  builder_.output(name, with_batch);
}

std::string Model::finish(const std::string& x, std::int64_t classes) {
  builder_.node("Identity", "logits", {x}, {}, "output");
  builder_.output("output", {-1, classes});
  return builder_.bytes();
}

}  // namespace bitline::workloads
