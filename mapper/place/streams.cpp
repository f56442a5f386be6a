// SPDX-License-Identifier: Apache-2.0
#include "mapper/place/streams.h"

#include <algorithm>

namespace bitline::place {

using graph::Node;
using graph::Op;
using graph::ValueId;

namespace {

void gather(Window& w, std::shared_ptr<const Gather> gather) {
  w.kind = gather->pixelwise ? Window::Kind::pixelwise : Window::Kind::gathered;
  if (!gather->pixelwise) w.gather = std::move(gather);
}

/// `a` is ConvAttributes or PoolAttributes.
template <class A>
void slide(Window& w, const A& a) {
  w.kind = Window::Kind::sliding;
  w.kernel_h = (a.kernel[0] - 1) * a.dilations[0] + 1;
  w.kernel_w = (a.kernel[1] - 1) * a.dilations[1] + 1;
  w.stride_h = a.strides[0], w.stride_w = a.strides[1];
  w.dilation_h = a.dilations[0], w.dilation_w = a.dilations[1];
  w.pad_top = a.pads[0], w.pad_left = a.pads[1];
}

/// Every output pixel takes all of input `v`.
bool takes_all(const Node& node, ValueId v, const Geometry& in) {
  if (node.op == Op::matmul) return v == node.inputs[1];  // every row of the result: the whole second matrix
  return node.op == Op::resample || node.op == Op::gather || (node.op == Op::normalise && in.image);
}

}  // namespace

Streams::Streams(const graph::Graph& graph)
    : graph_(graph), own_(graph.values.size()), made_(graph.values.size()) {}

Geometry Streams::of_shape(const graph::Shape& shape) {
  if (shape.empty()) return {};
  if (shape.size() == 4 && shape[0] == 1) return {shape[2], shape[3], shape[1], true};
  const std::int64_t last = shape.back();
  return {1, tensor::element_count(shape) / std::max<std::int64_t>(last, 1), last};
}

void Streams::set(ValueId v, const Geometry& geometry) {
  own_[static_cast<std::size_t>(v)] = made_[static_cast<std::size_t>(v)] = geometry;
}

void Streams::set_alias(ValueId out, ValueId in) {
  own_[static_cast<std::size_t>(out)] = of_shape(graph_.shape(out));
  made_[static_cast<std::size_t>(out)] = made(in);
}

bool Streams::by_channel(const Node& node, const Geometry& out) const {
  const Geometry& in = own(node.inputs.front());
  const auto inside = [&](std::int64_t axis) { return in.image && axis >= 2; };
  switch (node.op) {
    case Op::softmax:
      return inside(std::get<graph::AxisAttributes>(node.attributes).axis);
    case Op::normalise:
      return inside(std::get<graph::NormaliseAttributes>(node.attributes).axis);
    case Op::resample:
      return inside(std::get<graph::ResampleAttributes>(node.attributes).axis);
    case Op::reduce:
      return in.channels == out.channels && out.pixels() == 1;
    case Op::gather:
      return false;
    case Op::conv: {
      const auto& conv = std::get<graph::ConvAttributes>(node.attributes);
      return conv.group == in.channels && conv.group == out.channels;
    }
    default:
      return true;
  }
}

Geometry Streams::output(const Node& node) const {
  const graph::Shape& shape = graph_.shape(node.outputs.front());
  if (node.op == Op::linear) {
    const Geometry own = seen(node, node.inputs.front());
    return {own.h, own.w, shape.empty() ? 1 : shape.back()};
  }
  if (node.op == Op::conv || node.op == Op::max_pool || node.op == Op::average_pool) return of_shape(shape);
  if (node.op == Op::rearrange) return rearranged(node);
  if (node.op == Op::matmul || node.op == Op::gather) return of_shape(shape);
  if (node.op == Op::reduce) return reduced(node);
  // Element-wise operators keep the stream that they get.
  const Geometry& first = own(node.inputs.front());
  if (first.pixels() * first.channels == tensor::element_count(shape) && node.op != Op::concat) return first;
  return of_shape(shape);
}

/// A reduction of each pixel's channels keeps the pixels.
Geometry Streams::reduced(const Node& node) const {
  const Geometry& in = own(node.inputs.front());
  const graph::Shape& shape = graph_.shape(node.outputs.front());
  return within_pixels(node, in) ? Geometry{in.h, in.w, 1, in.image} : of_shape(shape);
}
bool Streams::within_pixels(const Node& reduction, const Geometry& in) const {
  const auto rank = static_cast<std::int64_t>(graph_.shape(reduction.inputs.front()).size());
  const auto& axes = std::get<graph::ReduceAttributes>(reduction.attributes).axes;
  return axes.size() == 1 && axes[0] == (in.image ? 1 : rank - 1);
}

Geometry Streams::seen(const Node& node, ValueId v) const {
  if (node.op == Op::rearrange) return made(v);
  if (node.op != Op::linear) return own(v);
  const graph::Shape& shape = graph_.shape(v);
  const Geometry mine = own(v);
  if (mine.channels == shape.back()) return mine;
  return {1, tensor::element_count(shape) / std::max<std::int64_t>(shape.back(), 1), shape.back()};
}

/// The stream that a rearranged tensor becomes: the pixels of its source where only channels move.
Geometry Streams::rearranged(const Node& node) const {
  const graph::Shape& shape = graph_.shape(node.outputs.front());
  const Geometry own = of_shape(shape);
  const Geometry in = seen(node, node.inputs.front());
  const std::int64_t count = tensor::element_count(shape);
  const auto& moved = std::get<graph::RearrangeAttributes>(node.attributes);
  if (moves_within_pixels(moved, in, own) || count % in.pixels() != 0) return own;
  for (const bool image : {true, false}) {
    const Geometry same{in.h, in.w, count / in.pixels(), image};
    if (moves_within_pixels(moved, in, same)) return same;
  }
  return own;
}

Window Streams::window(const Node& node, ValueId v, const Geometry& out) const {
  const Geometry in = seen(node, v);
  Window w;
  w.in_h = in.h, w.in_w = in.w, w.out_h = out.h, w.out_w = out.w;
  if (const auto* conv = std::get_if<graph::ConvAttributes>(&node.attributes)) {
    slide(w, *conv);
  } else if (const auto* pool = std::get_if<graph::PoolAttributes>(&node.attributes)) {
    slide(w, *pool);
  } else if (node.op == Op::global_average_pool || (node.op == Op::reduce && out.pixels() == 1)) {
    w.kind = Window::Kind::reduce;
  } else if (node.op == Op::rearrange) {
    gather(w, gather_of(std::get<graph::RearrangeAttributes>(node.attributes), in, out));
  } else if (const auto* resampled = std::get_if<graph::ResampleAttributes>(&node.attributes);
             resampled != nullptr && in.image && resampled->axis >= 2) {
    gather(w, gather_of(*resampled, in, out));
  } else if (const auto first = first_pixel(node, v, in, out)) {
    gather(w, gather_of_part(*first, in, out));
  } else if (takes_all(node, v, in) || !same_pixels(node, in, out)) {
    w.kind = Window::Kind::all;
  }
  return w;
}

/// Of an operand whose pixels follow on those of the ones before it: how many these are.
std::optional<std::int64_t> Streams::first_pixel(const Node& node, ValueId v, const Geometry& in,
                                                 const Geometry& out) const {
  if (node.op != Op::concat || in.image || out.image || in.channels != out.channels) return std::nullopt;
  if (std::count(node.inputs.begin(), node.inputs.end(), v) > 1) return std::nullopt;
  const auto axis = std::get<graph::AxisAttributes>(node.attributes).axis;
  const graph::Shape& shape = graph_.shape(node.outputs.front());
  const bool outermost =
      std::all_of(shape.begin(), shape.begin() + axis, [](std::int64_t d) { return d == 1; });
  if (!outermost || axis + 1 >= static_cast<std::int64_t>(shape.size())) return std::nullopt;
  std::int64_t first = 0;
  for (auto other = node.inputs.begin(); *other != v; ++other)
    first += tensor::element_count(graph_.shape(*other)) / out.channels;
  return first;
}

/// Output pixel i takes input pixel i only.
bool Streams::same_pixels(const Node& node, const Geometry& in, const Geometry& out) const {
  if (in.h != out.h || in.w != out.w) return false;
  if (node.op == Op::linear || node.op == Op::elementwise || node.op == Op::add) return true;
  if (node.op == Op::reduce) return within_pixels(node, in);
  if (node.op == Op::matmul || node.op == Op::normalise) return !in.image && !out.image;
  const graph::Shape& shape = graph_.shape(node.outputs.front());
  const auto* axis = std::get_if<graph::AxisAttributes>(&node.attributes);
  if (axis == nullptr) return in.channels == out.channels;
  const std::int64_t channel_axis = shape.size() == 4 ? 1 : static_cast<std::int64_t>(shape.size()) - 1;
  return axis->axis == channel_axis;
}

}  // namespace bitline::place
