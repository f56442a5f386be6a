// SPDX-License-Identifier: Apache-2.0
// The operators whose weights go onto crossbars.
#include <algorithm>
#include <utility>

#include "mapper/onnx/operators.h"
#include "mapper/onnx/window.h"
#include "mapper/tensor/operations.h"

namespace bitline::onnx {

namespace {

using graph::Op;
using graph::Shape;
using graph::ValueId;
using tensor::Tensor;
using TensorPointer = std::shared_ptr<const Tensor>;

TensorPointer transposed(NodeContext& node, const Tensor& matrix) {
  node.charge(matrix.size());
  return std::make_shared<const Tensor>(tensor::transpose(matrix));
}

/// Finite constants times a factor of the node.
Tensor multiplied(NodeContext& node, Tensor tensor, float factor) {
  for (float& value : tensor.as<float>()) value *= factor;
  if (!tensor::all_finite(tensor.as<float>())) node.fail("weights that alpha or beta make infinite");
  return tensor;
}

void require_matrix(const NodeContext& node, const Shape& shape, const char* what) {
  if (shape.size() != 2)
    node.fail(std::string(what) + " of shape " + tensor::to_string(shape), "2 dimensions");
}

/// Weight [outputs, inputs] of a Gemm, alpha included.
TensorPointer gemm_weight(NodeContext& node) {
  TensorPointer weight = node.weights(1);
  require_matrix(node, weight->shape, "B");
  if (node.integer("transB", 0) == 0) weight = transposed(node, *weight);
  const float alpha = node.real("alpha", 1.0F);
  if (alpha == 1.0F) return weight;
  node.charge(weight->size());
  return std::make_shared<const Tensor>(multiplied(node, *weight, alpha));
}

/// Their grid, alpha included.
std::shared_ptr<const graph::Grid> gemm_grid(NodeContext& node) {
  std::shared_ptr<const graph::Grid> given = node.weight_grid(1, node.integer("transB", 0) == 0 ? 1 : 0);
  const float alpha = node.real("alpha", 1.0F);
  if (given == nullptr || alpha == 1.0F) return given;
  graph::Grid scaled = *given;
  for (float& scale : scaled.scale) scale *= alpha;
  return std::make_shared<const graph::Grid>(std::move(scaled));
}

/// A of a Gemm with rows as samples. Only what needs no transposition on the chip: a constant, or a vector,
/// whose transpose has the same values in the same order.
ValueId gemm_input(NodeContext& node) {
  const ValueId a = node.input(0);
  const Shape shape = node.shape(a);
  require_matrix(node, shape, "A");
  if (node.integer("transA", 0) == 0) return a;
  if (node.is_constant(0)) return node.make_constant("/A", tensor::transpose(*node.weights(0)));
  if (shape[0] != 1 && shape[1] != 1) {
    node.fail("transA of a computed matrix of shape " + tensor::to_string(shape), "transA = 0",
              "transpose the data before the layer");
  }
  return node.intermediate("/A", Op::reshape, {}, {a}, {shape[1], shape[0]});
}

/// C of a Gemm as one bias per output, beta included; null where it is not (a matrix).
TensorPointer gemm_bias(NodeContext& node, const Tensor& c, std::int64_t outputs, float beta) {
  if (c.shape.size() > 2 || (c.shape.size() == 2 && c.shape[0] != 1)) return nullptr;
  const std::vector<float>& values = c.as<float>();
  if (values.size() == 1) {
    return std::make_shared<const Tensor>(multiplied(
        node, Tensor{{outputs}, std::vector<float>(static_cast<std::size_t>(outputs), values[0])}, beta));
  }
  if (c.shape.back() != outputs) return nullptr;
  return std::make_shared<const Tensor>(multiplied(node, Tensor{{outputs}, values}, beta));
}

/// The addition of a C that is not a bias vector, after the product.
void emit_with_addend(NodeContext& node, graph::LinearAttributes linear, ValueId x, const Shape& y,
                      float beta) {
  ValueId c = node.input(2);
  if (node.is_constant(2)) {
    c = node.make_constant("/C", multiplied(node, *node.weights(2), beta));
  } else if (beta != 1.0F) {
    node.fail("beta " + std::to_string(beta) + " with a computed C", "beta = 1");
  }
  if (tensor::broadcast_shape(y, node.shape(c)) != y) {
    node.fail("C of shape " + tensor::to_string(node.shape(c)),
              "what can be broadcast to " + tensor::to_string(y));
  }
  const ValueId product = node.intermediate("/product", Op::linear, std::move(linear), {x}, y);
  node.emit(Op::add, {}, {product, c}, y);
}

}  // namespace

void import_conv(NodeContext& node) {
  const ValueId x = node.input(0);
  graph::ConvAttributes conv;
  conv.weight = node.weights(1);
  conv.grid = node.weight_grid(1, 0);
  if (node.has_input(2)) conv.bias = node.weights(2);
  conv.group = node.integer("group", 1);
  const Shape& w = conv.weight->shape;
  if (w.size() != 4)
    node.fail("weight of shape " + tensor::to_string(w),
              "4 dimensions (outputs, channels / group, height, width)");
  conv.kernel = positive_pair(node, "kernel_shape", {w[2], w[3]});
  read_window(node, node.shape(x), conv);
  const Shape y = graph::conv_shape(node.shape(x), conv);
  node.emit(Op::conv, std::move(conv), {x}, y);
}

void import_gemm(NodeContext& node) {
  node.ignore({"broadcast"});  // before operator set 7, where broadcasting had to be asked for
  const ValueId x = gemm_input(node);
  graph::LinearAttributes linear;
  linear.weight = gemm_weight(node);
  linear.grid = gemm_grid(node);
  const float beta = node.real("beta", 1.0F);
  const bool has_addend = node.has_input(2) && beta != 0.0F;
  if (has_addend && node.is_constant(2))
    linear.bias = gemm_bias(node, *node.weights(2), linear.weight->shape[0], beta);
  const Shape y = graph::linear_shape(node.shape(x), linear);
  if (has_addend && !linear.bias) {
    emit_with_addend(node, std::move(linear), x, y, beta);
  } else {
    node.emit(Op::linear, std::move(linear), {x}, y);
  }
}

void import_matmul(NodeContext& node) {
  const ValueId x = node.input(0);
  const TensorPointer weight = node.weights(1);
  // Leading dimensions of 1 do not change the product unless they raise the rank of the result.
  Shape matrix = weight->shape;
  while (matrix.size() > 2 && matrix.front() == 1 && matrix.size() <= node.shape(x).size())
    matrix.erase(matrix.begin());
  if (matrix.size() != 2) {
    node.fail("right operand of shape " + tensor::to_string(weight->shape), "a matrix (2 dimensions)");
  }
  graph::LinearAttributes linear;
  linear.weight = transposed(node, Tensor{matrix, weight->data});
  linear.grid = node.weight_grid(1, static_cast<std::int64_t>(weight->shape.size()) - 1);
  const Shape y = graph::linear_shape(node.shape(x), linear);
  node.emit(Op::linear, std::move(linear), {x}, y);
}

}  // namespace bitline::onnx
