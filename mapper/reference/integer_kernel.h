// SPDX-License-Identifier: Apache-2.0
// Convolution and matrix product of layers whose weights and inputs lie on integer grids that the network
// gives: as QLinearConv and MatMulInteger are defined, in integers.
#pragma once

#include <memory>

#include "mapper/graph/graph.h"
#include "mapper/reference/dense_kernels.h"

namespace bitline::reference {

/// A bias in steps of a layer's integer sums: the whole number that it is on a given grid, else the quotient.
/// What a DequantizeLinear has rounded to float is exact again, so that the sums fall on ties where an
/// integer runtime's do.
[[nodiscard]] double bias_in_steps(float bias, double step);

/// y = float((sum + bias in steps) * input scale * weight scale) with the exact integer sum, in double,
/// rounded once: what a chip whose converters never clip gives. The float kernels multiply whole numbers,
/// which is exact up to 2^24; so the weights are cut into limbs that are small enough. Null, for the float
/// kernel, where rows times the largest input code are more than 2^24 (8-bit inputs: 65793 rows), or a
/// weight's code is. The node's weights have a grid.
[[nodiscard]] std::unique_ptr<DenseKernel> make_integer_kernel(const graph::Node& node,
                                                               const graph::Grid& input,
                                                               const graph::Shape& x, const graph::Shape& y);

}  // namespace bitline::reference
