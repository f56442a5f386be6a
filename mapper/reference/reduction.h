// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "mapper/graph/graph.h"

namespace bitline::reference {

/// Sum, mean, largest or smallest over the axes; sums in double. Any element type (of constants).
[[nodiscard]] tensor::Tensor reduce(const tensor::Tensor& x, const graph::ReduceAttributes& attributes,
                                    const graph::Shape& shape);
/// (x - mean) / sqrt(variance + epsilon) over the dimensions from an axis on.
void normalise(tensor::Tensor& x, const graph::NormaliseAttributes& attributes);
/// [..., M, K] times [..., K, N]; leading dimensions are broadcast.
[[nodiscard]] tensor::Tensor matmul(const tensor::Tensor& a, const tensor::Tensor& b,
                                    const graph::Shape& shape);

}  // namespace bitline::reference
