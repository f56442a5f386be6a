// SPDX-License-Identifier: Apache-2.0
// The centres of encoding centre_offset (RAELLA: Andrulis et al., ISCA 2023): the arrays of a filter hold its
// weights less a centre, chosen such that the positive and negative parts of each slice balance and column
// sums stay near zero.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "mapper/slice/sliced_layer.h"

namespace bitline::slice {

/// Significant bits of a centre, which the digital side multiplies by: all those of a code, at most 8.
[[nodiscard]] int centre_bits(int code_bits);

/// One centre for each column of `rows` weights in `codes` ([output][row]): the c of least
///
///     cost(c) = sum over slices, most significant first, of 2^shift * (S*S)*(S*S)        in double,
///     S       = sum over rows of the slice of |q - c|, with the sign of q - c
///
/// among the multiples of 2^(code_bits - centre_bits) from min(0, least q) to max(0, largest q); of equal
/// ones that nearer to zero, then the lesser. So a column of zeros has centre 0.
[[nodiscard]] std::vector<std::int32_t> choose_centres(std::span<const std::int32_t> codes, int rows,
                                                       const std::vector<Slice>& slices, int code_bits);

}  // namespace bitline::slice
