// SPDX-License-Identifier: Apache-2.0
#include "mapper/graph/shapes.h"
#include "mapper/onnx/node_context.h"
#include "mapper/onnx/operators.h"
#include "mapper/tensor/operations.h"

namespace bitline::onnx {

namespace {

using graph::Op;
using graph::Shape;
using graph::ValueId;
using tensor::Tensor;

/// The target of a Reshape; zeros and -1 as in the file.
Shape target_shape(NodeContext& node) {
  if (node.opset() < 5) return node.integers("shape", {});
  const auto target = node.constant(1);
  if (!target->holds<std::int64_t>() || target->shape.size() != 1)
    node.fail("a shape that is not a list of int64");
  return target->as<std::int64_t>();
}

/// Dropout does something at inference only when told to train.
void require_inference(NodeContext& node) {
  if (node.opset() < 7 && node.integer("is_test", 0) != 1) node.fail("is_test = 0 (training)", "is_test = 1");
  if (node.opset() < 12 || !node.has_input(2)) return;
  const auto training = node.constant(2);
  if (!training->holds<std::uint8_t>() || training->size() != 1)
    node.fail("training_mode that is not one bool");
  const bool drops =
      !node.has_input(1) || tensor::to_float(*node.constant(1)).as<float>() != std::vector{0.0F};
  if (training->as<std::uint8_t>()[0] != 0 && drops) {
    node.fail("training_mode = true", "false", "export the model in evaluation mode");
  }
}

}  // namespace

void import_concat(NodeContext& node) {
  graph::ValueIds parts;
  std::vector<Shape> shapes;
  for (int i = 0; i < node.inputs(); ++i) {
    if (node.is_constant(i) && node.constant(i)->holds<float>()) static_cast<void>(node.weights(i));
    parts.push_back(node.input(i));
    shapes.push_back(node.shape(parts.back()));
  }
  if (parts.empty()) node.fail("has no inputs");
  if (node.opset() >= 4 && !node.has("axis")) node.fail("attribute axis is missing");
  const auto rank = static_cast<std::int64_t>(shapes[0].size());
  const std::int64_t axis = graph::normalise_axis(node.integer("axis", 1), rank, rank - 1);
  const Shape shape = tensor::concat_shape(shapes, axis);
  node.emit(Op::concat, graph::AxisAttributes{axis}, parts, shape);
}

void import_constant(NodeContext& node) {
  node.result(0, node.constant_value());
}

void import_identity(NodeContext& node) {
  node.forward(node.input(0));
}

void import_dropout(NodeContext& node) {
  node.ignore({"ratio", "seed"});
  require_inference(node);
  const ValueId x = node.input(0);
  node.forward(x);
  if (!node.is_read(1)) return;
  const auto count = static_cast<std::size_t>(tensor::element_count(node.shape(x)));
  node.charge(tensor::element_count(node.shape(x)));
  node.result(1, Tensor{node.shape(x), std::vector<std::uint8_t>(count, 1)});  // nothing is dropped
}

void import_flatten(NodeContext& node) {
  const ValueId x = node.input(0);
  const auto rank = static_cast<std::int64_t>(node.shape(x).size());
  const std::int64_t axis = graph::normalise_axis(node.integer("axis", 1), rank, rank);
  node.emit(Op::flatten, graph::AxisAttributes{axis}, {x}, graph::flatten_shape(node.shape(x), axis));
}

void import_reshape(NodeContext& node) {
  node.ignore({"consumed_inputs"});
  const Shape target = target_shape(node);
  const bool allow_zero = node.integer("allowzero", 0) != 0;
  const ValueId x = node.input(0);
  node.emit(Op::reshape, {}, {x}, graph::reshape_shape(node.shape(x), target, allow_zero));
}

}  // namespace bitline::onnx
