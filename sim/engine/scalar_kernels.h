// SPDX-License-Identifier: Apache-2.0
// The kernels of kernels.h in plain C++, one column at a time: what machines without a vector unit run, and
// what every instruction set is tested against.
#pragma once

#include "sim/engine/kernels.h"

namespace bitline::engine::scalar {

void split_planes(const std::uint16_t* codes, int rows, int bits, std::uint32_t* planes);
[[nodiscard]] std::int64_t convert_planes(const PlaneJob& job);
void multiply_add(const ProductJob& job, int shift, std::int64_t* y, std::size_t stride);
void multiply(const ProductJob& job, std::int32_t* sums);
[[nodiscard]] std::int64_t convert_sums(const SumsJob& job);

}  // namespace bitline::engine::scalar
