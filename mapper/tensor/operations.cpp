// SPDX-License-Identifier: Apache-2.0
#include "mapper/tensor/operations.h"

#include <algorithm>
#include <bit>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace bitline::tensor {

namespace {

std::size_t elements(const Shape& shape) {
  return static_cast<std::size_t>(element_count(shape));
}

/// Product of the dimensions in [first, last).
std::size_t extent(const Shape& shape, std::size_t first, std::size_t last) {
  std::size_t product = 1;
  for (std::size_t i = first; i < last; ++i) product *= static_cast<std::size_t>(shape[i]);
  return product;
}

void require_same_type(const Tensor& a, const Tensor& b) {
  if (a.data.index() != b.data.index()) throw std::invalid_argument("element types differ");
}

/// Calls f(offset in result, offset in a, offset in b) for every row (innermost dimension) of the result.
template <class F>
void for_each_row(const Shape& result, const std::vector<std::size_t>& a, const std::vector<std::size_t>& b,
                  F f) {
  const std::size_t outer = result.size() - 1;
  const std::size_t length = static_cast<std::size_t>(result.back());
  const std::size_t rows = extent(result, 0, outer);
  std::vector<std::int64_t> index(outer, 0);
  std::size_t at_a = 0;
  std::size_t at_b = 0;
  for (std::size_t row = 0; row < rows; ++row) {
    f(row * length, at_a, at_b);
    for (std::size_t d = outer; d-- > 0;) {
      at_a += a[d];
      at_b += b[d];
      if (++index[d] < result[d]) break;
      at_a -= a[d] * static_cast<std::size_t>(result[d]);
      at_b -= b[d] * static_cast<std::size_t>(result[d]);
      index[d] = 0;
    }
  }
}

/// Integers wrap around, as ONNX runtimes and NumPy have it.
template <class T>
T wrapped_sum(T x, T y) {
  if constexpr (std::is_integral_v<T>) {
    return static_cast<T>(static_cast<std::uint64_t>(x) + static_cast<std::uint64_t>(y));
  } else {
    return x + y;
  }
}

template <class T>
std::vector<T> add_values(const std::vector<T>& a, const Shape& shape_a, const std::vector<T>& b,
                          const Shape& shape_b, const Shape& shape) {
  std::vector<T> sum(elements(shape));
  if (shape_a == shape_b) {
    std::transform(a.begin(), a.end(), b.begin(), sum.begin(), wrapped_sum<T>);
    return sum;
  }
  if (sum.empty()) return sum;
  const std::vector<std::size_t> steps_a = broadcast_steps(shape_a, shape);
  const std::vector<std::size_t> steps_b = broadcast_steps(shape_b, shape);
  const std::size_t length = static_cast<std::size_t>(shape.back());
  for_each_row(shape, steps_a, steps_b, [&](std::size_t out, std::size_t at_a, std::size_t at_b) {
    for (std::size_t i = 0; i < length; ++i) {
      sum[out + i] = wrapped_sum(a[at_a + i * steps_a.back()], b[at_b + i * steps_b.back()]);
    }
  });
  return sum;
}

}  // namespace

std::vector<std::size_t> broadcast_steps(const Shape& operand, const Shape& result) {
  std::vector<std::size_t> steps(result.size(), 0);
  std::size_t step = 1;
  for (std::size_t i = 0; i < operand.size(); ++i) {
    const std::int64_t dimension = operand[operand.size() - 1 - i];
    if (dimension != 1) steps[result.size() - 1 - i] = step;
    step *= static_cast<std::size_t>(dimension);
  }
  return steps;
}

Tensor zeros(const Shape& shape) {
  return Tensor{shape, std::vector<float>(elements(shape))};
}

Tensor to_float(Tensor tensor) {
  if (tensor.holds<float>()) return tensor;
  return std::visit(
      [&](const auto& values) {
        return Tensor{tensor.shape, std::vector<float>(values.begin(), values.end())};
      },
      tensor.data);
}

Tensor image(const Tensor& batch, std::int64_t index) {
  if (batch.shape.empty() || index < 0 || index >= batch.shape[0]) {
    throw std::out_of_range("no image " + std::to_string(index) + " in a tensor of shape " +
                            to_string(batch.shape));
  }
  Shape shape = batch.shape;
  shape[0] = 1;
  const std::int64_t count = element_count(shape);
  return std::visit(
      [&](const auto& values) {
        const auto first = values.begin() + index * count;
        return Tensor{shape, std::decay_t<decltype(values)>(first, first + count)};
      },
      batch.data);
}

