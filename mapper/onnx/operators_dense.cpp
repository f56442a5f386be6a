// SPDX-License-Identifier: Apache-2.0
// The operators whose weights go onto crossbars.
#include <algorithm>
#include <array>
#include <utility>

#include "mapper/onnx/operators.h"
#include "mapper/onnx/operators_movement.h"
#include "mapper/onnx/unread.h"
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
  if (unread(matrix)) return unread_tensor({matrix.shape[1], matrix.shape[0]});
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

/// The weight of a convolution with four dimensions; those of a signal get a kernel of height 1.
TensorPointer image_weight(NodeContext& node) {
  TensorPointer weight = node.weights(1);
  const std::size_t rank = node.shape(node.input(0)).size();
  if (weight->shape.size() != rank) {
    node.fail("weight of shape " + tensor::to_string(weight->shape),
              std::to_string(rank) + " dimensions (outputs, channels / group, and the kernel's)");
  }
  if (rank == 4) return weight;
  node.charge(weight->size());
  Tensor image = *weight;
  image.shape.insert(image.shape.begin() + 2, 1);
  return std::make_shared<const Tensor>(std::move(image));
}

/// A transposed convolution as the file describes it.
struct Transposition {
  std::int64_t group = 1;
  graph::Pair strides{}, dilations{};
  graph::Pads pads{};
  graph::Pair extra{};  ///< output_padding
};

/// output_padding, pads from output_shape or auto_pad.
void read_transposition(NodeContext& node, const Shape& x, const Shape& w, Transposition& t) {
  t.strides = positive_pair(node, "strides", {1, 1});
  t.dilations = positive_pair(node, "dilations", {1, 1});
  if (positive_pair(node, "kernel_shape", {w[2], w[3]}) != graph::Pair{w[2], w[3]})
    node.fail("kernel_shape that is not the weight's, " + tensor::to_string(w));
  t.pads = image_pads(node);
  std::vector<std::int64_t> extra = node.integers("output_padding", {});
  if (extra.size() == 1) extra.insert(extra.begin(), 0);
  if (extra.size() == 2) t.extra = {extra[0], extra[1]};
  std::vector<std::int64_t> output = node.integers("output_shape", {});
  if (output.size() == 1) output.insert(output.begin(), 1);
  if (output.size() == 4) output.erase(output.begin(), output.begin() + 2);
  const std::string mode = node.text("auto_pad", "NOTSET");
  for (std::size_t d = 0; d < 2; ++d) {
    const std::int64_t extent = t.dilations[d] * (w[2 + d] - 1) + 1;
    std::int64_t size = 0;
    if (!output.empty()) size = output[d];
    if (output.empty() && (mode == "SAME_UPPER" || mode == "SAME_LOWER")) size = x[2 + d] * t.strides[d];
    if (size == 0) continue;
    const std::int64_t total = t.strides[d] * (x[2 + d] - 1) + t.extra[d] + extent - size;
    // More output than the convolution gives: rows of bias at the end.
    if (total < 0) t.extra[d] -= total;
    const std::int64_t less = std::max<std::int64_t>(total, 0) / 2;
    const std::int64_t more = std::max<std::int64_t>(total, 0) - less;
    t.pads[d] = mode == "SAME_UPPER" ? less : more;
    t.pads[2 + d] = mode == "SAME_UPPER" ? more : less;
  }
}

/// Weight [C, O/group, h, w] of a transposed convolution as [O, C/group, h, w], the kernel turned round.
TensorPointer transposed_kernel(NodeContext& node, const Tensor& weight, std::int64_t group) {
  node.charge(weight.size());
  const Shape& w = weight.shape;
  const std::int64_t channels = w[0] / group;
  const std::int64_t pixels = w[2] * w[3];
  Tensor result{{w[1] * group, channels, w[2], w[3]}, std::vector<float>(weight.as<float>().size())};
  auto out = result.as<float>().begin();
  for (std::int64_t o = 0; o < w[1] * group; ++o) {
    for (std::int64_t c = 0; c < channels; ++c) {
      const auto kernel = weight.as<float>().begin() + ((o / w[1] * channels + c) * w[1] + o % w[1]) * pixels;
      out = std::reverse_copy(kernel, kernel + pixels, out);
    }
  }
  return std::make_shared<const Tensor>(std::move(result));
}

/// The grid of the weights of a transposed convolution, by output. In the file their outputs are dimension 1,
/// where the groups have the same scales.
std::shared_ptr<const graph::Grid> transposed_grid(const NodeContext& node, std::int64_t group) {
  std::shared_ptr<const graph::Grid> given = node.weight_grid(1, 1);
  if (given == nullptr || given->per_tensor()) return given;
  graph::Grid grid = *given;
  grid.axis = 0;
  for (std::int64_t g = 1; g < group; ++g) {
    grid.scale.insert(grid.scale.end(), given->scale.begin(), given->scale.end());
    grid.zero_point.insert(grid.zero_point.end(), given->zero_point.begin(), given->zero_point.end());
  }
  return std::make_shared<const graph::Grid>(std::move(grid));
}

