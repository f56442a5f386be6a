// SPDX-License-Identifier: Apache-2.0
// Operators that move elements: Slice, Pad, Transpose, Gather, ...
#include "mapper/onnx/operators_movement.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "mapper/graph/shapes.h"
#include "mapper/onnx/operators.h"
#include "mapper/tensor/operations.h"

namespace bitline::onnx {

using graph::Op;
using graph::Shape;
using graph::ValueId;
using List = std::vector<std::int64_t>;

View::View(const Shape& shape) : offsets_(shape.size()), steps_(shape.size()) {
  std::int64_t step = 1;
  for (std::size_t d = shape.size(); d-- > 0;) {
    steps_[d] = step;
    offsets_[d] = counted(shape[d], 0, step);
    step *= shape[d];
  }
}

void View::take(std::size_t d, const List& indices) {
  Offsets taken;
  taken.reserve(indices.size());
  for (const std::int64_t i : indices) taken.push_back(i < 0 ? -1 : offsets_[d][static_cast<std::size_t>(i)]);
  offsets_[d] = std::move(taken);
}

void View::permute(const std::vector<std::size_t>& order) {
  std::vector<Offsets> permuted;
  permuted.reserve(order.size());
  for (const std::size_t d : order) permuted.push_back(offsets_[d]);
  offsets_ = std::move(permuted);
}

Shape View::shape() const {
  Shape shape;
  for (const Offsets& offsets : offsets_) shape.push_back(static_cast<std::int64_t>(offsets.size()));
  return shape;
}

List counted(std::int64_t count, std::int64_t first, std::int64_t step) {
  List list(static_cast<std::size_t>(count));
  for (std::int64_t& value : list) value = std::exchange(first, first + step);
  return list;
}

ValueId taken(NodeContext& node, const std::string& suffix, ValueId value, std::size_t d,
              const List& indices) {
  View view(node.shape(value));
  view.take(d, indices);
  const Shape shape = view.shape();
  return node.intermediate(suffix, Op::rearrange, std::move(view).attributes(), {value}, shape);
}

ValueId permuted(NodeContext& node, const std::string& suffix, ValueId value,
                 const std::vector<std::size_t>& order) {
  View view(node.shape(value));
  view.permute(order);
  const Shape shape = view.shape();
  return node.intermediate(suffix, Op::rearrange, std::move(view).attributes(), {value}, shape);
}

ValueId reshaped(NodeContext& node, const std::string& suffix, ValueId value, const Shape& shape) {
  return node.shape(value) == shape ? value : node.intermediate(suffix, Op::reshape, {}, {value}, shape);
}

std::vector<std::size_t> axis_list(NodeContext& node, const List& axes, std::int64_t rank) {
  std::vector<std::size_t> result;
  for (const std::int64_t axis : axes) {
    result.push_back(static_cast<std::size_t>(graph::normalise_axis(axis, rank, rank - 1)));
    if (std::count(result.begin(), result.end(), result.back()) > 1)
      node.fail("axis " + std::to_string(axis) + " twice", "each axis once");
  }
  return result;
}

void emit_view(NodeContext& node, ValueId x, View view, const Shape& shape, float fill) {
  if (view.rank() == 0) {
    node.emit(Op::reshape, {}, {x}, shape);
    return;
  }
  node.emit(Op::rearrange, std::move(view).attributes(fill), {x}, shape);
}

namespace {

std::int64_t rank_of(NodeContext& node, ValueId x) {
  return static_cast<std::int64_t>(node.shape(x).size());
}

void emit_view(NodeContext& node, ValueId x, View view) {
  const Shape shape = view.shape();
  emit_view(node, x, std::move(view), shape);
}

/// Indices of a Slice along a dimension of `size`.
List sliced(NodeContext& node, std::int64_t size, std::int64_t start, std::int64_t end, std::int64_t step) {
  if (step == 0) node.fail("step 0", "any other number");
  const auto from_front = [&](std::int64_t i) {
    return i < 0 ? std::max<std::int64_t>(i, -size - 1) + size : i;
  };
  // Backwards, -1 stands for the place before the first element.
  const std::int64_t low = step > 0 ? 0 : -1;
  const std::int64_t high = step > 0 ? size : size - 1;
  start = std::clamp(from_front(start), low, high);
  end = std::clamp(from_front(end), low, high);
  List indices;
  if (step > 0) {
    for (std::int64_t i = start; i < end; i += std::min(step, size)) indices.push_back(i);
  } else {
    for (std::int64_t i = start; i > end; i += std::max(step, -size)) indices.push_back(i);
  }
  return indices;
}

/// Where element `i` of a padded dimension comes from; i counts from the first input element.
std::int64_t pad_source(const std::string& mode, std::int64_t i, std::int64_t size) {
  if (i >= 0 && i < size) return i;
  if (mode == "constant") return -1;
  if (mode == "edge") return i < 0 ? 0 : size - 1;
  if (mode == "wrap") return ((i % size) + size) % size;
  if (size == 1) return 0;
  const std::int64_t period = 2 * (size - 1);
  const std::int64_t phase = ((i % period) + period) % period;
  return phase < size ? phase : period - phase;
}

float pad_value(NodeContext& node) {
  if (node.opset() < 11) return node.real("value", 0.0F);
  if (!node.has_input(2)) return 0.0F;
  const tensor::Tensor value = tensor::to_float(*node.constant(2));
  if (value.size() != 1)
    node.fail("a constant_value of shape " + tensor::to_string(value.shape), "one number");
  return value.as<float>()[0];
}

/// Indices that the network computes.
void emit_gather(NodeContext& node, ValueId x, std::size_t axis) {
  const ValueId indices = node.input(1);
  if (!node.is_integer(indices)) node.fail("indices that are not integers");
  if (node.is_constant(0) && node.constant(0)->holds<float>()) static_cast<void>(node.weights(0));
  const Shape& table = node.shape(x);
  const auto at = table.begin() + static_cast<std::ptrdiff_t>(axis);
  Shape y(table.begin(), at);
  y.insert(y.end(), node.shape(indices).begin(), node.shape(indices).end());
  y.insert(y.end(), at + 1, table.end());
  node.emit(Op::gather, graph::AxisAttributes{static_cast<std::int64_t>(axis)}, {x, indices}, y);
}

}  // namespace

void import_transpose(NodeContext& node) {
  const ValueId x = node.input(0);
  const std::int64_t rank = rank_of(node, x);
  List order = counted(rank);
  std::reverse(order.begin(), order.end());
  order = node.integers("perm", order);
  if (static_cast<std::int64_t>(order.size()) != rank)
    node.fail("perm of " + std::to_string(order.size()) + " numbers", std::to_string(rank) + " numbers");
  View view(node.shape(x));
  view.permute(axis_list(node, order, rank));
  emit_view(node, x, std::move(view));
}

void import_slice(NodeContext& node) {
  const ValueId x = node.input(0);
  const bool inputs = node.opset() >= 10;
  const List starts = inputs ? node.integer_list(1) : node.integers("starts", {});
  const List ends = inputs ? node.integer_list(2) : node.integers("ends", {});
  List axes = counted(static_cast<std::int64_t>(starts.size()));
  if (!inputs) axes = node.integers("axes", axes);
  if (inputs && node.has_input(3)) axes = node.integer_list(3);
  List steps(starts.size(), 1);
  if (inputs && node.has_input(4)) steps = node.integer_list(4);
  if (ends.size() != starts.size() || axes.size() != starts.size() || steps.size() != starts.size())
    node.fail("starts, ends, axes and steps of different lengths", "one of each for every axis");
  View view(node.shape(x));
  const std::vector<std::size_t> dimensions = axis_list(node, axes, rank_of(node, x));
  for (std::size_t i = 0; i < dimensions.size(); ++i) {
    const std::size_t d = dimensions[i];
    view.take(d, sliced(node, node.shape(x)[d], starts[i], ends[i], steps[i]));
  }
  emit_view(node, x, std::move(view));
}

void import_pad(NodeContext& node) {
  const ValueId x = node.input(0);
  const Shape shape = node.shape(x);
  const std::string mode = node.text("mode", "constant");
  if (mode != "constant" && mode != "edge" && mode != "reflect" && mode != "wrap")
    node.fail("mode '" + mode + "'", "constant, edge, reflect, wrap");
  const List pads =
      node.opset() < 11 ? node.integers(node.opset() < 2 ? "paddings" : "pads", {}) : node.integer_list(1);
  List axes = counted(rank_of(node, x));
  if (node.has_input(3)) axes = node.integer_list(3);
  const std::vector<std::size_t> dimensions = axis_list(node, axes, rank_of(node, x));
  const std::size_t count = dimensions.size();
  if (pads.size() != 2 * count)
    node.fail(std::to_string(pads.size()) + " pads", std::to_string(2 * count) + " pads");
  Shape padded = shape;
  for (std::size_t i = 0; i < count; ++i) {
    for (const std::int64_t pad : {pads[i], pads[count + i]}) {
      if (std::abs(pad) > INT32_MAX) node.fail("pad " + std::to_string(pad), "less than 2^31");
      padded[dimensions[i]] = std::max<std::int64_t>(0, padded[dimensions[i]] + pad);
    }
  }
  node.require_size(padded);
  View view(shape);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t d = dimensions[i];
    List sources = counted(padded[d], -pads[i]);
    for (std::int64_t& source : sources) source = pad_source(mode, source, shape[d]);
    view.take(d, sources);
  }
  emit_view(node, x, std::move(view), padded, pad_value(node));
}

