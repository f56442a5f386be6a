// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>
#include <utility>

#include "mapper/graph/shapes.h"
#include "mapper/onnx/node_context.h"
#include "mapper/onnx/operators.h"
#include "mapper/onnx/quantised_inputs.h"
#include "mapper/tensor/operations.h"

namespace bitline::onnx {

namespace {

using graph::Op;
using graph::Shape;
using graph::ValueId;

void import_unary(NodeContext& node, Op op) {
  node.ignore({"consumed_inputs"});  // of operator set 1
  const ValueId x = node.input(0);
  node.emit(op, {}, {x}, node.shape(x));
}

/// The constant of an addition as one number per channel of `y`, the result of a conv or linear node; empty
/// if it is anything else.
std::vector<float> channel_bias(const graph::Node& producer, const tensor::Tensor& addend, const Shape& y) {
  const std::size_t channel = producer.op == Op::conv ? 1 : y.size() - 1;
  const auto channels = static_cast<std::size_t>(y[channel]);
  if (!addend.holds<float>() || addend.shape.size() > y.size()) return {};
  const std::vector<float>& values = addend.as<float>();
  if (values.size() == 1) return std::vector<float>(channels, values[0]);
  const std::size_t missing = y.size() - addend.shape.size();
  const bool per_channel =
      values.size() == channels && channel >= missing && addend.shape[channel - missing] == y[channel];
  return per_channel ? values : std::vector<float>{};
}

bool fold_addition(NodeContext& node, int computed, int constant) {
  if (node.is_constant(computed) || !node.is_constant(constant)) return false;
  const ValueId x = node.input(computed);
  const graph::Node* producer = node.producer(x);
  if (producer == nullptr || !graph::on_crossbars(*producer)) return false;
  const std::vector<float> bias = channel_bias(*producer, *node.weights(constant), node.shape(x));
  return !bias.empty() && node.fold(x, {}, bias);
}

float limit(NodeContext& node, int i, float fallback) {
  if (!node.has_input(i)) return fallback;
  const auto tensor = node.constant(i);
  if (tensor->size() != 1) node.fail("limit of shape " + tensor::to_string(tensor->shape), "one number");
  const float value = tensor::to_float(*tensor).as<float>()[0];
  if (std::isnan(value)) node.fail("limit NaN", "a number");
  return value;
}

}  // namespace

ValueId aligned_operand(NodeContext& node) {
  const ValueId b = node.input(1);
  if (node.opset() >= 7 || !node.has("axis")) return b;
  const Shape a_shape = node.shape(node.input(0));
  Shape b_shape = node.shape(b);
  const auto rank = static_cast<std::int64_t>(a_shape.size());
  const std::int64_t axis = graph::normalise_axis(node.integer("axis", 0), rank, rank);
  const std::int64_t trailing = rank - axis - static_cast<std::int64_t>(b_shape.size());
  if (trailing <= 0) return b;
  b_shape.insert(b_shape.end(), static_cast<std::size_t>(trailing), 1);
  return node.intermediate("/aligned", Op::reshape, {}, {b}, b_shape);
}

void import_relu(NodeContext& node) {
  import_unary(node, Op::relu);
}
void import_sigmoid(NodeContext& node) {
  import_unary(node, Op::sigmoid);
}

void import_add(NodeContext& node) {
  node.ignore({"broadcast", "consumed_inputs"});
  const ValueId a = node.input(0);
  const ValueId b = aligned_operand(node);
  for (const int i : {0, 1}) {
    if (node.is_constant(i) && node.constant(i)->holds<float>()) static_cast<void>(node.weights(i));
  }
  const bool as_given = b == node.input(1);
  if (as_given && (fold_addition(node, 0, 1) || fold_addition(node, 1, 0))) return;
  node.emit(Op::add, {}, {a, b}, tensor::broadcast_shape(node.shape(a), node.shape(b)));
}

void import_clip(NodeContext& node) {
  constexpr float kLargest = std::numeric_limits<float>::max();
  graph::ClipAttributes clip{-kLargest, kLargest};
  if (node.opset() < 11) {
    clip = {node.real("min", -kLargest), node.real("max", kLargest)};
  } else {
    clip = {limit(node, 1, -kLargest), limit(node, 2, kLargest)};
  }
  const ValueId x = node.input(0);
  node.ignore({"consumed_inputs"});
  if (clip_codes(node, clip)) return;
  node.emit(Op::clip, clip, {x}, node.shape(x));
}

void import_batch_normalization(NodeContext& node) {
  node.ignore({"momentum", "consumed_inputs"});
  if (node.opset() < 7 && node.integer("is_test", 0) != 1) node.fail("is_test = 0 (training)", "is_test = 1");
  if (node.opset() < 9 && node.integer("spatial", 1) != 1) node.fail("spatial = 0", "statistics per channel");
  if (node.opset() >= 14 && node.integer("training_mode", 0) != 0) {
    node.fail("training_mode = 1", "training_mode = 0", "export the model in evaluation mode");
  }
  const ValueId x = node.input(0);
  const Shape& shape = node.shape(x);
  if (shape.size() < 2) node.fail("input of shape " + tensor::to_string(shape), "2 dimensions or more");
  std::vector<float> scale = node.vector(1, shape[1]);
  std::vector<float> shift = node.vector(2, shape[1]);
  const std::vector<float> mean = node.vector(3, shape[1]);
  const std::vector<float> variance = node.vector(4, shape[1]);
  const double epsilon = static_cast<double>(node.real("epsilon", 1e-5F));
  for (std::size_t c = 0; c < scale.size(); ++c) {
    const double spread = static_cast<double>(variance[c]) + epsilon;
    if (!(spread > 0.0))
      node.fail("variance " + std::to_string(variance[c]) + " of channel " + std::to_string(c),
                "a positive number");
    const double factor = static_cast<double>(scale[c]) / std::sqrt(spread);
    shift[c] = static_cast<float>(static_cast<double>(shift[c]) - static_cast<double>(mean[c]) * factor);
    scale[c] = static_cast<float>(factor);
  }
  if (!tensor::all_finite(scale) || !tensor::all_finite(shift))
    node.fail("a scale or shift that is not finite");
  const graph::Node* producer = node.producer(x);
  // A linear layer's channels are its last dimension, those of the normalisation the second.
  const bool same_channels = producer != nullptr && (producer->op == Op::conv || shape.size() == 2);
  if (same_channels && node.fold(x, scale, shift)) return;
  node.emit(Op::scale_shift, graph::ScaleShiftAttributes{std::move(scale), std::move(shift)}, {x}, shape);
}

void import_softmax(NodeContext& node) {
  const ValueId x = node.input(0);
  const Shape shape = node.shape(x);
  const auto rank = static_cast<std::int64_t>(shape.size());
  const bool flattens = node.opset() < 13;
  const std::int64_t axis = graph::normalise_axis(node.integer("axis", flattens ? 1 : -1), rank, rank - 1);
  const graph::AxisAttributes along{axis};
  // Before operator set 13 the dimensions from the axis on are taken together.
  const Shape matrix = graph::flatten_shape(shape, axis);
  if (!flattens || matrix[1] == shape[static_cast<std::size_t>(axis)]) {
    node.emit(Op::softmax, along, {x}, shape);
    return;
  }
  const ValueId flat = node.intermediate("/flat", Op::reshape, {}, {x}, matrix);
  const ValueId y = node.intermediate("/softmax", Op::softmax, graph::AxisAttributes{1}, {flat}, matrix);
  node.emit(Op::reshape, {}, {y}, shape);
}

}  // namespace bitline::onnx