/// The input with strides - 1 zeros between its pixels and the border that the kernel needs.
ValueId spread_out(NodeContext& node, ValueId x, const Shape& w, const Transposition& t) {
  const Shape shape = node.shape(x);
  Shape y = shape;
  View view(shape);
  std::array<std::int64_t, 2> border{};
  for (std::size_t d = 0; d < 2; ++d) {
    const std::int64_t reach = t.dilations[d] * (w[2 + d] - 1);
    for (const std::int64_t number : {reach, t.extra[d], t.pads[d], t.pads[2 + d]}) {
      if (number < 0 || number > INT32_MAX)
        node.fail("pads, output_padding or kernel of " + std::to_string(number), "0 to 2^31-1");
    }
    border[d] = reach - t.pads[d];
    y[2 + d] = (shape[2 + d] - 1) * t.strides[d] + 1 + border[d] + reach - t.pads[2 + d] + t.extra[d];
  }
  node.require_size(y);
  for (std::size_t d = 0; d < 2; ++d) {
    std::vector<std::int64_t> sources;
    for (std::int64_t i = -border[d]; i < y[2 + d] - border[d]; ++i) {
      const bool pixel = i >= 0 && i % t.strides[d] == 0 && i / t.strides[d] < shape[2 + d];
      sources.push_back(pixel ? i / t.strides[d] : -1);
    }
    view.take(2 + d, sources);
  }
  return node.intermediate("/spread", Op::rearrange, std::move(view).attributes(), {x}, y);
}

/// A product of two computed values, or of a constant that differs from matrix to matrix.
void emit_product(NodeContext& node) {
  ValueId a = node.input(0);
  ValueId b = node.input(1);
  Shape left = node.shape(a);
  Shape right = node.shape(b);
  if (left.empty() || right.empty()) node.fail("a scalar operand", "1 dimension or more");
  const bool row = left.size() == 1;
  const bool column = right.size() == 1;
  if (row) left.insert(left.begin(), 1);
  if (column) right.push_back(1);
  Shape y = graph::product_shape(left, right);
  a = reshaped(node, "/a", a, left);
  b = reshaped(node, "/b", b, right);
  if (!row && !column) return node.emit(Op::matmul, {}, {a, b}, y);
  const ValueId product = node.intermediate("/product", Op::matmul, {}, {a, b}, y);
  if (column) y.pop_back();
  if (row) y.erase(y.end() - (column ? 1 : 2));
  node.emit(Op::reshape, {}, {product}, y);
}

}  // namespace

void import_conv(NodeContext& node) {
  const ValueId x = image_input(node, node.input(0));
  graph::ConvAttributes conv;
  conv.weight = image_weight(node);
  conv.grid = node.weight_grid(1, 0);
  if (node.has_input(2)) conv.bias = node.weights(2);
  conv.group = node.integer("group", 1);
  const Shape& w = conv.weight->shape;
  conv.kernel = positive_pair(node, "kernel_shape", {w[2], w[3]});
  read_window(node, node.shape(x), conv);
  const Shape y = graph::conv_shape(node.shape(x), conv);
  emit_image(node, Op::conv, std::move(conv), x, y);
}

void import_conv_transpose(NodeContext& node) {
  const ValueId x = image_input(node, node.input(0));
  const TensorPointer given = image_weight(node);
  const Shape& w = given->shape;
  Transposition t;
  t.group = node.integer("group", 1);
  if (t.group < 1 || node.shape(x)[1] != w[0] || w[0] % t.group != 0) {
    node.fail("weight of shape " + tensor::to_string(w) + " and group " + std::to_string(t.group) +
              " with input of shape " + tensor::to_string(node.shape(x)));
  }
  read_transposition(node, node.shape(x), w, t);
  graph::ConvAttributes conv;
  conv.weight = transposed_kernel(node, *given, t.group);
  conv.grid = transposed_grid(node, t.group);
  if (node.has_input(2)) conv.bias = node.weights(2);
  conv.group = t.group;
  conv.kernel = {w[2], w[3]};
  conv.strides = {1, 1};
  conv.dilations = t.dilations;
  conv.pads = {0, 0, 0, 0};
  const ValueId spread = spread_out(node, x, w, t);
  const Shape y = graph::conv_shape(node.shape(spread), conv);
  emit_image(node, Op::conv, std::move(conv), spread, y);
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
  if (!node.is_constant(1)) return emit_product(node);
  const TensorPointer weight = node.weights(1);
  // Leading dimensions of 1 do not change the product unless they raise the rank of the result.
  Shape matrix = weight->shape;
  while (matrix.size() > 2 && matrix.front() == 1 && matrix.size() <= node.shape(x).size())
    matrix.erase(matrix.begin());
  if (matrix.size() != 2 || node.shape(x).empty()) return emit_product(node);
  graph::LinearAttributes linear;
  linear.weight = transposed(node, Tensor{matrix, weight->data});
  linear.grid = node.weight_grid(1, static_cast<std::int64_t>(weight->shape.size()) - 1);
  const Shape y = graph::linear_shape(node.shape(x), linear);
  node.emit(Op::linear, std::move(linear), {x}, y);
}

}  // namespace bitline::onnx
