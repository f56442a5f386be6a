// SPDX-License-Identifier: Apache-2.0
// Integer grids that a network brings with it (QuantizeLinear, DequantizeLinear, QLinear operators).
//
// Codes travel through the graph as float tensors that hold whole numbers: what an operator does with them
// (pooling, reshaping, concatenation) is then the same operator as for real numbers, and codes of up to 24
// bits are exact.
#pragma once

#include <cstdint>
#include <vector>

namespace bitline::graph {

/// real = scale * (code - zero_point), code in [low, high].
struct Grid {
  std::vector<float> scale;              ///< one, or one per index along `axis`; empty: not known
  std::vector<std::int64_t> zero_point;  ///< as many
  std::int64_t axis = 0;                 ///< of the quantised tensor
  std::int64_t low = 0;
  std::int64_t high = 255;

  [[nodiscard]] bool per_tensor() const { return scale.size() == 1; }
};

/// The bits that hold every code of [low, high]: unsigned where low >= 0, else two's complement.
[[nodiscard]] int code_bits(std::int64_t low, std::int64_t high);

}  // namespace bitline::graph
