// SPDX-License-Identifier: Apache-2.0
#include "mapper/reference/quantised.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "mapper/tensor/operations.h"
#include "models/base/errors.h"

namespace bitline::reference {

namespace {

using graph::Grid;
using tensor::Tensor;

/// The scale and zero point along the elements of a tensor: [outer][channels][inner].
struct Steps {
  std::vector<float> scale, zero_point;
  std::size_t inner = 1;
};

Steps steps_of(const std::vector<const Tensor*>& inputs, const Grid& grid) {
  Steps steps;
  if (grid.scale.empty()) {
    steps.scale = tensor::to_float(*inputs.at(1)).as<float>();
    steps.zero_point = tensor::to_float(*inputs.at(2)).as<float>();
    BITLINE_CHECK(steps.scale.size() == 1 && steps.zero_point.size() == 1);
  } else {
    steps.scale = grid.scale;
    steps.zero_point.assign(grid.zero_point.begin(), grid.zero_point.end());
  }
  const graph::Shape& shape = inputs.at(0)->shape;
  if (steps.scale.size() == 1) {
    steps.inner = static_cast<std::size_t>(inputs.at(0)->size());
  } else {
    for (auto d = static_cast<std::size_t>(grid.axis) + 1; d < shape.size(); ++d) {
      steps.inner *= static_cast<std::size_t>(shape[d]);
    }
  }
  return steps;
}

/// Calls f(first, last, scale, zero point) for each run of elements with the same grid.
template <class F>
void for_each_run(const Steps& steps, std::size_t size, F f) {
  std::size_t channel = 0;
  for (std::size_t first = 0; first < size; first += steps.inner) {
    f(first, first + steps.inner, steps.scale[channel], steps.zero_point[channel]);
    channel = (channel + 1) % steps.scale.size();
  }
}

}  // namespace

Tensor quantize(const std::vector<const Tensor*>& inputs, const Grid& grid) {
  Tensor result = tensor::to_float(*inputs.at(0));
  std::vector<float>& values = result.as<float>();
  const auto low = static_cast<float>(grid.low);
  const auto high = static_cast<float>(grid.high);
  for_each_run(steps_of(inputs, grid), values.size(),
               [&](std::size_t first, std::size_t last, float scale, float zero_point) {
                 for (std::size_t i = first; i < last; ++i) {
                   values[i] = std::clamp(std::nearbyint(values[i] / scale) + zero_point, low, high);
                 }
               });
  return result;
}

Tensor dequantize(const std::vector<const Tensor*>& inputs, const Grid& grid) {
  const Tensor& codes = *inputs.at(0);
  std::vector<float> values(static_cast<std::size_t>(codes.size()));
  const Steps steps = steps_of(inputs, grid);
  std::visit(
      [&](const auto& in) {
        for_each_run(steps, values.size(),
                     [&](std::size_t first, std::size_t last, float scale, float zero_point) {
                       for (std::size_t i = first; i < last; ++i) {
                         const double code = static_cast<double>(in[i]) - static_cast<double>(zero_point);
                         values[i] = static_cast<float>(code) * scale;
                       }
                     });
      },
      codes.data);
  return {codes.shape, std::move(values)};
}

Tensor dynamic_scale(const Tensor& x) {
  float low = 0.0F;
  float high = 0.0F;
  for (const float value : x.as<float>()) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  return {{}, std::vector<float>{low == high ? 1.0F : (high - low) / 255.0F}};
}

Tensor dynamic_zero_point(const Tensor& x, const Tensor& scale) {
  const float low = std::min(0.0F, *std::min_element(x.as<float>().begin(), x.as<float>().end()));
  const float code = std::nearbyint(-low / scale.as<float>().at(0));
  return {{}, std::vector<float>{std::clamp(code, 0.0F, 255.0F)}};
}

}  // namespace bitline::reference
