// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "mapper/onnx/operators.h"
#include "mapper/onnx/operators_movement.h"
#include "mapper/onnx/window.h"

namespace bitline::onnx {

namespace {

bool flag(NodeContext& node, const char* name) {
  const std::int64_t value = node.integer(name, 0);
  if (value != 0 && value != 1) node.fail(std::string(name) + " " + std::to_string(value), "0 or 1");
  return value == 1;
}

void import_pool(NodeContext& node, graph::Op op, bool count_include_pad) {
  const graph::ValueId x = image_input(node, node.input(0));
  graph::PoolAttributes pool;
  if (!node.has("kernel_shape")) node.fail("attribute kernel_shape is missing");
  pool.kernel = positive_pair(node, "kernel_shape", {});
  read_window(node, node.shape(x), pool);
  pool.ceil_mode = flag(node, "ceil_mode");
  pool.count_include_pad = count_include_pad;
  const graph::Shape y = graph::pool_shape(node.shape(x), pool);
  emit_image(node, op, std::move(pool), x, y);
}

}  // namespace

void import_max_pool(NodeContext& node) {
  node.ignore({"storage_order"});  // of the indices, which are an output of their own
  import_pool(node, graph::Op::max_pool, false);
}

void import_average_pool(NodeContext& node) {
  import_pool(node, graph::Op::average_pool, flag(node, "count_include_pad"));
}

void import_global_average_pool(NodeContext& node) {
  const graph::ValueId x = node.input(0);
  const graph::Shape& shape = node.shape(x);
  if (shape.size() < 3) node.fail("input of shape " + tensor::to_string(shape), "3 dimensions or more");
  if (shape.size() == 4)
    return node.emit(graph::Op::global_average_pool, {}, {x}, {shape[0], shape[1], 1, 1});
  graph::Shape y(shape.size(), 1);
  std::copy_n(shape.begin(), 2, y.begin());
  const auto axes = counted(static_cast<std::int64_t>(shape.size()) - 2, 2);
  node.emit(graph::Op::reduce, graph::ReduceAttributes{graph::Reduction::mean, axes}, {x}, y);
}

}  // namespace bitline::onnx
