// SPDX-License-Identifier: Apache-2.0
// Small operations on tensors that more than one folder needs.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "mapper/tensor/tensor.h"

namespace bitline::tensor {

/// A float tensor of that shape, zeros.
[[nodiscard]] Tensor zeros(const Shape& shape);
/// The same values as float (moves where they already are).
[[nodiscard]] Tensor to_float(Tensor tensor);
/// Row `index` of the leading dimension, which stays as 1: [N, ...] -> [1, ...].
[[nodiscard]] Tensor image(const Tensor& batch, std::int64_t index);
/// Joins along an existing axis. All tensors have the same type, rank and other dimensions.
[[nodiscard]] Tensor concat(std::span<const Tensor* const> tensors, std::int64_t axis);
/// The common shape after NumPy broadcasting; throws std::invalid_argument if there is none.
[[nodiscard]] Shape broadcast_shape(const Shape& a, const Shape& b);
/// Element-wise sum with broadcasting; both of the same type.
[[nodiscard]] Tensor add(const Tensor& a, const Tensor& b);

}  // namespace bitline::tensor
