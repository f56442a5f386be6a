// SPDX-License-Identifier: Apache-2.0
// Operators of the domain com.microsoft that ONNX Runtime's quantiser writes in its QOperator format: each is
// an operator on real numbers between dequantisation and quantisation.
#include <algorithm>
#include <iterator>
#include <string_view>

#include "mapper/graph/shapes.h"
#include "mapper/onnx/operators.h"
#include "mapper/onnx/quantised_inputs.h"
#include "mapper/onnx/window.h"
#include "mapper/tensor/operations.h"

namespace bitline::onnx {

namespace {

using graph::Op;
using graph::Shape;
using graph::ValueId;
using tensor::Tensor;

void require_channels_first(NodeContext& node) {
  if (node.integer("channels_last", 0) != 0) node.fail("channels_last = 1", "channels_last = 0");
}

void import_qgemm(NodeContext& node) {
  const ValueId a = dequantised(node, {0, 1, 2}, "/a");
  if (node.integer("transA", 0) != 0) node.fail("transA = 1", "transA = 0");
  const bool outputs_first = node.integer("transB", 0) != 0;
  GridWeights weights = read_weights(node, {3, 4, 5}, outputs_first ? 0 : 1);
  if (weights.real->shape.size() != 2)
    node.fail("B of shape " + tensor::to_string(weights.real->shape), "2 dimensions");
  if (node.real("alpha", 1.0F) != 1.0F)
    node.fail("alpha " + std::to_string(node.real("alpha", 1.0F)), "alpha = 1");
  if (outputs_first) weights.real = std::make_shared<const Tensor>(tensor::transpose(*weights.real));
  auto [linear, y] = linear_of(node, a, std::move(weights));
  const double scale = static_cast<double>(tensor::to_float(*node.constant(1)).as<float>().at(0));
  linear.bias = read_bias(node, 6, scale, *linear.grid, linear.weight->shape[0]);
  if (node.has_input(7)) {
    emit_quantised(node, Op::linear, std::move(linear), {a}, y, {-1, 7, 8});
  } else {
    node.emit(Op::linear, std::move(linear), {a}, y);
  }
}

void import_qlinear_add(NodeContext& node) {
  const ValueId a = dequantised(node, {0, 1, 2}, "/a");
  const ValueId b = dequantised(node, {3, 4, 5}, "/b");
  const Shape y = tensor::broadcast_shape(node.shape(a), node.shape(b));
  emit_quantised(node, Op::add, {}, {a, b}, y, {-1, 6, 7});
}

void import_qlinear_concat(NodeContext& node) {
  graph::ValueIds parts;
  std::vector<Shape> shapes;
  for (int i = 2; i + 2 < node.inputs(); i += 3) {
    parts.push_back(
        dequantised(node, {i, i + 1, i + 2}, std::string("/input").append(std::to_string(i / 3))));
    shapes.push_back(node.shape(parts.back()));
  }
  if (parts.empty()) node.fail("no inputs", "at least one");
  const auto rank = static_cast<std::int64_t>(shapes.front().size());
  const std::int64_t axis = graph::normalise_axis(node.integer("axis", 0), rank, rank - 1);
  emit_quantised(node, Op::concat, graph::AxisAttributes{axis}, parts, tensor::concat_shape(shapes, axis),
                 {-1, 0, 1});
}

void import_qlinear_average_pool(NodeContext& node) {
  require_channels_first(node);
  const ValueId x = dequantised(node, {0, 1, 2}, "/x");
  graph::PoolAttributes pool;
  pool.kernel = positive_pair(node, "kernel_shape");
  read_window(node, node.shape(x), pool);
  pool.ceil_mode = node.integer("ceil_mode", 0) != 0;
  pool.count_include_pad = node.integer("count_include_pad", 0) != 0;
  const Shape y = graph::pool_shape(node.shape(x), pool);
  emit_quantised(node, Op::average_pool, pool, {x}, y, {-1, 3, 4});
}

void import_qlinear_global_average_pool(NodeContext& node) {
  require_channels_first(node);
  const ValueId x = dequantised(node, {0, 1, 2}, "/x");
  const Shape& shape = node.shape(x);
  if (shape.size() != 4)
    node.fail("input of shape " + tensor::to_string(shape),
              "an image: 4 dimensions (batch, channels, height, width)");
  const Shape y = {shape[0], shape[1], 1, 1};
  emit_quantised(node, Op::global_average_pool, {}, {x}, y, {-1, 3, 4});
}

void import_qlinear_sigmoid(NodeContext& node) {
  const ValueId x = dequantised(node, {0, 1, 2}, "/x");
  const Shape shape = node.shape(x);
  emit_quantised(node, Op::sigmoid, {}, {x}, shape, {-1, 3, 4});
}

struct Entry {
  std::string_view type;
  Handler handler;
};

constexpr Entry kContributed[] = {
    {"DequantizeLinear", import_dequantize_linear},
    {"QGemm", import_qgemm},
    {"QLinearAdd", import_qlinear_add},
    {"QLinearAveragePool", import_qlinear_average_pool},
    {"QLinearConcat", import_qlinear_concat},
    {"QLinearGlobalAveragePool", import_qlinear_global_average_pool},
    {"QLinearSigmoid", import_qlinear_sigmoid},
    {"QuantizeLinear", import_quantize_linear},
};

}  // namespace

Handler find_contributed_operator(std::string_view type) {
  const auto* found = std::find_if(std::begin(kContributed), std::end(kContributed),
                                   [&](const Entry& e) { return e.type == type; });
  return found == std::end(kContributed) ? nullptr : found->handler;
}

}  // namespace bitline::onnx
