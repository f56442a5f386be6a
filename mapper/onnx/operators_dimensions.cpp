// SPDX-License-Identifier: Apache-2.0
// Dimensions cut, joined, added and removed.
#include <algorithm>
#include <utility>

#include "mapper/graph/shapes.h"
#include "mapper/onnx/operators.h"
#include "mapper/onnx/operators_movement.h"

namespace bitline::onnx {

using graph::Op;
using graph::Shape;
using graph::ValueId;

namespace {

/// Image [N,C,H,W] to six dimensions, moved, and joined again.
void move_blocks(NodeContext& node, const Shape& split, const std::vector<std::size_t>& order,
                 const Shape& y) {
  View view(split);
  view.permute(order);
  emit_view(node, node.input(0), std::move(view), y);
}

std::int64_t block_size(NodeContext& node, const Shape& shape) {
  const std::int64_t block = node.integer("blocksize", 0);
  if (block < 1 || block > INT16_MAX) node.fail("blocksize " + std::to_string(block), "1 or more");
  if (shape.size() != 4) node.fail("input of shape " + tensor::to_string(shape), "4 dimensions");
  return block;
}

}  // namespace

void import_depth_to_space(NodeContext& node) {
  const Shape s = node.shape(node.input(0));
  const std::int64_t b = block_size(node, s);
  if (s[1] % (b * b) != 0) node.fail(std::to_string(s[1]) + " channels", "a multiple of blocksize^2");
  const std::int64_t channels = s[1] / (b * b);
  const Shape y = {s[0], channels, s[2] * b, s[3] * b};
  const std::string mode = node.text("mode", "DCR");
  if (mode != "DCR" && mode != "CRD") node.fail("mode '" + mode + "'", "DCR, CRD");
  if (mode == "DCR") {
    move_blocks(node, {s[0], b, b, channels, s[2], s[3]}, {0, 3, 4, 1, 5, 2}, y);
  } else {
    move_blocks(node, {s[0], channels, b, b, s[2], s[3]}, {0, 1, 4, 2, 5, 3}, y);
  }
}

void import_space_to_depth(NodeContext& node) {
  const Shape s = node.shape(node.input(0));
  const std::int64_t b = block_size(node, s);
  if (s[2] % b != 0 || s[3] % b != 0)
    node.fail("input of shape " + tensor::to_string(s), "multiples of blocksize");
  move_blocks(node, {s[0], s[1], s[2] / b, b, s[3] / b, b}, {0, 3, 5, 1, 2, 4},
              {s[0], s[1] * b * b, s[2] / b, s[3] / b});
}

namespace {

std::vector<std::size_t> sorted_axes(NodeContext& node, std::int64_t rank) {
  std::vector<std::size_t> axes = axis_list(node, node.list_until(12, "axes", 1), rank);
  std::sort(axes.begin(), axes.end());
  return axes;
}

}  // namespace

void import_squeeze(NodeContext& node) {
  const ValueId x = node.input(0);
  const Shape shape = node.shape(x);
  const std::vector<std::size_t> axes = sorted_axes(node, static_cast<std::int64_t>(node.shape(x).size()));
  Shape y;
  for (std::size_t d = 0; d < shape.size(); ++d) {
    const bool named = std::binary_search(axes.begin(), axes.end(), d);
    if (named && shape[d] != 1)
      node.fail("dimension " + std::to_string(d) + " of " + std::to_string(shape[d]), "1");
    if (named || (axes.empty() && shape[d] == 1)) continue;
    y.push_back(shape[d]);
  }
  node.emit(Op::reshape, {}, {x}, y);
}

void import_unsqueeze(NodeContext& node) {
  const ValueId x = node.input(0);
  Shape y = node.shape(x);
  const auto added = static_cast<std::int64_t>(node.list_until(12, "axes", 1).size());
  if (added > 64) node.fail(std::to_string(added) + " axes", "64");
  for (const std::size_t d : sorted_axes(node, static_cast<std::int64_t>(node.shape(x).size()) + added))
    y.insert(y.begin() + static_cast<std::ptrdiff_t>(d), 1);
  node.emit(Op::reshape, {}, {x}, y);
}

}  // namespace bitline::onnx
