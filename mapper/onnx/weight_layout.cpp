// SPDX-License-Identifier: Apache-2.0
#include "mapper/onnx/weight_layout.h"

#include <numeric>

namespace bitline::onnx {
namespace {

/// [O, R] as [R, O].
WeightLayout product_layout(const graph::Shape& shape) {
  WeightLayout layout{{shape[1], shape[0]}, {}, 1};
  for (std::int64_t r = 0; r < shape[1]; ++r)
    for (std::int64_t o = 0; o < shape[0]; ++o) layout.source.push_back(o * shape[1] + r);
  return layout;
}

/// [O, C/group, h, w] as [C, O/group, h, w], the kernel turned round.
WeightLayout transposed_layout(const graph::Shape& shape, std::int64_t group) {
  const std::int64_t outputs = shape[0] / group;
  const std::int64_t pixels = shape[2] * shape[3];
  WeightLayout layout{{shape[1] * group, outputs, shape[2], shape[3]}, {}, 1};
  for (std::int64_t c = 0; c < shape[1] * group; ++c) {
    for (std::int64_t o = c / shape[1] * outputs; o < (c / shape[1] + 1) * outputs; ++o)
      for (std::int64_t p = pixels; p-- > 0;)
        layout.source.push_back((o * shape[1] + c % shape[1]) * pixels + p);
  }
  return layout;
}

}  // namespace

WeightLayout weight_layout(std::string_view operation, const graph::Shape& shape, std::int64_t group) {
  if (operation == "MatMul") return product_layout(shape);
  if (operation == "ConvTranspose") return transposed_layout(shape, group);
  WeightLayout layout{shape,
                      std::vector<std::int64_t>(static_cast<std::size_t>(tensor::element_count(shape))), 0};
  std::iota(layout.source.begin(), layout.source.end(), 0);
  return layout;
}

}  // namespace bitline::onnx
