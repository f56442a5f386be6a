// SPDX-License-Identifier: Apache-2.0
// Attributes of the operators that a chip's digital units compute beside the common ones.
#pragma once

#include <cstdint>
#include <vector>

namespace bitline::graph {

/// What an element-wise node computes of its inputs x, y, z after broadcasting.
enum class Function {
  neg,
  abs,
  exp,
  sqrt,
  erf,
  tanh,
  log,
  leaky_relu,    ///< x < 0 ? alpha * x : x
  hard_sigmoid,  ///< clamp(alpha * x + beta, 0, 1)
  hard_swish,    ///< x * clamp(x / 6 + 1/2, 0, 1)
  gelu,          ///< x * Phi(x)
  gelu_tanh,     ///< its approximation with tanh
  to_integer,    ///< towards zero, clamped to [alpha, beta]
  to_boolean,    ///< x != 0
  sub,
  mul,
  div,
  integer_div,  ///< towards zero
  min,
  max,
  pow,
  equal,
  prelu,   ///< x < 0 ? y * x : x
  select,  ///< x != 0 ? y : z
};
struct FunctionAttributes {
  Function function;
  float alpha = 0.0F, beta = 0.0F;
};

/// Moves elements: seen with the dimensions of `offsets`, output element (i0, i1, ...) is the input element
/// offsets[0][i0] + offsets[1][i1] + ...; `fill` where one of them is negative.
struct RearrangeAttributes {
  std::vector<std::vector<std::int64_t>> offsets;
  float fill = 0.0F;
};

enum class Reduction { sum, mean, max, min };
struct ReduceAttributes {
  Reduction reduction;
  std::vector<std::int64_t> axes;  ///< ascending
};

/// Interpolation along one axis: output i is the sum over t of weights[i*taps + t] * input[indices[i*taps +
/// t]]. A negative index stands for `fill`.
struct ResampleAttributes {
  std::int64_t axis = 0;
  std::size_t taps = 2;
  std::vector<std::int64_t> indices;
  std::vector<float> weights;
  float fill = 0.0F;
};

/// (x - mean) / sqrt(variance + epsilon) over the dimensions from `axis` on.
struct NormaliseAttributes {
  std::int64_t axis = 0;
  float epsilon = 1e-5F;
};

}  // namespace bitline::graph
