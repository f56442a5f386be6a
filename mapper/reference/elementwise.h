// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "mapper/graph/graph.h"

namespace bitline::reference {

/// An element-wise function of tensors that are broadcast together to `shape`. Float inputs give float; among
/// constants of integers the result has the type of the first (to_boolean, equal: bytes; select: the second).
[[nodiscard]] tensor::Tensor elementwise(const std::vector<const tensor::Tensor*>& inputs,
                                         const graph::FunctionAttributes& attributes,
                                         const graph::Shape& shape);

/// `values` of doubles as elements of the type that `like` has; out of range: the nearest.
[[nodiscard]] tensor::Tensor from_double(const tensor::Tensor& values, const tensor::Tensor& like);
[[nodiscard]] tensor::Tensor to_double(const tensor::Tensor& tensor);

}  // namespace bitline::reference
