// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "mapper/graph/graph.h"

namespace bitline::reference {

/// Elements of `x` in another order; any element type.
[[nodiscard]] tensor::Tensor rearrange(const tensor::Tensor& x, const graph::RearrangeAttributes& attributes,
                                       const graph::Shape& shape);
/// Interpolation along one axis.
[[nodiscard]] tensor::Tensor resample(const tensor::Tensor& x, const graph::ResampleAttributes& attributes,
                                      const graph::Shape& shape);

}  // namespace bitline::reference
