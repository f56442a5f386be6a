// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "mapper/graph/graph.h"

namespace bitline::reference {

/// Elements of `x` in another order; any element type.
[[nodiscard]] tensor::Tensor rearrange(const tensor::Tensor& x, const graph::RearrangeAttributes& attributes,
                                       const graph::Shape& shape);
/// The elements of a float `table` at `indices` (whole numbers, negative ones from the end) along `axis`.
/// Throws base::UsageError naming the node for an index outside the table.
[[nodiscard]] tensor::Tensor gather(const std::string& node, const tensor::Tensor& table,
                                    const tensor::Tensor& indices, std::int64_t axis,
                                    const graph::Shape& shape);
/// Interpolation along one axis.
[[nodiscard]] tensor::Tensor resample(const tensor::Tensor& x, const graph::ResampleAttributes& attributes,
                                      const graph::Shape& shape);

}  // namespace bitline::reference
