// SPDX-License-Identifier: Apache-2.0
// Output shapes of the operators. All throw std::invalid_argument, saying what does not fit.
#pragma once

#include <array>
#include <cstdint>

#include "mapper/graph/graph.h"

namespace bitline::graph {

/// Positions of a sliding window along one axis:
///   floor((in + pad_begin + pad_end - dilation*(kernel-1) - 1) / stride) + 1,
/// with ceil instead of floor if `ceil_mode`, less a last window that would start in the trailing padding.
struct Axis {
  std::int64_t in = 1, kernel = 1, stride = 1, pad_begin = 0, pad_end = 0, dilation = 1;
};
[[nodiscard]] std::int64_t window_positions(const Axis& axis, bool ceil_mode = false);

/// Padding [begin, end] that gives ceil(in / stride) positions (auto_pad SAME_UPPER; SAME_LOWER puts an odd
/// pixel at the beginning). The pads of `axis` are not read.
[[nodiscard]] std::array<std::int64_t, 2> same_padding(const Axis& axis, bool upper);

/// Image [N,C,H,W] -> [N,O,H',W'].
[[nodiscard]] Shape conv_shape(const Shape& x, const ConvAttributes& attributes);
/// Image [N,C,H,W] -> [N,C,H',W'].
[[nodiscard]] Shape pool_shape(const Shape& x, const PoolAttributes& attributes);
/// [..., I] -> [..., O].
[[nodiscard]] Shape linear_shape(const Shape& x, const LinearAttributes& attributes);
/// [..., M, K] x [..., K, N] -> [..., M, N], leading dimensions broadcast.
[[nodiscard]] Shape product_shape(const Shape& a, const Shape& b);
/// Two dimensions: the product of those before `axis` and of those from it on.
[[nodiscard]] Shape flatten_shape(const Shape& x, std::int64_t axis);
/// `target` with 0 replaced by the dimension of `x` there (unless `allow_zero`) and -1 by what is left over.
[[nodiscard]] Shape reshape_shape(const Shape& x, const Shape& target, bool allow_zero = false);
/// `axis` counted from the front; negative ones count from the back. `last`: the largest allowed.
[[nodiscard]] std::int64_t normalise_axis(std::int64_t axis, std::int64_t rank, std::int64_t last);

}  // namespace bitline::graph
