// SPDX-License-Identifier: Apache-2.0
// Between real numbers and the codes of a grid, with ONNX semantics: arithmetic in float32, rounding half to
// even, saturation. Codes are whole numbers in float tensors; constants may have integer elements.
#pragma once

#include <vector>

#include "mapper/graph/graph.h"

namespace bitline::reference {

/// QuantizeLinear: clamp(rint(x / scale) + zero_point, low, high); x keeps its shape. `inputs`: x, and where
/// the grid has no scale the scale and the zero point (one element each).
[[nodiscard]] tensor::Tensor quantize(const std::vector<const tensor::Tensor*>& inputs,
                                      const graph::Grid& grid);
/// DequantizeLinear: (code - zero_point) * scale; `inputs` as of quantize, the first of any element type.
[[nodiscard]] tensor::Tensor dequantize(const std::vector<const tensor::Tensor*>& inputs,
                                        const graph::Grid& grid);
/// The scale with which DynamicQuantizeLinear maps x, and zero, to 0..255; 1 where all of x is zero.
[[nodiscard]] tensor::Tensor dynamic_scale(const tensor::Tensor& x);
/// The code of zero on that scale.
[[nodiscard]] tensor::Tensor dynamic_zero_point(const tensor::Tensor& x, const tensor::Tensor& scale);

}  // namespace bitline::reference
