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

/// Three positive numbers: depth, height, width.
std::vector<std::int64_t> positive_triple(NodeContext& node, const std::string& name) {
  std::vector<std::int64_t> triple = node.integers(name, {1, 1, 1});
  const bool positive =
      std::all_of(triple.begin(), triple.end(), [](std::int64_t v) { return v >= 1 && v <= INT32_MAX; });
  if (triple.size() != 3 || !positive)
    node.fail(name + " " + tensor::to_string(triple), "three numbers from 1 to 2^31-1");
  return triple;
}

/// Pads of a volume: those at the front of depth, height and width, then those at the back.
std::vector<std::int64_t> volume_pads(NodeContext& node, const graph::Shape& x,
                                      const std::vector<std::int64_t>& kernel,
                                      const std::vector<std::int64_t>& strides,
                                      const std::vector<std::int64_t>& dilations) {
  const std::string mode = node.text("auto_pad", "NOTSET");
  std::vector<std::int64_t> pads = node.integers("pads", {0, 0, 0, 0, 0, 0});
  if (pads.size() != 6) node.fail(std::to_string(pads.size()) + " pads", "6");
  if (mode != "SAME_UPPER" && mode != "SAME_LOWER") {
    if (mode != "NOTSET" && mode != "VALID" && !mode.empty())
      node.fail("auto_pad '" + mode + "'", "NOTSET, VALID, SAME_UPPER, SAME_LOWER");
    return pads;
  }
  for (std::size_t d = 0; d < 3; ++d) {
    const auto same =
        graph::same_padding({x[2 + d], kernel[d], strides[d], 0, 0, dilations[d]}, mode == "SAME_UPPER");
    pads[d] = same[0];
    pads[3 + d] = same[1];
  }
  return pads;
}

/// The largest, or the mean, of a box is that of its slices' largest or means: first over height and width
/// of every slice, then over the depth.
void import_volume_pool(NodeContext& node, graph::Op op, bool count_include_pad) {
  const graph::ValueId x = node.input(0);
  const graph::Shape shape = node.shape(x);
  const auto kernel = positive_triple(node, "kernel_shape");
  const auto strides = positive_triple(node, "strides");
  const auto dilations = positive_triple(node, "dilations");
  const auto pads = volume_pads(node, shape, kernel, strides, dilations);
  const bool ceil_mode = flag(node, "ceil_mode");

  graph::PoolAttributes flat{
      {kernel[1], kernel[2]},       {strides[1], strides[2]}, {pads[1], pads[2], pads[4], pads[5]},
      {dilations[1], dilations[2]}, count_include_pad,        ceil_mode};
  const graph::ValueId slices =
      reshaped(node, "/slices", x, {shape[0], shape[1] * shape[2], shape[3], shape[4]});
  const graph::Shape plane = graph::pool_shape(node.shape(slices), flat);
  const graph::ValueId pooled = node.intermediate("/planes", op, flat, {slices}, plane);

  graph::PoolAttributes deep{{kernel[0], 1},    {strides[0], 1},   {pads[0], 0, pads[3], 0},
                             {dilations[0], 1}, count_include_pad, ceil_mode};
  const graph::ValueId stack =
      reshaped(node, "/stack", pooled, {shape[0], shape[1], shape[2], plane[2] * plane[3]});
  const graph::Shape depth = graph::pool_shape(node.shape(stack), deep);
  const graph::ValueId result = node.intermediate("/depth", op, deep, {stack}, depth);
  node.emit(graph::Op::reshape, {}, {result}, {shape[0], shape[1], depth[2], plane[2], plane[3]});
}

void import_pool(NodeContext& node, graph::Op op, bool count_include_pad) {
  if (node.shape(node.input(0)).size() == 5) return import_volume_pool(node, op, count_include_pad);
  const graph::ValueId x = image_input(node, node.input(0));
  graph::PoolAttributes pool;
  if (!node.has("kernel_shape")) node.fail("attribute kernel_shape is missing");
  pool.kernel = positive_pair(node, "kernel_shape");
  read_window(node, node.shape(x), pool);
  pool.ceil_mode = flag(node, "ceil_mode");
  pool.count_include_pad = count_include_pad;
  const graph::Shape y = graph::pool_shape(node.shape(x), pool);
  emit_image(node, op, pool, x, y);
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
