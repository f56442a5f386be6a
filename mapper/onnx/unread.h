// SPDX-License-Identifier: Apache-2.0
// Weights that were left in their file (ImportOptions::shapes_only).
#pragma once

#include <memory>

#include "mapper/tensor/tensor.h"

namespace bitline::onnx {

[[nodiscard]] inline std::shared_ptr<tensor::Tensor> unread_tensor(tensor::Shape shape) {
  return std::make_shared<tensor::Tensor>(tensor::Tensor{std::move(shape), std::vector<float>()});
}
[[nodiscard]] inline bool unread(const tensor::Tensor& tensor) {
  return tensor.holds<float>() && tensor.as<float>().empty() && tensor.size() > 0;
}

/// Thrown where they are needed after all.
struct NeedsValues {};

}  // namespace bitline::onnx
