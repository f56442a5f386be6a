// SPDX-License-Identifier: Apache-2.0
// Layers with weights on top of onnx::OnnxBuilder, named as PyTorch names them.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "mapper/onnx/export.h"
#include "workloads/seed.h"

namespace bitline::workloads {

class Random;

struct Conv {
  std::int64_t in = 0, out = 0, kernel = 1, stride = 1, padding = 0;
  bool bias = true;
  std::int64_t group = 1, dilation = 1;
  /// No ReLU stands before it: weights then have a standard deviation of sqrt(1 / fan-in).
  bool after_linear = false;
};

class Model {
 public:
  using Value = std::string;

  /// Input `input` of shape [batch, shape...].
  Model(const std::string& name, Seed seed, const tensor::Shape& shape);

  [[nodiscard]] const std::string& input() const { return input_; }
  // Each adds a layer that reads the value `x` and returns the name of its result.
  std::string conv(const std::string& name, const std::string& x, const Conv& conv);
  /// `gain`: the mean of the scales.
  std::string batch_norm(const std::string& name, const std::string& x, std::int64_t channels,
                         float gain = 1.0F);
  std::string linear(const std::string& name, const std::string& x, std::int64_t in, std::int64_t out);
  std::string relu(const std::string& name, const std::string& x);
  std::string max_pool(const std::string& name, const std::string& x, std::int64_t kernel,
                       std::int64_t stride, std::int64_t padding = 0, bool ceil_mode = false);
  /// 3x3 and padded by one pixel, which does not count.
  std::string average_pool(const std::string& name, const std::string& x, std::int64_t stride);
  std::string global_average_pool(const std::string& name, const std::string& x);
  std::string add(const std::string& name, const std::string& a, const std::string& b);
  std::string clip(const std::string& name, const std::string& x, float min, float max);
  /// Along the channels.
  std::string concat(const std::string& name, const std::vector<std::string>& parts);
  /// Without its first row and column.
  std::string shift(const std::string& name, const std::string& x);
  std::string flatten(const std::string& name, const std::string& x);
  /// Declares `x` ([batch, shape...]) the output `name` of the network.
  void output(const std::string& name, const std::string& x, const tensor::Shape& shape);
  /// The serialised model.
  [[nodiscard]] std::string bytes() const { return builder_.bytes(); }
  /// Declares `x` ([batch, classes]) the network's output and serialises.
  std::string finish(const std::string& x, std::int64_t classes);

 private:
  void count(const tensor::Shape& shape);
  /// Zeros to be filled. Throws base::UsageError where the network would become too large for a file.
  std::span<float> weights(const std::string& name, const tensor::Shape& shape);
  void filled(const std::string& name, const tensor::Shape& shape,
              const std::function<void(Random&, std::span<float>)>& fill);
  void he_weights(const std::string& name, const tensor::Shape& shape, double gain = 2.0);
  void small_bias(const std::string& name, std::int64_t size);

  onnx::OnnxBuilder builder_;
  std::string name_;
  Seed seed_;
  std::int64_t elements_ = 0;  ///< of all weights
  std::string input_ = "input";
};

}  // namespace bitline::workloads
