// SPDX-License-Identifier: Apache-2.0
#include "mapper/reference/digital.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace bitline::reference {

namespace {

using graph::PoolAttributes;
using tensor::Shape;
using tensor::Tensor;

/// Dimensions before, at and after an axis.
struct Split {
  std::size_t outer = 1, length = 1, inner = 1;
};

Split split(const Shape& shape, std::size_t axis) {
  Split s;
  for (std::size_t d = 0; d < shape.size(); ++d) {
    (d < axis ? s.outer : d == axis ? s.length : s.inner) *= static_cast<std::size_t>(shape[d]);
  }
  return s;
}

/// The taps of a window that lie on the input: taps [first, last), the first at pixel `pixel`.
struct Taps {
  std::int64_t first = 0, last = 0, pixel = 0;
};

/// Taps of window `position` with start <= pixel < end.
Taps taps_within(std::int64_t position, const graph::PoolAttributes& a, std::size_t d, std::int64_t start,
                 std::int64_t end) {
  const std::int64_t origin = position * a.strides[d] - a.pads[d];
  const std::int64_t step = a.dilations[d];
  const auto taps_before = [&](std::int64_t pixel) {  // taps at pixels < pixel
    return std::clamp<std::int64_t>(pixel <= origin ? 0 : (pixel - origin + step - 1) / step, 0, a.kernel[d]);
  };
  const std::int64_t first = taps_before(start);
  return {first, std::max(first, taps_before(end)), origin + first * step};
}

/// Calls f(plane, output, row taps, column taps) for each output pixel of each plane (image and channel).
template <class F>
void for_each_window(const Shape& x, const Shape& y, const PoolAttributes& a, F f) {
  std::vector<Taps> cols;
  for (std::int64_t j = 0; j < y[3]; ++j) cols.push_back(taps_within(j, a, 1, 0, x[3]));
  std::size_t out = 0;
  for (std::int64_t plane = 0; plane < y[0] * y[1]; ++plane) {
    for (std::int64_t i = 0; i < y[2]; ++i) {
      const Taps rows = taps_within(i, a, 0, 0, x[2]);
      for (std::int64_t j = 0; j < y[3]; ++j) f(plane, out++, i, j, rows, cols[static_cast<std::size_t>(j)]);
    }
  }
}

/// Calls f(value) for each pixel of a window.
template <class F>
void for_each_tap(const float* plane, std::int64_t width, const PoolAttributes& a, const Taps& rows,
                  const Taps& cols, F f) {
  const float* row = plane + rows.pixel * width + cols.pixel;
  for (std::int64_t i = rows.first; i < rows.last; ++i, row += a.dilations[0] * width) {
    const float* pixel = row;
    for (std::int64_t j = cols.first; j < cols.last; ++j, pixel += a.dilations[1]) f(*pixel);
  }
}

/// Taps of window `position` on the input or its padding.
std::int64_t taps_with_padding(std::int64_t position, const PoolAttributes& a, std::size_t d,
                               std::int64_t in) {
  const Taps taps = taps_within(position, a, d, -a.pads[d], in + a.pads[2 + d]);
  return taps.last - taps.first;
}

}  // namespace

void scale_shift(Tensor& x, const graph::ScaleShiftAttributes& attributes) {
  const Split s = split(x.shape, x.shape.size() > 1 ? 1 : 0);
  float* value = x.as<float>().data();
  for (std::size_t o = 0; o < s.outer; ++o) {
    for (std::size_t c = 0; c < s.length; ++c) {
      for (std::size_t i = 0; i < s.inner; ++i, ++value) {
        *value = *value * attributes.scale[c] + attributes.shift[c];
      }
    }
  }
}

void relu(Tensor& x) {
  for (float& value : x.as<float>()) value = value < 0.0F ? 0.0F : value;
}

void clip(Tensor& x, const graph::ClipAttributes& attributes) {
  for (float& value : x.as<float>()) value = std::min(std::max(value, attributes.min), attributes.max);
}

