// SPDX-License-Identifier: Apache-2.0
// The attributes that convolutions and pools share.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "mapper/graph/shapes.h"
#include "mapper/onnx/node_context.h"

namespace bitline::onnx {

/// The image [N,C,H,W] that an input is: signals [N,C,L] have height 1.
[[nodiscard]] inline graph::Shape image_shape(NodeContext& node, const graph::Shape& x) {
  if (x.size() == 3) return {x[0], x[1], 1, x[2]};
  if (x.size() != 4) {
    node.fail("input of shape " + tensor::to_string(x),
              "an image (batch, channels, height, width) or a signal (batch, channels, length)");
  }
  return x;
}

/// The input as an image.
[[nodiscard]] inline graph::ValueId image_input(NodeContext& node, graph::ValueId x) {
  const graph::Shape shape = image_shape(node, node.shape(x));
  return shape == node.shape(x) ? x : node.intermediate("/image", graph::Op::reshape, {}, {x}, shape);
}

/// The result, of the rank that input 0 has.
inline void emit_image(NodeContext& node, graph::Op op, graph::Attributes attributes, graph::ValueId x,
                       const graph::Shape& y) {
  if (node.shape(node.input(0)).size() == 4) {
    node.emit(op, std::move(attributes), {x}, y);
    return;
  }
  const graph::ValueId image = node.intermediate("/signal", op, std::move(attributes), {x}, y);
  node.emit(graph::Op::reshape, {}, {image}, {y[0], y[1], y[3]});
}

/// Two positive numbers; of a signal the file has the second.
[[nodiscard]] inline graph::Pair positive_pair(NodeContext& node, const std::string& name) {
  const bool signal = node.shape(node.input(0)).size() == 3;
  const std::vector<std::int64_t> pair = node.integers(name, {});
  for (const std::int64_t value : pair) {
    if (value < 1 || value > INT32_MAX) node.fail(name + " " + std::to_string(value), "1 to 2^31-1");
  }
  if (pair.size() != (signal ? 1 : 2)) {
    node.fail(name + " with " + std::to_string(pair.size()) + " numbers",
              signal ? "one (length)" : "two (height, width)");
  }
  return signal ? graph::Pair{1, pair[0]} : graph::Pair{pair[0], pair[1]};
}
[[nodiscard]] inline graph::Pair positive_pair(NodeContext& node, const std::string& name,
                                               const graph::Pair& fallback) {
  return node.has(name) ? positive_pair(node, name) : fallback;
}

/// The pads of the file as [top, left, bottom, right].
[[nodiscard]] inline graph::Pads image_pads(NodeContext& node) {
  const std::vector<std::int64_t> pads = node.integers("pads", {});
  if (pads.empty()) return {0, 0, 0, 0};
  if (node.shape(node.input(0)).size() == 3 && pads.size() == 2) return {0, pads[0], 0, pads[1]};
  if (pads.size() != 4) node.fail(std::to_string(pads.size()) + " pads", "two for each dimension");
  return {pads[0], pads[1], pads[2], pads[3]};
}

/// Fills strides, dilations and pads of `window` (conv or pool attributes whose kernel is set) for an image
/// of shape `x`, resolving auto_pad.
template <class A>
void read_window(NodeContext& node, const graph::Shape& x, A& window) {
  if (x.size() != 4) {
    node.fail("input of shape " + tensor::to_string(x),
              "an image: 4 dimensions (batch, channels, height, width)");
  }
  window.strides = positive_pair(node, "strides", {1, 1});
  window.dilations = positive_pair(node, "dilations", {1, 1});
  const bool pads_given = node.has("pads");
  window.pads = image_pads(node);
  const std::string mode = node.text("auto_pad", "NOTSET");
  if (mode == "NOTSET" || mode.empty()) return;
  if (mode != "VALID" && mode != "SAME_UPPER" && mode != "SAME_LOWER") {
    node.fail("auto_pad '" + mode + "'", "NOTSET, VALID, SAME_UPPER, SAME_LOWER");
  }
  const graph::Pads none{};
  if (pads_given && window.pads != none) node.fail("both auto_pad '" + mode + "' and pads", "one of them");
  window.pads = none;
  if (mode == "VALID") return;
  for (std::size_t d = 0; d < 2; ++d) {
    const graph::Axis axis{x[2 + d], window.kernel[d], window.strides[d], 0, 0, window.dilations[d]};
    const std::array<std::int64_t, 2> pads = graph::same_padding(axis, mode == "SAME_UPPER");
    window.pads[d] = pads[0];
    window.pads[2 + d] = pads[1];
  }
}

}  // namespace bitline::onnx
