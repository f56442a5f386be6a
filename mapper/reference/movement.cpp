// SPDX-License-Identifier: Apache-2.0
#include "mapper/reference/movement.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "models/base/errors.h"

namespace bitline::reference {

namespace {

using tensor::Shape;
using tensor::Tensor;
using Offsets = std::vector<std::int64_t>;

bool consecutive(const Offsets& offsets) {
  for (std::size_t i = 1; i < offsets.size(); ++i) {
    if (offsets[i] != offsets[i - 1] + 1) return false;
  }
  return offsets.empty() || offsets[0] >= 0;
}

/// Calls f(sum of the offsets, or -1 where one of them is negative) for every index of the dimensions but the
/// last, in order.
template <class F>
void for_each_row(const std::vector<Offsets>& offsets, F f) {
  const std::size_t outer = offsets.size() - 1;
  std::size_t rows = 1;
  for (std::size_t d = 0; d < outer; ++d) rows *= offsets[d].size();
  std::vector<std::size_t> index(outer, 0);
  for (std::size_t row = 0; row < rows; ++row) {
    std::int64_t base = 0;
    for (std::size_t d = 0; d < outer && base >= 0; ++d) {
      const std::int64_t offset = offsets[d][index[d]];
      base = offset < 0 ? -1 : base + offset;
    }
    f(base);
    for (std::size_t d = outer; d-- > 0;) {
      if (++index[d] < offsets[d].size()) break;
      index[d] = 0;
    }
  }
}

template <class T>
std::vector<T> moved(const std::vector<T>& in, const graph::RearrangeAttributes& a, std::size_t count) {
  if (a.offsets.empty()) return in;
  std::vector<T> out;
  out.reserve(count);
  const auto fill = static_cast<T>(a.fill);
  const Offsets& inner = a.offsets.back();
  const bool copies = consecutive(inner);
  for_each_row(a.offsets, [&](std::int64_t base) {
    if (base < 0) {
      out.insert(out.end(), inner.size(), fill);
    } else if (copies) {
      const auto first = in.begin() + base + inner[0];
      out.insert(out.end(), first, first + static_cast<std::ptrdiff_t>(inner.size()));
    } else {
      for (const std::int64_t offset : inner)
        out.push_back(offset < 0 ? fill : in[static_cast<std::size_t>(base + offset)]);
    }
  });
  return out;
}

}  // namespace

Tensor rearrange(const Tensor& x, const graph::RearrangeAttributes& attributes, const Shape& shape) {
  const auto count = static_cast<std::size_t>(tensor::element_count(shape));
  return std::visit(
      [&](const auto& values) {
        return Tensor{shape, moved(values, attributes, count)};
      },
      x.data);
}

Tensor gather(const std::string& node, const Tensor& table, const Tensor& indices, std::int64_t axis,
              const Shape& shape) {
  const std::int64_t size = table.shape[static_cast<std::size_t>(axis)];
  std::int64_t inner = 1;
  for (auto d = static_cast<std::size_t>(axis) + 1; d < table.shape.size(); ++d) inner *= table.shape[d];
  const std::int64_t outer = table.size() / (size * inner);
  std::vector<float> out;
  out.reserve(static_cast<std::size_t>(tensor::element_count(shape)));
  for (std::int64_t o = 0; o < outer; ++o) {
    for (const float given : indices.as<float>()) {
      const float from_front = given < 0.0F ? given + static_cast<float>(size) : given;
      if (!(from_front >= 0.0F && from_front < static_cast<float>(size)) || std::floor(given) != given) {
        throw base::UsageError(
            {"node '" + node + "'", "index " + std::to_string(given),
             "whole numbers from " + std::to_string(-size) + " to " + std::to_string(size - 1),
             "check the network's inputs"});
      }
      const auto first =
          table.as<float>().begin() + (o * size + static_cast<std::int64_t>(from_front)) * inner;
      out.insert(out.end(), first, first + inner);
    }
  }
  return {shape, std::move(out)};
}

Tensor resample(const Tensor& x, const graph::ResampleAttributes& a, const Shape& shape) {
  const auto axis = static_cast<std::size_t>(a.axis);
  std::size_t outer = 1;
  std::size_t inner = 1;
  for (std::size_t d = 0; d < axis; ++d) outer *= static_cast<std::size_t>(shape[d]);
  for (std::size_t d = axis + 1; d < shape.size(); ++d) inner *= static_cast<std::size_t>(shape[d]);
  const auto length = static_cast<std::size_t>(x.shape[axis]);
  std::vector<float> out;
  out.reserve(static_cast<std::size_t>(tensor::element_count(shape)));
  const float* plane = x.as<float>().data();
  for (std::size_t o = 0; o < outer; ++o, plane += length * inner) {
    for (std::size_t first = 0; first < a.indices.size(); first += a.taps) {
      for (std::size_t i = 0; i < inner; ++i) {
        float sum = 0.0F;
        for (std::size_t t = first; t < first + a.taps; ++t) {
          const std::int64_t from = a.indices[t];
          sum += a.weights[t] * (from < 0 ? a.fill : plane[static_cast<std::size_t>(from) * inner + i]);
        }
        out.push_back(sum);
      }
    }
  }
  return {shape, std::move(out)};
}

}  // namespace bitline::reference
