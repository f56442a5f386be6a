// SPDX-License-Identifier: Apache-2.0
#include "mapper/reference/reduction.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "mapper/reference/elementwise.h"

namespace bitline::reference {

namespace {

using graph::Reduction;
using tensor::Shape;
using tensor::Tensor;

double neutral(Reduction reduction) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  return reduction == Reduction::max ? -kInfinity : reduction == Reduction::min ? kInfinity : 0.0;
}

double combined(Reduction reduction, double a, double b) {
  switch (reduction) {
    case Reduction::max:
      return std::max(a, b);
    case Reduction::min:
      return std::min(a, b);
    default:
      return a + b;
  }
}

/// Steps in the result of each dimension of x; 0 for those that are reduced.
std::vector<std::size_t> result_steps(const Shape& x, const std::vector<std::int64_t>& axes) {
  std::vector<std::size_t> steps(x.size(), 0);
  std::size_t step = 1;
  for (std::size_t d = x.size(); d-- > 0;) {
    if (std::find(axes.begin(), axes.end(), static_cast<std::int64_t>(d)) != axes.end()) continue;
    steps[d] = step;
    step *= static_cast<std::size_t>(x[d]);
  }
  return steps;
}

template <class T>
Tensor reduced(const Tensor& x, const graph::ReduceAttributes& a, const Shape& shape) {
  std::vector<double> result(static_cast<std::size_t>(tensor::element_count(shape)), neutral(a.reduction));
  const std::vector<std::size_t> steps = result_steps(x.shape, a.axes);
  std::vector<std::int64_t> index(x.shape.size(), 0);
  std::size_t at = 0;
  for (const T value : x.as<T>()) {
    result[at] = combined(a.reduction, result[at], static_cast<double>(value));
    for (std::size_t d = x.shape.size(); d-- > 0;) {
      at += steps[d];
      if (++index[d] < x.shape[d]) break;
      at -= steps[d] * static_cast<std::size_t>(x.shape[d]);
      index[d] = 0;
    }
  }
  if (a.reduction == Reduction::mean) {
    const double count = static_cast<double>(x.size()) / static_cast<double>(result.size());
    for (double& value : result) value /= count;
  }
  return from_double({shape, std::move(result)}, x);
}

/// c [M,N] += a [M,K] b [K,N].
void multiply(const float* a, const float* b, float* c, std::size_t m, std::size_t k, std::size_t n) {
  for (std::size_t row = 0; row < m; ++row, a += k, c += n) {
    for (std::size_t i = 0; i < k; ++i) {
      const float factor = a[i];
      const float* line = b + i * n;
      for (std::size_t col = 0; col < n; ++col) c[col] += factor * line[col];
    }
  }
}

}  // namespace

Tensor reduce(const Tensor& x, const graph::ReduceAttributes& attributes, const Shape& shape) {
  return std::visit([&]<class T>(const std::vector<T>&) { return reduced<T>(x, attributes, shape); }, x.data);
}

void normalise(Tensor& x, const graph::NormaliseAttributes& attributes) {
  std::size_t length = 1;
  for (auto d = static_cast<std::size_t>(attributes.axis); d < x.shape.size(); ++d)
    length *= static_cast<std::size_t>(x.shape[d]);
  std::vector<float>& values = x.as<float>();
  for (std::size_t first = 0; first < values.size(); first += length) {
    double sum = 0.0;
    for (std::size_t i = first; i < first + length; ++i) sum += static_cast<double>(values[i]);
    const double mean = sum / static_cast<double>(length);
    double squares = 0.0;
    for (std::size_t i = first; i < first + length; ++i) {
      const double distance = static_cast<double>(values[i]) - mean;
      squares += distance * distance;
    }
    const double factor =
        1.0 / std::sqrt(squares / static_cast<double>(length) + static_cast<double>(attributes.epsilon));
    for (std::size_t i = first; i < first + length; ++i)
      values[i] = static_cast<float>((static_cast<double>(values[i]) - mean) * factor);
  }
}

Tensor matmul(const Tensor& a, const Tensor& b, const Shape& shape) {
  const std::size_t rank = shape.size();
  const auto m = static_cast<std::size_t>(shape[rank - 2]);
  const auto n = static_cast<std::size_t>(shape[rank - 1]);
  const auto k = static_cast<std::size_t>(a.shape.back());
  Tensor y{shape, std::vector<float>(static_cast<std::size_t>(tensor::element_count(shape)))};
  const auto matrix_of = [&](const Tensor& operand, std::size_t batch) {  // broadcast over leading dimensions
    std::size_t at = 0;
    std::size_t step = 1;
    for (std::size_t i = 2; i < rank; ++i) {
      const auto dimension = static_cast<std::size_t>(shape[rank - 1 - i]);
      const std::size_t index = batch % dimension;
      batch /= dimension;
      if (i >= operand.shape.size()) continue;
      const auto own = static_cast<std::size_t>(operand.shape[operand.shape.size() - 1 - i]);
      if (own != 1) at += index * step;
      step *= own;
    }
    return at;
  };
  const std::size_t batches = y.as<float>().size() / (m * n);
  for (std::size_t i = 0; i < batches; ++i) {
    multiply(a.as<float>().data() + matrix_of(a, i) * m * k, b.as<float>().data() + matrix_of(b, i) * k * n,
             y.as<float>().data() + i * m * n, m, k, n);
  }
  return y;
}

}  // namespace bitline::reference