Shape concat_shape(std::span<const Shape> shapes, std::int64_t axis) {
  if (shapes.empty()) throw std::invalid_argument("nothing to concatenate");
  Shape result = shapes[0];
  if (axis < 0 || axis >= static_cast<std::int64_t>(result.size())) {
    throw std::invalid_argument("axis " + std::to_string(axis) + " of a tensor of shape " +
                                to_string(result));
  }
  const auto a = static_cast<std::size_t>(axis);
  for (std::size_t i = 1; i < shapes.size(); ++i) {
    Shape expected = shapes[i];
    if (expected.size() == result.size()) expected[a] = result[a];
    if (expected != result) {
      throw std::invalid_argument("shapes " + to_string(shapes[0]) + " and " + to_string(shapes[i]) +
                                  " differ beside axis " + std::to_string(axis));
    }
    if (__builtin_add_overflow(result[a], shapes[i][a], &result[a])) {
      throw std::overflow_error("the concatenated dimension has more than 2^63 elements");
    }
  }
  return result;
}

Tensor concat(std::span<const Tensor* const> tensors, std::int64_t axis) {
  std::vector<Shape> shapes;
  for (const Tensor* tensor : tensors) {
    require_same_type(*tensors[0], *tensor);
    shapes.push_back(tensor->shape);
  }
  const Shape shape = concat_shape(shapes, axis);
  const auto a = static_cast<std::size_t>(axis);
  const std::size_t outer = extent(shape, 0, a);
  return std::visit(
      [&]<class T>(const std::vector<T>&) {
        std::vector<T> joined(elements(shape));
        auto out = joined.begin();
        for (std::size_t i = 0; i < outer; ++i) {
          for (const Tensor* tensor : tensors) {
            const std::size_t chunk = extent(tensor->shape, a, tensor->shape.size());
            out = std::copy_n(tensor->as<T>().begin() + static_cast<std::ptrdiff_t>(i * chunk), chunk, out);
          }
        }
        return Tensor{shape, std::move(joined)};
      },
      tensors[0]->data);
}

Shape broadcast_shape(const Shape& a, const Shape& b) {
  Shape result(std::max(a.size(), b.size()), 1);
  for (std::size_t i = 0; i < result.size(); ++i) {
    const std::int64_t in_a = i < a.size() ? a[a.size() - 1 - i] : 1;
    const std::int64_t in_b = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (in_a != in_b && in_a != 1 && in_b != 1) {
      throw std::invalid_argument("shapes " + to_string(a) + " and " + to_string(b) +
                                  " cannot be broadcast together");
    }
    result[result.size() - 1 - i] = in_a == 1 ? in_b : in_a;
  }
  return result;
}

Tensor add(const Tensor& a, const Tensor& b) {
  require_same_type(a, b);
  const Shape shape = broadcast_shape(a.shape, b.shape);
  return std::visit(
      [&]<class T>(const std::vector<T>& values) {
        return Tensor{shape, add_values(values, a.shape, b.as<T>(), b.shape, shape)};
      },
      a.data);
}

bool all_finite(std::span<const float> values) {
  constexpr std::int32_t kInfinity = 0x7F800000;  // without their signs, NaN and infinity only are not below
  std::int32_t largest = 0;
  for (const float value : values)
    largest = std::max(largest, std::bit_cast<std::int32_t>(value) & INT32_MAX);
  return largest < kInfinity;
}

Tensor transpose(const Tensor& matrix) {
  constexpr std::size_t kBlock = 32;  // keeps both sides of a block in the first-level cache
  const auto rows = static_cast<std::size_t>(matrix.shape.at(0));
  const auto cols = static_cast<std::size_t>(matrix.shape.at(1));
  const std::vector<float>& in = matrix.as<float>();
  std::vector<float> out(in.size());
  for (std::size_t r0 = 0; r0 < rows; r0 += kBlock) {
    for (std::size_t c0 = 0; c0 < cols; c0 += kBlock) {
      for (std::size_t r = r0; r < std::min(rows, r0 + kBlock); ++r) {
        for (std::size_t c = c0; c < std::min(cols, c0 + kBlock); ++c) out[c * rows + r] = in[r * cols + c];
      }
    }
  }
  return Tensor{{matrix.shape[1], matrix.shape[0]}, std::move(out)};
}

}  // namespace bitline::tensor
