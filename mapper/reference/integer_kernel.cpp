// SPDX-License-Identifier: Apache-2.0
#include "mapper/reference/integer_kernel.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "mapper/graph/given_grid.h"
#include "mapper/tensor/operations.h"

namespace bitline::reference {

namespace {

using graph::Grid;
using graph::Node;
using graph::Shape;
using tensor::Tensor;

constexpr std::int64_t kExact = std::int64_t{1} << 24;

const Tensor& weight_of(const Node& node) {
  const auto* conv = std::get_if<graph::ConvAttributes>(&node.attributes);
  return conv != nullptr ? *conv->weight : *std::get<graph::LinearAttributes>(node.attributes).weight;
}

/// The same node with other weights and no bias.
Node with_weight(const Node& node, Tensor weight) {
  Node result = node;
  auto shared = std::make_shared<const Tensor>(std::move(weight));
  std::visit(
      [&](auto& attributes) {
        if constexpr (requires { attributes.weight; }) {
          attributes.weight = std::move(shared);
          attributes.bias = nullptr;
        }
      },
      result.attributes);
  return result;
}

/// Whole numbers weight / scale, by output; none where one is beyond what a float holds exactly.
std::optional<std::vector<std::int32_t>> weight_codes(const Tensor& weight,
                                                      const std::vector<double>& scale) {
  const std::vector<float>& values = weight.as<float>();
  const std::size_t rows = values.size() / scale.size();
  std::vector<std::int32_t> codes(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double code = std::nearbyint(static_cast<double>(values[i]) / scale[i / rows]);
    if (!(std::abs(code) <= static_cast<double>(kExact))) return std::nullopt;
    codes[i] = static_cast<std::int32_t>(code);
  }
  return codes;
}

class IntegerKernel final : public DenseKernel {
 public:
  struct Limb {
    std::unique_ptr<DenseKernel> kernel;
    double factor = 1.0;
  };

  IntegerKernel(std::vector<Limb> limbs, double input_scale, std::vector<double> weight_scale,
                std::shared_ptr<const Tensor> bias, std::size_t inputs, const Shape& y, std::size_t plane)
      : limbs_(std::move(limbs)),
        input_scale_(input_scale),
        weight_scale_(std::move(weight_scale)),
        bias_(std::move(bias)),
        inputs_(inputs),
        outputs_(static_cast<std::size_t>(tensor::element_count(y))),
        plane_(plane) {}

  void run(const float* x, float* y, Workspace& workspace) const override {
    std::vector<float> codes(inputs_);
    for (std::size_t i = 0; i < inputs_; ++i) {
      codes[i] = static_cast<float>(std::nearbyint(static_cast<double>(x[i]) / input_scale_));
    }
    std::vector<double> sums(outputs_, 0.0);
    for (const Limb& limb : limbs_) {
      limb.kernel->run(codes.data(), y, workspace);
      for (std::size_t i = 0; i < outputs_; ++i) sums[i] += static_cast<double>(y[i]) * limb.factor;
    }
    for (std::size_t i = 0; i < outputs_; ++i) {
      const std::size_t channel = i / plane_ % weight_scale_.size();
      const double step = input_scale_ * weight_scale_[channel];
      const double bias = bias_ ? bias_in_steps(bias_->as<float>()[channel], step) : 0.0;
      y[i] = static_cast<float>((sums[i] + bias) * step);
    }
  }

 private:
  std::vector<Limb> limbs_;
  double input_scale_;
  std::vector<double> weight_scale_;
  std::shared_ptr<const Tensor> bias_;
  std::size_t inputs_, outputs_;
  std::size_t plane_;  ///< elements of one output side by side
};

/// Cuts codes into kernels of limbs of at most `radix` - 1 either way.
std::vector<IntegerKernel::Limb> make_limbs(const Node& node, const Shape& x, const Shape& y,
                                            std::vector<std::int32_t> codes, std::int32_t radix) {
  std::vector<IntegerKernel::Limb> limbs;
  double factor = 1.0;
  bool left = true;
  while (left) {
    std::vector<float> limb(codes.size());
    left = false;
    for (std::size_t i = 0; i < codes.size(); ++i) {
      limb[i] = static_cast<float>(codes[i] % radix);
      codes[i] /= radix;
      left = left || codes[i] != 0;
    }
    const Tensor weight{weight_of(node).shape, std::move(limb)};
    limbs.push_back({make_dense_kernel(with_weight(node, weight), x, y), factor});
    factor *= radix;
  }
  return limbs;
}

}  // namespace

double bias_in_steps(float bias, double step) {
  const double steps = static_cast<double>(bias) / step;
  const double whole = std::nearbyint(steps);
  // A float holds whole numbers up to 2^24; its rounding and that of the scales are less than 2^-22 of it.
  const bool on_grid = std::abs(whole) < kExact && std::abs(steps - whole) <= std::abs(whole) * 0x1p-22;
  return on_grid ? whole : steps;
}

std::unique_ptr<DenseKernel> make_integer_kernel(const Node& node, const Grid& input, const Shape& x,
                                                 const Shape& y) {
  const Tensor& weight = weight_of(node);
  const auto outputs = static_cast<std::size_t>(weight.shape[0]);
  const auto* conv = std::get_if<graph::ConvAttributes>(&node.attributes);
  const auto bias = conv != nullptr ? conv->bias : std::get<graph::LinearAttributes>(node.attributes).bias;
  const Grid& grid = *graph::weight_grid(node);
  std::vector<double> scale(grid.scale.begin(), grid.scale.end());
  scale.resize(outputs, scale.front());
  const std::int64_t zero = input.zero_point.front();
  const std::int64_t largest = std::max(std::abs(input.low - zero), std::abs(input.high - zero));
  const std::int64_t rows = weight.size() / weight.shape[0];
  if (largest == 0 || largest >= kExact || rows * largest > kExact) return nullptr;
  const auto radix = static_cast<std::int32_t>(kExact / (rows * largest)) + 1;
  auto codes = weight_codes(weight, scale);
  if (!codes) return nullptr;
  std::vector<IntegerKernel::Limb> limbs = make_limbs(node, x, y, std::move(*codes), radix);
  std::size_t plane = 1;
  for (std::size_t d = 2; conv != nullptr && d < y.size(); ++d) plane *= static_cast<std::size_t>(y[d]);
  return std::make_unique<IntegerKernel>(std::move(limbs), static_cast<double>(input.scale.front()),
                                         std::move(scale), bias,
                                         static_cast<std::size_t>(tensor::element_count(x)), y, plane);
}

}  // namespace bitline::reference
