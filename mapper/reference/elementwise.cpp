// SPDX-License-Identifier: Apache-2.0
#include "mapper/reference/elementwise.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <type_traits>

#include "mapper/tensor/operations.h"
#include "models/base/errors.h"

namespace bitline::reference {

namespace {

using graph::Function;
using graph::FunctionAttributes;
using tensor::Shape;
using tensor::Tensor;

std::size_t size_of(const Shape& shape) {
  return static_cast<std::size_t>(tensor::element_count(shape));
}

/// out[i] = f of the N operands at i.
template <class T, std::size_t N, class F>
Tensor map(const std::array<const Tensor*, N>& operands, const Shape& shape, F f) {
  std::vector<T> out(size_of(shape));
  std::array<const T*, N> from;
  bool same = true;
  for (std::size_t k = 0; k < N; ++k) {
    from[k] = operands[k]->template as<T>().data();
    same = same && operands[k]->shape == shape;
  }
  const auto apply = [&]<std::size_t... K>(const std::array<std::size_t, N>& at, std::index_sequence<K...>) {
    return f(from[K][at[K]]...);
  };
  const auto each = std::make_index_sequence<N>();
  std::array<std::size_t, N> at{};
  if (same) {
    for (T& value : out) {
      value = apply(at, each);
      for (std::size_t& a : at) ++a;
    }
    return {shape, std::move(out)};
  }
  std::array<std::vector<std::size_t>, N> steps;
  for (std::size_t k = 0; k < N; ++k) steps[k] = tensor::broadcast_steps(operands[k]->shape, shape);
  std::vector<std::int64_t> index(shape.size(), 0);
  for (T& value : out) {
    value = apply(at, each);
    for (std::size_t d = shape.size(); d-- > 0;) {
      for (std::size_t k = 0; k < N; ++k) at[k] += steps[k][d];
      if (++index[d] < shape[d]) break;
      for (std::size_t k = 0; k < N; ++k) at[k] -= steps[k][d] * static_cast<std::size_t>(shape[d]);
      index[d] = 0;
    }
  }
  return {shape, std::move(out)};
}

/// Float as it is; the function of a double for integers.
template <class T>
Tensor unary(const Tensor& x, const FunctionAttributes& a, const Shape& shape) {
  const auto run = [&](auto f) { return map<T, 1>({&x}, shape, f); };
  const auto alpha = static_cast<T>(a.alpha);
  const auto beta = static_cast<T>(a.beta);
  switch (a.function) {
    case Function::neg:
      return run([](T v) { return -v; });
    case Function::abs:
      return run([](T v) { return std::fabs(v); });
    case Function::exp:
      return run([](T v) { return std::exp(v); });
    case Function::sqrt:
      return run([](T v) { return std::sqrt(v); });
    case Function::erf:
      return run([](T v) { return std::erf(v); });
    case Function::tanh:
      return run([](T v) { return std::tanh(v); });
    case Function::log:
      return run([](T v) { return std::log(v); });
    case Function::leaky_relu:
      return run([=](T v) { return v < T{0} ? alpha * v : v; });
    case Function::hard_sigmoid:
      return run([=](T v) { return std::max(T{0}, std::min(T{1}, alpha * v + beta)); });
    case Function::hard_swish:
      return run([](T v) { return v * std::max(T{0}, std::min(T{1}, v / T{6} + T{0.5})); });
    case Function::gelu:
      return run([](T v) { return T{0.5} * v * (T{1} + std::erf(v * static_cast<T>(0.70710678118654752))); });
    case Function::gelu_tanh:
      return run([](T v) {
        constexpr T kSlope = static_cast<T>(0.79788456080286536);  // sqrt(2 / pi)
        return T{0.5} * v * (T{1} + std::tanh(kSlope * (v + static_cast<T>(0.044715) * v * v * v)));
      });
    case Function::to_integer:
      return run([=](T v) { return std::trunc(std::max(alpha, std::min(beta, v))); });
    default:
      return run([](T v) { return v != T{0} ? T{1} : T{0}; });
  }
}

template <class T>
Tensor binary(const Tensor& x, const Tensor& y, Function function, const Shape& shape) {
  const auto run = [&](auto f) { return map<T, 2>({&x, &y}, shape, f); };
  switch (function) {
    case Function::sub:
      return run([](T a, T b) { return a - b; });
    case Function::mul:
      return run([](T a, T b) { return a * b; });
    case Function::div:
      return run([](T a, T b) { return a / b; });
    case Function::integer_div:
      return run([](T a, T b) { return b == T{0} ? T{0} : std::trunc(a / b); });
    case Function::min:
      return run([](T a, T b) { return b < a || std::isnan(b) ? b : a; });
    case Function::max:
      return run([](T a, T b) { return b > a || std::isnan(b) ? b : a; });
    case Function::pow:
      return run([](T a, T b) { return std::pow(a, b); });
    case Function::equal:
      return run([](T a, T b) { return a == b ? T{1} : T{0}; });
    default:
      BITLINE_CHECK(function == Function::prelu);
      return run([](T a, T b) { return a < T{0} ? a * b : a; });
  }
}

template <class T>
Tensor compute(const std::vector<const Tensor*>& inputs, const FunctionAttributes& a, const Shape& shape) {
  if (inputs.size() == 1) return unary<T>(*inputs[0], a, shape);
  if (inputs.size() == 2) return binary<T>(*inputs[0], *inputs[1], a.function, shape);
  BITLINE_CHECK(inputs.size() == 3 && a.function == Function::select);
  return map<T, 3>({inputs[0], inputs[1], inputs[2]}, shape, [](T c, T x, T y) { return c != T{0} ? x : y; });
}

}  // namespace

Tensor to_double(const Tensor& tensor) {
  return std::visit(
      [&](const auto& values) {
        return Tensor{tensor.shape, std::vector<double>(values.begin(), values.end())};
      },
      tensor.data);
}

Tensor from_double(const Tensor& values, const Tensor& like) {
  return std::visit(
      [&]<class T>(const std::vector<T>&) {
        std::vector<T> out;
        out.reserve(values.as<double>().size());
        for (const double value : values.as<double>()) {
          if constexpr (std::is_integral_v<T>) {
            constexpr auto kLow = static_cast<double>(std::numeric_limits<T>::min());
            constexpr auto kHigh = static_cast<double>(std::numeric_limits<T>::max());
            out.push_back(std::isnan(value) ? T{0}
                          : value >= kHigh  ? std::numeric_limits<T>::max()
                          : value <= kLow   ? std::numeric_limits<T>::min()
                                            : static_cast<T>(value));
          } else {
            out.push_back(static_cast<T>(value));
          }
        }
        return Tensor{values.shape, std::move(out)};
      },
      like.data);
}

Tensor elementwise(const std::vector<const Tensor*>& inputs, const FunctionAttributes& attributes,
                   const Shape& shape) {
  const bool all_float =
      std::all_of(inputs.begin(), inputs.end(), [](const Tensor* t) { return t->holds<float>(); });
  if (all_float) return compute<float>(inputs, attributes, shape);
  std::vector<Tensor> wide;
  wide.reserve(inputs.size());
  for (const Tensor* input : inputs) wide.push_back(to_double(*input));
  std::vector<const Tensor*> pointers;
  pointers.reserve(inputs.size());
  for (const Tensor& tensor : wide) pointers.push_back(&tensor);
  const Tensor result = compute<double>(pointers, attributes, shape);
  const Tensor byte{{}, std::vector<std::uint8_t>{}};
  switch (attributes.function) {
    case Function::equal:
    case Function::to_boolean:
      return from_double(result, byte);
    case Function::select:
      return from_double(result, *inputs[1]);
    default:
      return from_double(result, *inputs[0]);
  }
}

}  // namespace bitline::reference
