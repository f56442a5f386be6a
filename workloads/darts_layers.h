// SPDX-License-Identifier: Apache-2.0
// What the cells of DARTS consist of (quark0/darts, cnn/operations.py).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/base/errors.h"
#include "workloads/model.h"

namespace bitline::workloads {

/// Mean scales of the normalisations: below 1, so that the sums of two branches over twenty cells stay
/// bounded.
inline constexpr float kPreprocessGain = 0.8F;
inline constexpr float kOperationGain = 0.6F;

/// Each adds its layers to a `Net` (Model, or ShapeModel), named as the parameters of the PyTorch original,
/// and returns its result.
template <class Net>
class DartsLayers {
 public:
  using Value = typename Net::Value;

  /// `channels`: of every result.
  DartsLayers(Net& model, std::int64_t channels) : model_(model), channels_(channels) {}

  Value relu_conv_bn(const std::string& name, const Value& x, std::int64_t in) {
    const Value y = model_.relu(name + ".op.0", x);
    return bn(name + ".op.2", model_.conv(name + ".op.1", y, pointwise(in, channels_)), kPreprocessGain);
  }

  /// Half of the pixels in each direction: two convolutions, one of the even and one of the odd positions.
  Value factorized_reduce(const std::string& name, const Value& x, std::int64_t in, float gain) {
    const Value y = model_.relu(name + ".relu", x);
    const Conv half = pointwise(in, channels_ / 2, 2);
    const Value even = model_.conv(name + ".conv_1", y, half);
    const Value odd = model_.conv(name + ".conv_2", model_.shift(name + ".shift", y), half);
    return bn(name + ".bn", model_.concat(name + ".cat", std::vector<Value>{even, odd}), gain);
  }

  /// An operation of the space but `none`, which has no layers. `relu` gives `x` behind a ReLU, where it is
  /// wanted.
  template <class Relu>
  Value operation(const std::string& op, const std::string& name, const Value& x, std::int64_t stride,
                  Relu relu) {
    if (op == "max_pool_3x3") return model_.max_pool(name, x, 3, stride, 1);
    if (op == "avg_pool_3x3") return model_.average_pool(name, x, stride);
    if (op == "skip_connect") return stride == 1 ? x : factorized_reduce(name, x, channels_, kOperationGain);
    if (op == "sep_conv_3x3") return sep_conv(name, relu(), 3, stride);
    if (op == "sep_conv_5x5") return sep_conv(name, relu(), 5, stride);
    if (op == "dil_conv_3x3") return dil_conv(name, relu(), 3, stride);
    BITLINE_CHECK(op == "dil_conv_5x5");
    return dil_conv(name, relu(), 5, stride);
  }

 private:
  Value bn(const std::string& name, const Value& x, float gain) {
    return model_.batch_norm(name, x, channels_, gain);
  }
  static Conv pointwise(std::int64_t in, std::int64_t out, std::int64_t stride = 1) {
    Conv conv{in, out, 1, stride};
    conv.bias = false;
    return conv;
  }

  /// Depthwise, 1x1, normalisation: modules `first` to `first` + 2 of `name`.op.
  Value separable(const std::string& name, int first, const Value& x, Conv depthwise, float gain) {
    const auto module = [&](int i) { return name + ".op." + std::to_string(first + i); };
    depthwise.in = depthwise.out = depthwise.group = channels_;
    depthwise.bias = false;
    Conv point = pointwise(channels_, channels_);
    point.after_linear = true;
    return bn(module(2), model_.conv(module(1), model_.conv(module(0), x, depthwise), point), gain);
  }

  Value sep_conv(const std::string& name, const Value& rectified, std::int64_t kernel, std::int64_t stride) {
    Value y = separable(name, 1, rectified, {0, 0, kernel, stride, kernel / 2}, 1.0F);
    y = model_.relu(name + ".op.4", y);
    return separable(name, 5, y, {0, 0, kernel, 1, kernel / 2}, kOperationGain);
  }

  Value dil_conv(const std::string& name, const Value& rectified, std::int64_t kernel, std::int64_t stride) {
    Conv depthwise{0, 0, kernel, stride, kernel - 1};
    depthwise.dilation = 2;
    return separable(name, 1, rectified, depthwise, kOperationGain);
  }

  Net& model_;
  std::int64_t channels_;
};

}  // namespace bitline::workloads
