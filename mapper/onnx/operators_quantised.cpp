// SPDX-License-Identifier: Apache-2.0
// Quantised operators of the default domain, as layers on real numbers whose grids are given: the crossbars
// get the codes of the file.
#include <algorithm>

#include "mapper/graph/shapes.h"
#include "mapper/onnx/operators.h"
#include "mapper/onnx/quantised_inputs.h"
#include "mapper/onnx/window.h"
#include "mapper/reference/quantised.h"
#include "mapper/tensor/operations.h"

namespace bitline::onnx {

namespace {

using graph::Grid;
using graph::Op;
using graph::Shape;
using graph::ValueId;

/// The range of the attribute output_dtype of QuantizeLinear (numbers of TensorProto); uint8 where it is
/// absent.
Grid output_range(NodeContext& node) {
  struct Type {
    std::int64_t number, low, high;
  };
  constexpr Type kTypes[] = {{0, 0, 255},        {2, 0, 255}, {3, -128, 127}, {4, 0, 65535},
                             {5, -32768, 32767}, {21, 0, 15}, {22, -8, 7}};
  const std::int64_t number = node.integer("output_dtype", 0);
  for (const Type& type : kTypes) {
    if (type.number == number)
      return {.scale = {}, .zero_point = {}, .axis = 0, .low = type.low, .high = type.high};
  }
  node.fail("output_dtype " + std::to_string(number), "an integer type of 4, 8 or 16 bits");
}

/// The axis of one scale per channel; 0 where there is one scale.
std::int64_t grid_axis(NodeContext& node, const Shape& shape) {
  if (node.integer("block_size", 0) != 0)
    node.fail("block_size (a scale per block)", "one scale per tensor or channel");
  const std::int64_t axis = node.integer("axis", 1);
  if (!node.is_constant(1) || node.constant(1)->size() == 1) return 0;
  const auto rank = static_cast<std::int64_t>(shape.size());
  return graph::normalise_axis(axis, rank, rank - 1);
}

/// Scale and zero point that the network computes: one of each.
graph::ValueIds computed_grid(NodeContext& node, ValueId x) {
  graph::ValueIds from = {x, node.input(1)};
  for (const int i : {1, 2}) {
    if (node.has_input(i) && tensor::element_count(node.shape(node.input(i))) != 1)
      node.fail("computed scales of shape " + tensor::to_string(node.shape(node.input(i))),
                "one computed scale");
  }
  if (!node.has_input(2)) {
    from.push_back(node.make_constant("/zero", {{}, std::vector<float>{0.0F}}));
  } else if (node.is_constant(2)) {
    from.push_back(node.make_constant("/zero", tensor::to_float(*node.constant(2))));
  } else {
    from.push_back(node.input(2));
  }
  return from;
}

/// x - zero point of ConvInteger and MatMulInteger, on a grid of step one.
ValueId centred(NodeContext& node, int zero_point) {
  if (!node.has_input(zero_point) || node.is_constant(zero_point))
    return dequantised(node, {0, -1, zero_point}, "/centred");
  const ValueId x = node.input(0);
  const Shape shape = node.shape(x);
  if (tensor::element_count(node.shape(node.input(zero_point))) != 1)
    node.fail("computed zero points for each row", "one zero point");
  const ValueId one = node.make_constant("/one", {{}, std::vector<float>{1.0F}});
  const ValueId difference =
      node.intermediate("/difference", Op::dequantize, Grid{}, {x, one, node.input(zero_point)}, shape);
  const Grid steps{.scale = {1.0F}, .zero_point = {0}, .axis = 0, .low = -255, .high = 255};
  return node.intermediate("/centred", Op::dequantize, steps, {difference}, shape);
}

graph::ConvAttributes read_conv(NodeContext& node, ValueId x, GridWeights weights) {
  graph::ConvAttributes conv;
  conv.weight = std::move(weights.real);
  conv.grid = std::move(weights.grid);
  conv.group = node.integer("group", 1);
  const Shape& w = conv.weight->shape;
  if (w.size() != 4)
    node.fail("weight of shape " + tensor::to_string(w),
              "4 dimensions (outputs, channels / group, height, width)");
  conv.kernel = positive_pair(node, "kernel_shape", {w[2], w[3]});
  read_window(node, node.shape(x), conv);
  return conv;
}

}  // namespace

void import_quantize_linear(NodeContext& node) {
  node.ignore({"saturate", "precision"});  // of floating-point types; of intermediate results
  const ValueId x = node.input(0);
  const Shape shape = node.shape(x);
  const std::int64_t axis = grid_axis(node, shape);
  Grid grid = output_range(node);
  graph::ValueIds from = {x};
  if (node.is_constant(1)) {
    grid = read_grid(node, {0, 1, 2}, shape, axis, node.has_input(2) ? Grid{.low = INT32_MIN} : grid);
  } else {
    from = computed_grid(node, x);
  }
  node.emit(Op::quantize, grid, from, shape);
}

void import_dequantize_linear(NodeContext& node) {
  node.ignore({"output_dtype"});
  const Shape shape = node.shape(node.input(0));
  const std::int64_t axis = grid_axis(node, shape);
  if (!node.is_constant(1)) {
    node.emit(Op::dequantize, Grid{.scale = {}}, computed_grid(node, node.input(0)), shape);
    return;
  }
  const Grid grid = read_grid(node, {0, 1, 2}, shape, axis, code_range_of(node, 0));
  if (!node.is_constant(0)) {
    node.emit(Op::dequantize, grid, {node.input(0)}, shape);
    return;
  }
  const auto codes = node.constant(0);
  node.charge(codes->size());
  node.result(0, reference::dequantize({codes.get()}, grid), std::make_shared<const Grid>(grid));
}

void import_dynamic_quantize_linear(NodeContext& node) {
  const ValueId x = node.input(0);
  const Shape shape = node.shape(x);
  const ValueId scale = node.intermediate("/scale", Op::dynamic_scale, {}, {x}, {});
  const ValueId zero = node.intermediate("/zero_point", Op::dynamic_zero_point, {}, {x, scale}, {});
  if (node.is_read(1)) node.forward(1, scale);
  if (node.is_read(2)) node.forward(2, zero);
  node.emit(Op::quantize, Grid{.scale = {}}, {x, scale, zero}, shape);
}

void import_conv_integer(NodeContext& node) {
  const ValueId x = centred(node, 2);
  graph::ConvAttributes conv = read_conv(node, x, read_weights(node, {1, -1, 3}, 0));
  const Shape y = graph::conv_shape(node.shape(x), conv);
  node.emit(Op::conv, std::move(conv), {x}, y);
}

void import_matmul_integer(NodeContext& node) {
  const ValueId x = centred(node, 2);
  const auto last = static_cast<std::int64_t>(node.shape(node.input(1)).size()) - 1;
  auto [linear, y] = linear_of(node, x, read_weights(node, {1, -1, 3}, last));
  node.emit(Op::linear, std::move(linear), {x}, y);
}

void import_qlinear_conv(NodeContext& node) {
  const ValueId x = dequantised(node, {0, 1, 2}, "/x");
  graph::ConvAttributes conv = read_conv(node, x, read_weights(node, {3, 4, 5}, 0));
  const double scale = static_cast<double>(tensor::to_float(*node.constant(1)).as<float>().at(0));
  conv.bias = read_bias(node, 8, scale, *conv.grid, conv.weight->shape[0]);
  const Shape y = graph::conv_shape(node.shape(x), conv);
  emit_quantised(node, Op::conv, std::move(conv), {x}, y, {-1, 6, 7});
}

void import_qlinear_matmul(NodeContext& node) {
  const ValueId x = dequantised(node, {0, 1, 2}, "/a");
  const Shape b = node.shape(node.input(3));
  const auto last = static_cast<std::int64_t>(b.size()) - 1;
  if (last > 1 &&
      tensor::element_count(b) != b[b.size() - 2] * b.back()) {  // another matrix for each of a batch
    const ValueId y = dequantised(node, {3, 4, 5}, "/b");
    const Shape shape = graph::product_shape(node.shape(x), b);
    return emit_quantised(node, Op::matmul, {}, {x, y}, shape, {-1, 6, 7});
  }
  auto [linear, y] = linear_of(node, x, read_weights(node, {3, 4, 5}, last));
  emit_quantised(node, Op::linear, std::move(linear), {x}, y, {-1, 6, 7});
}

}  // namespace bitline::onnx
