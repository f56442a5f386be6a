// SPDX-License-Identifier: Apache-2.0
#include "mapper/graph/shapes.h"

#include <algorithm>
#include <limits>
#include <span>
#include <stdexcept>
#include <string>

#include "mapper/tensor/operations.h"

namespace bitline::graph {

namespace {

using tensor::to_string;

void require_image(const Shape& x) {
  if (x.size() != 4) {
    throw std::invalid_argument("input of shape " + to_string(x) +
                                " (needed: an image, 4 dimensions N,C,H,W)");
  }
}

void require_range(std::span<const std::int64_t> values, const char* name, std::int64_t smallest) {
  // Beyond 2^31 no window fits any tensor, and sums of the values could overflow.
  constexpr std::int64_t kLargest = std::numeric_limits<std::int32_t>::max();
  const bool in_range = std::all_of(values.begin(), values.end(),
                                    [&](std::int64_t v) { return v >= smallest && v <= kLargest; });
  if (!in_range) {
    throw std::invalid_argument(std::string(name) + " must be " + std::to_string(values.size()) +
                                " numbers from " + std::to_string(smallest) + " to 2^31-1");
  }
}

/// `a` is ConvAttributes or PoolAttributes.
template <class A>
Axis axis_of(const Shape& x, const A& a, std::size_t d) {
  return {x[2 + d], a.kernel[d], a.strides[d], a.pads[d], a.pads[2 + d], a.dilations[d]};
}

template <class A>
void require_window(const Shape& x, const A& a) {
  require_image(x);
  require_range(a.kernel, "kernel_shape", 1);
  require_range(a.strides, "strides", 1);
  require_range(a.dilations, "dilations", 1);
  require_range(a.pads, "pads", 0);
}

std::int64_t product(const Shape& shape, std::size_t first, std::size_t last) {
  return tensor::element_count(Shape(shape.begin() + static_cast<std::ptrdiff_t>(first),
                                     shape.begin() + static_cast<std::ptrdiff_t>(last)));
}

}  // namespace

std::int64_t window_positions(const Axis& axis, bool ceil_mode) {
  const std::int64_t extent = axis.dilation * (axis.kernel - 1) + 1;
  const std::int64_t padded = axis.in + axis.pad_begin + axis.pad_end;
  if (padded < extent) {
    throw std::invalid_argument("a window of " + std::to_string(extent) + " pixels on a padded input of " +
                                std::to_string(padded));
  }
  const std::int64_t room = padded - extent;
  std::int64_t positions = (ceil_mode ? (room + axis.stride - 1) / axis.stride : room / axis.stride) + 1;
  if (ceil_mode && (positions - 1) * axis.stride >= axis.in + axis.pad_begin) --positions;
  return positions;
}

std::array<std::int64_t, 2> same_padding(const Axis& axis, bool upper) {
  const std::int64_t positions = (axis.in + axis.stride - 1) / axis.stride;
  const std::int64_t extent = axis.dilation * (axis.kernel - 1) + 1;
  const std::int64_t total = std::max<std::int64_t>(0, (positions - 1) * axis.stride + extent - axis.in);
  const std::int64_t less = total / 2;
  return upper ? std::array{less, total - less} : std::array{total - less, less};
}

Shape conv_shape(const Shape& x, const ConvAttributes& attributes) {
  require_window(x, attributes);
  const Shape& weight = attributes.weight->shape;
  if (weight.size() != 4) {
    throw std::invalid_argument("weight of shape " + to_string(weight) +
                                " (needed: 4 dimensions O,C/group,h,w)");
  }
  const std::int64_t group = attributes.group;
  if (group < 1 || group > weight[0] || x[1] != weight[1] * group || weight[0] % group != 0) {
    throw std::invalid_argument("input of shape " + to_string(x) + " with weight of shape " +
                                to_string(weight) + " and group " + std::to_string(group));
  }
  if (weight[2] != attributes.kernel[0] || weight[3] != attributes.kernel[1]) {
    throw std::invalid_argument("kernel_shape " + to_string(attributes.kernel) + " with weight of shape " +
                                to_string(weight));
  }
  if (attributes.bias && attributes.bias->shape != Shape{weight[0]}) {
    throw std::invalid_argument("bias of shape " + to_string(attributes.bias->shape) + " for " +
                                std::to_string(weight[0]) + " output channels");
  }
  return {x[0], weight[0], window_positions(axis_of(x, attributes, 0)),
          window_positions(axis_of(x, attributes, 1))};
}

Shape pool_shape(const Shape& x, const PoolAttributes& attributes) {
  require_window(x, attributes);
  Shape y = {x[0], x[1], 0, 0};
  for (std::size_t d = 0; d < 2; ++d) {
    const Axis axis = axis_of(x, attributes, d);
    const std::int64_t extent = axis.dilation * (axis.kernel - 1) + 1;
    if (axis.pad_begin >= extent || axis.pad_end >= extent) {
      throw std::invalid_argument("pads " + to_string(attributes.pads) + " as large as the window, " +
                                  to_string(attributes.kernel));
    }
    y[2 + d] = window_positions(axis, attributes.ceil_mode);
  }
  return y;
}

Shape linear_shape(const Shape& x, const LinearAttributes& attributes) {
  const Shape& weight = attributes.weight->shape;
  if (weight.size() != 2 || x.empty() || x.back() != weight[1]) {
    throw std::invalid_argument("input of shape " + to_string(x) + " with weight of shape " +
                                to_string(weight) + " [outputs, inputs]");
  }
  if (attributes.bias && attributes.bias->shape != Shape{weight[0]}) {
    throw std::invalid_argument("bias of shape " + to_string(attributes.bias->shape) + " for " +
                                std::to_string(weight[0]) + " outputs");
  }
  Shape y = x;
  y.back() = weight[0];
  return y;
}

Shape product_shape(const Shape& a, const Shape& b) {
  if (a.size() < 2 || b.size() < 2 || a.back() != b[b.size() - 2])
    throw std::invalid_argument("operands of shapes " + to_string(a) + " and " + to_string(b));
  Shape y = tensor::broadcast_shape(Shape(a.begin(), a.end() - 2), Shape(b.begin(), b.end() - 2));
  y.push_back(a[a.size() - 2]);
  y.push_back(b.back());
  return y;
}

Shape flatten_shape(const Shape& x, std::int64_t axis) {
  const auto split = static_cast<std::size_t>(axis);
  return {product(x, 0, split), product(x, split, x.size())};
}

Shape reshape_shape(const Shape& x, const Shape& target, bool allow_zero) {
  const auto fail = [&] {
    throw std::invalid_argument("input of shape " + to_string(x) + " reshaped to " + to_string(target));
  };
  Shape y = target;
  std::ptrdiff_t open = -1;
  for (std::size_t d = 0; d < y.size(); ++d) {
    if (y[d] == 0 && !allow_zero) {
      if (d >= x.size()) fail();
      y[d] = x[d];
    } else if (y[d] == -1) {
      if (open >= 0) fail();
      open = static_cast<std::ptrdiff_t>(d);
    } else if (y[d] <= 0) {
      fail();
    }
  }
  const std::int64_t count = tensor::element_count(x);
  if (open >= 0) {
    y[static_cast<std::size_t>(open)] = 1;
    const std::int64_t known = tensor::element_count(y);
    if (known == 0 || count % known != 0) fail();
    y[static_cast<std::size_t>(open)] = count / known;
  }
  if (tensor::element_count(y) != count) fail();
  return y;
}

std::int64_t normalise_axis(std::int64_t axis, std::int64_t rank, std::int64_t last) {
  const std::int64_t normalised = axis < 0 ? axis + rank : axis;
  if (normalised < 0 || normalised > last) {
    throw std::invalid_argument("axis " + std::to_string(axis) + " of a tensor with " + std::to_string(rank) +
                                " dimensions");
  }
  return normalised;
}

}  // namespace bitline::graph