void import_gather(NodeContext& node) {
  const ValueId x = node.input(0);
  const Shape shape = node.shape(x);
  const std::int64_t rank = rank_of(node, x);
  const auto axis = static_cast<std::size_t>(graph::normalise_axis(node.integer("axis", 0), rank, rank - 1));
  if (!node.is_constant(1)) return emit_gather(node, x, axis);
  const auto chosen = node.constant(1);
  if (chosen->holds<float>()) node.fail("indices that are not integers");
  List indices =
      std::visit([](const auto& values) { return List(values.begin(), values.end()); }, chosen->data);
  for (std::int64_t& i : indices) {
    if (i < -shape[axis] || i >= shape[axis])
      node.fail("index " + std::to_string(i),
                std::string("-") + std::to_string(shape[axis]) + " to " + std::to_string(shape[axis] - 1));
    if (i < 0) i += shape[axis];
  }
  Shape y(shape.begin(), shape.begin() + static_cast<std::ptrdiff_t>(axis));
  y.insert(y.end(), chosen->shape.begin(), chosen->shape.end());
  y.insert(y.end(), shape.begin() + static_cast<std::ptrdiff_t>(axis) + 1, shape.end());
  node.require_size(y);
  View view(shape);
  view.take(axis, indices);
  emit_view(node, x, std::move(view), y);
}

