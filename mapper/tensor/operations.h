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
/// Row `index` of the leading dimension, which stays as 1: [N, ...] -> [1, ...]. Throws std::out_of_range.
[[nodiscard]] Tensor image(const Tensor& batch, std::int64_t index);
/// The shape of a concatenation. Throws std::invalid_argument unless all have the same rank and the same
/// dimensions but for `axis`.
[[nodiscard]] Shape concat_shape(std::span<const Shape> shapes, std::int64_t axis);
/// Joins along an existing axis; all of the same element type (std::invalid_argument otherwise).
[[nodiscard]] Tensor concat(std::span<const Tensor* const> tensors, std::int64_t axis);
/// The common shape after NumPy broadcasting; throws std::invalid_argument if there is none.
[[nodiscard]] Shape broadcast_shape(const Shape& a, const Shape& b);
/// Steps in elements of an operand for each dimension of the broadcast result; 0 where it is repeated.
[[nodiscard]] std::vector<std::size_t> broadcast_steps(const Shape& operand, const Shape& result);
/// Element-wise sum with broadcasting; both of the same element type (std::invalid_argument otherwise).
[[nodiscard]] Tensor add(const Tensor& a, const Tensor& b);
/// No NaN, no infinity.
[[nodiscard]] bool all_finite(std::span<const float> values);
/// [R, C] -> [C, R], float.
[[nodiscard]] Tensor transpose(const Tensor& matrix);

}  // namespace bitline::tensor
