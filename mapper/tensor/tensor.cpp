// SPDX-License-Identifier: Apache-2.0
#include "mapper/tensor/tensor.h"

#include <stdexcept>

namespace bitline::tensor {

std::int64_t element_count(const Shape& shape) {
  std::int64_t count = 1;
  bool empty = false;
  for (const std::int64_t dimension : shape) {
    if (dimension < 0) throw std::overflow_error("negative dimension in shape " + to_string(shape));
    if (dimension == 0) empty = true;
    if (!empty && __builtin_mul_overflow(count, dimension, &count)) {
      throw std::overflow_error("shape " + to_string(shape) + " has more than 2^63 elements");
    }
  }
  return empty ? 0 : count;
}

std::string to_string(std::span<const std::int64_t> shape) {
  if (shape.empty()) return "scalar";
  std::string text;
  for (const std::int64_t dimension : shape) {
    if (!text.empty()) text += 'x';
    text += std::to_string(dimension);
  }
  return text;
}

}  // namespace bitline::tensor