void import_split(NodeContext& node) {
  const ValueId x = node.input(0);
  const Shape shape = node.shape(x);
  const std::int64_t rank = rank_of(node, x);
  const auto axis = static_cast<std::size_t>(graph::normalise_axis(node.integer("axis", 0), rank, rank - 1));
  List parts = node.opset() < 2 && node.has_input(1) ? node.integer_list(1) : node.list_until(12, "split", 1);
  const std::int64_t count =
      node.opset() >= 18 ? node.integer("num_outputs", node.outputs()) : node.outputs();
  if (count != node.outputs())
    node.fail("num_outputs " + std::to_string(count), std::to_string(node.outputs()));
  if (parts.empty()) {
    const std::int64_t length = (shape[axis] + count - 1) / count;
    parts.assign(static_cast<std::size_t>(count), length);
    parts.back() = shape[axis] - (count - 1) * length;
  }
  std::int64_t first = 0;
  if (static_cast<std::int64_t>(parts.size()) != count)
    node.fail("split of " + std::to_string(parts.size()) + " parts", std::to_string(count));
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i] < 0 || parts[i] > shape[axis] - first)
      node.fail("parts beyond the dimension of " + std::to_string(shape[axis]));
    if (node.is_read(static_cast<int>(i)))
      node.forward(static_cast<int>(i),
                   taken(node, "/part" + std::to_string(i), x, axis, counted(parts[i], first)));
    first += parts[i];
  }
  if (first != shape[axis])
    node.fail("parts of " + std::to_string(first) + " together", std::to_string(shape[axis]));
}

void import_expand(NodeContext& node) {
  const ValueId x = node.input(0);
  const Shape y = tensor::broadcast_shape(node.shape(x), node.integer_list(1));
  node.require_size(y);
  Shape from = node.shape(x);
  from.insert(from.begin(), y.size() - from.size(), 1);
  View view(from);
  for (std::size_t d = 0; d < y.size(); ++d) {
    if (from[d] != y[d]) view.take(d, List(static_cast<std::size_t>(y[d]), 0));
  }
  emit_view(node, x, std::move(view), y);
}

void import_tile(NodeContext& node) {
  const ValueId x = node.input(0);
  const Shape shape = node.shape(x);
  List repeats = node.opset() < 6 ? List(shape.size(), 1) : node.integer_list(1);
  if (node.opset() < 6) {  // the number of tiles along one axis
    const std::int64_t axis =
        graph::normalise_axis(node.integer_list(2).at(0), rank_of(node, x), rank_of(node, x) - 1);
    repeats[static_cast<std::size_t>(axis)] = node.integer_list(1).at(0);
  }
  if (repeats.size() != shape.size())
    node.fail(std::to_string(repeats.size()) + " repeats", std::to_string(shape.size()));
  Shape y = shape;
  for (std::size_t d = 0; d < y.size(); ++d) {
    if (repeats[d] < 0 || __builtin_mul_overflow(y[d], repeats[d], &y[d]))
      node.fail("repeats " + std::to_string(repeats[d]), "0 or more");
  }
  node.require_size(y);
  View view(shape);
  for (std::size_t d = 0; d < y.size(); ++d) {
    List sources = counted(y[d]);
    for (std::int64_t& i : sources) i %= shape[d];
    view.take(d, sources);
  }
  emit_view(node, x, std::move(view));
}

}  // namespace bitline::onnx