void sigmoid(Tensor& x) {
  for (float& value : x.as<float>()) value = 1.0F / (1.0F + std::exp(-value));
}

void softmax(Tensor& x, std::int64_t axis) {
  const Split s = split(x.shape, static_cast<std::size_t>(axis));
  std::vector<float>& values = x.as<float>();
  for (std::size_t o = 0; o < s.outer; ++o) {
    for (std::size_t i = 0; i < s.inner; ++i) {
      float* first = values.data() + o * s.length * s.inner + i;
      float largest = -std::numeric_limits<float>::infinity();
      for (std::size_t k = 0; k < s.length; ++k) largest = std::max(largest, first[k * s.inner]);
      double sum = 0.0;
      for (std::size_t k = 0; k < s.length; ++k) {
        float& value = first[k * s.inner];
        value = std::exp(value - largest);
        sum += static_cast<double>(value);
      }
      const auto total = static_cast<float>(sum);
      for (std::size_t k = 0; k < s.length; ++k) first[k * s.inner] /= total;
    }
  }
}

Tensor max_pool(const Tensor& x, const PoolAttributes& attributes, const Shape& y_shape) {
  Tensor y{y_shape, std::vector<float>(static_cast<std::size_t>(tensor::element_count(y_shape)))};
  const std::vector<float>& in = x.as<float>();
  std::vector<float>& out = y.as<float>();
  const std::int64_t pixels = x.shape[2] * x.shape[3];
  for_each_window(x.shape, y_shape, attributes,
                  [&](std::int64_t plane, std::size_t at, std::int64_t, std::int64_t, const Taps& rows,
                      const Taps& cols) {
                    float largest = std::numeric_limits<float>::lowest();
                    for_each_tap(in.data() + plane * pixels, x.shape[3], attributes, rows, cols,
                                 [&](float value) { largest = std::max(largest, value); });
                    out[at] = largest;
                  });
  return y;
}

Tensor average_pool(const Tensor& x, const PoolAttributes& attributes, const Shape& y_shape) {
  Tensor y{y_shape, std::vector<float>(static_cast<std::size_t>(tensor::element_count(y_shape)))};
  const std::vector<float>& in = x.as<float>();
  std::vector<float>& out = y.as<float>();
  const std::int64_t pixels = x.shape[2] * x.shape[3];
  const auto divisor = [&](std::int64_t i, std::int64_t j, const Taps& rows, const Taps& cols) {
    if (!attributes.count_include_pad) return (rows.last - rows.first) * (cols.last - cols.first);
    return taps_with_padding(i, attributes, 0, x.shape[2]) * taps_with_padding(j, attributes, 1, x.shape[3]);
  };
  for_each_window(x.shape, y_shape, attributes,
                  [&](std::int64_t plane, std::size_t at, std::int64_t i, std::int64_t j, const Taps& rows,
                      const Taps& cols) {
                    float sum = 0.0F;
                    for_each_tap(in.data() + plane * pixels, x.shape[3], attributes, rows, cols,
                                 [&](float value) { sum += value; });
                    const std::int64_t count = divisor(i, j, rows, cols);
                    out[at] = count == 0 ? 0.0F : sum / static_cast<float>(count);
                  });
  return y;
}

Tensor global_average_pool(const Tensor& x) {
  const Shape shape = {x.shape[0], x.shape[1], 1, 1};
  const auto pixels = static_cast<std::ptrdiff_t>(x.shape[2] * x.shape[3]);
  std::vector<float> means(static_cast<std::size_t>(x.shape[0] * x.shape[1]));
  auto plane = x.as<float>().begin();
  for (float& mean : means) {
    const double sum = std::accumulate(plane, plane + pixels, 0.0);
    mean = static_cast<float>(sum / static_cast<double>(pixels));
    plane += pixels;
  }
  return Tensor{shape, std::move(means)};
}

}  // namespace bitline::reference
