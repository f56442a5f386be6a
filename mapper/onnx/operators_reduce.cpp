// SPDX-License-Identifier: Apache-2.0
// Reductions and what is made of them.
#include <algorithm>
#include <utility>

#include "mapper/graph/shapes.h"
#include "mapper/onnx/operators.h"
#include "mapper/onnx/operators_movement.h"
#include "mapper/tensor/operations.h"

namespace bitline::onnx {

namespace {

using graph::Function;
using graph::FunctionAttributes;
using graph::Op;
using graph::Reduction;
using graph::Shape;
using graph::ValueId;
using List = std::vector<std::int64_t>;

/// Axes in order; all of them where none are named and `noop_with_empty_axes` is not set.
List reduced_axes(NodeContext& node, std::int64_t rank, int last_attribute_opset) {
  List axes = node.list_until(last_attribute_opset, "axes", 1);
  const bool none = node.opset() > last_attribute_opset && node.integer("noop_with_empty_axes", 0) != 0;
  if (axes.empty() && !none) axes = counted(rank);
  for (std::int64_t& axis : axes) axis = graph::normalise_axis(axis, rank, rank - 1);
  std::sort(axes.begin(), axes.end());
  axes.erase(std::unique(axes.begin(), axes.end()), axes.end());
  return axes;
}

Shape reduced_shape(const Shape& x, const List& axes, bool keep) {
  Shape y;
  for (std::size_t d = 0; d < x.size(); ++d) {
    const bool gone = std::binary_search(axes.begin(), axes.end(), static_cast<std::int64_t>(d));
    if (!gone) y.push_back(x[d]);
    if (gone && keep) y.push_back(1);
  }
  return y;
}

void emit_reduction(NodeContext& node, Reduction reduction, int last_attribute_opset) {
  const ValueId x = node.input(0);
  const Shape shape = node.shape(x);
  const List axes = reduced_axes(node, static_cast<std::int64_t>(shape.size()), last_attribute_opset);
  const bool keep = node.integer("keepdims", 1) != 0;
  if (axes.empty()) return node.forward(x);
  const Shape y = reduced_shape(shape, axes, keep);
  if (reduction == Reduction::mean && shape.size() == 4 && axes == List{2, 3} && !node.is_integer(x)) {
    if (keep) return node.emit(Op::global_average_pool, {}, {x}, y);
    const ValueId mean =
        node.intermediate("/mean", Op::global_average_pool, {}, {x}, {shape[0], shape[1], 1, 1});
    return node.emit(Op::reshape, {}, {mean}, y);
  }
  node.emit(Op::reduce, graph::ReduceAttributes{reduction, axes}, {x}, y);
}

ValueId function(NodeContext& node, const std::string& suffix, Function f, const graph::ValueIds& from) {
  Shape shape = node.shape(from[0]);
  if (from.size() > 1) shape = tensor::broadcast_shape(shape, node.shape(from[1]));
  return node.intermediate(suffix, Op::elementwise, FunctionAttributes{f}, from, shape);
}

/// Mean and 1 / deviation, where they are read (outputs 1 and 2 of LayerNormalization).
void forward_statistics(NodeContext& node, ValueId x, std::int64_t axis, float epsilon) {
  if (!node.is_read(1) && !node.is_read(2)) return;
  const Shape shape = node.shape(x);
  const graph::ReduceAttributes along{Reduction::mean,
                                      counted(static_cast<std::int64_t>(shape.size()) - axis, axis)};
  const Shape y = reduced_shape(shape, along.axes, true);
  const ValueId mean = node.intermediate("/mean", Op::reduce, along, {x}, y);
  if (node.is_read(1)) node.forward(1, mean);
  if (!node.is_read(2)) return;
  const ValueId distance = function(node, "/distance", Function::sub, {x, mean});
  const ValueId square = function(node, "/square", Function::mul, {distance, distance});
  const ValueId variance = node.intermediate("/variance", Op::reduce, along, {square}, y);
  const ValueId added = node.intermediate(
      "/sum", Op::add, {}, {variance, node.make_constant("/epsilon", {{}, std::vector<float>{epsilon}})}, y);
  const ValueId deviation = function(node, "/deviation", Function::sqrt, {added});
  const ValueId one = node.make_constant("/one", {{}, std::vector<float>{1.0F}});
  node.forward(2, function(node, "/inverse", Function::div, {one, deviation}));
}

}  // namespace

void import_reduce_sum(NodeContext& node) {
  emit_reduction(node, Reduction::sum, 12);
}
void import_reduce_mean(NodeContext& node) {
  emit_reduction(node, Reduction::mean, 17);
}
void import_reduce_max(NodeContext& node) {
  emit_reduction(node, Reduction::max, 17);
}
void import_reduce_min(NodeContext& node) {
  emit_reduction(node, Reduction::min, 17);
}

void import_global_max_pool(NodeContext& node) {
  const ValueId x = node.input(0);
  const Shape shape = node.shape(x);
  if (shape.size() < 3) node.fail("input of shape " + tensor::to_string(shape), "3 dimensions or more");
  const List axes = counted(static_cast<std::int64_t>(shape.size()) - 2, 2);
  node.emit(Op::reduce, graph::ReduceAttributes{Reduction::max, axes}, {x}, reduced_shape(shape, axes, true));
}

void import_layer_normalization(NodeContext& node) {
  node.ignore({"stash_type"});
  const ValueId x = node.input(0);
  const Shape shape = node.shape(x);
  const auto rank = static_cast<std::int64_t>(shape.size());
  const std::int64_t axis = graph::normalise_axis(node.integer("axis", -1), rank, rank - 1);
  const float epsilon = node.real("epsilon", 1e-5F);
  ValueId y =
      node.intermediate("/normalised", Op::normalise, graph::NormaliseAttributes{axis, epsilon}, {x}, shape);
  if (node.has_input(2)) y = function(node, "/scaled", Function::mul, {y, node.input(1)});
  const ValueId last = node.input(node.has_input(2) ? 2 : 1);
  if (tensor::broadcast_shape(shape, node.shape(node.input(1))) != shape ||
      tensor::broadcast_shape(shape, node.shape(last)) != shape)
    node.fail("scale or bias of shape " + tensor::to_string(node.shape(last)),
              "what can be broadcast to " + tensor::to_string(shape));
  if (node.has_input(2)) {
    node.emit(Op::add, {}, {y, last}, shape);
  } else {
    node.emit(Op::elementwise, FunctionAttributes{Function::mul}, {y, last}, shape);
  }
  forward_statistics(node, x, axis, epsilon);
}

void import_instance_normalization(NodeContext& node) {
  node.ignore({"consumed_inputs"});
  const ValueId x = node.input(0);
  const Shape shape = node.shape(x);
  if (shape.size() < 3) node.fail("input of shape " + tensor::to_string(shape), "3 dimensions or more");
  graph::ScaleShiftAttributes affine{node.vector(1, shape[1]), node.vector(2, shape[1])};
  const graph::NormaliseAttributes normalise{2, node.real("epsilon", 1e-5F)};
  const ValueId y = node.intermediate("/normalised", Op::normalise, normalise, {x}, shape);
  node.emit(Op::scale_shift, std::move(affine), {y}, shape);
}

void import_log_softmax(NodeContext& node) {
  const ValueId x = node.input(0);
  const Shape shape = node.shape(x);
  const auto rank = static_cast<std::int64_t>(shape.size());
  const bool flattens = node.opset() < 13;
  std::int64_t axis = graph::normalise_axis(node.integer("axis", flattens ? 1 : -1), rank, rank - 1);
  // Before operator set 13 the dimensions from the axis on are taken together.
  const Shape together = flattens ? graph::flatten_shape(shape, axis) : shape;
  if (flattens) axis = 1;
  const ValueId in = reshaped(node, "/flat", x, together);
  const List axes = {axis};
  const Shape one = reduced_shape(together, axes, true);
  // Log of the softmax without its underflow: x - max - log(sum(exp(x - max))).
  const ValueId largest =
      node.intermediate("/max", Op::reduce, graph::ReduceAttributes{Reduction::max, axes}, {in}, one);
  const ValueId below = function(node, "/below", Function::sub, {in, largest});
  const ValueId powers = function(node, "/exp", Function::exp, {below});
  const ValueId sum =
      node.intermediate("/sum", Op::reduce, graph::ReduceAttributes{Reduction::sum, axes}, {powers}, one);
  const ValueId log = function(node, "/log", Function::log, {sum});
  if (together == shape)
    return node.emit(Op::elementwise, FunctionAttributes{Function::sub}, {below, log}, shape);
  node.emit(Op::reshape, {}, {function(node, "/difference", Function::sub, {below, log})}, shape);
}

}  // namespace bitline::onnx
