// SPDX-License-Identifier: Apache-2.0
// The operators that a chip's digital units do, in float32 with ONNX semantics.
#pragma once

#include <vector>

#include "mapper/graph/graph.h"

namespace bitline::reference {

/// y = x * scale[c] + shift[c], c the second dimension of x (the only one of a vector).
void scale_shift(tensor::Tensor& x, const graph::ScaleShiftAttributes& attributes);
/// max(x, 0); a NaN stays one.
void relu(tensor::Tensor& x);
/// min(max(x, attributes.min), attributes.max).
void clip(tensor::Tensor& x, const graph::ClipAttributes& attributes);
/// 1 / (1 + exp(-x)).
void sigmoid(tensor::Tensor& x);
/// exp(x - max) / sum of the same, along one axis.
void softmax(tensor::Tensor& x, std::int64_t axis);
/// Largest value of each window; the padding does not take part.
[[nodiscard]] tensor::Tensor max_pool(const tensor::Tensor& x, const graph::PoolAttributes& attributes,
                                      const graph::Shape& y_shape);
/// Mean of each window; padding counts (as zeros) only with `count_include_pad`, what a ceiling-mode window
/// reaches beyond the padding never does.
[[nodiscard]] tensor::Tensor average_pool(const tensor::Tensor& x, const graph::PoolAttributes& attributes,
                                          const graph::Shape& y_shape);
/// Mean over all pixels of each channel.
[[nodiscard]] tensor::Tensor global_average_pool(const tensor::Tensor& x);

}  // namespace bitline::reference
