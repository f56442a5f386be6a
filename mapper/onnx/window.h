// SPDX-License-Identifier: Apache-2.0
// The attributes that convolutions and pools share.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "mapper/graph/shapes.h"
#include "mapper/onnx/node_context.h"

namespace bitline::onnx {

/// Two positive numbers.
[[nodiscard]] inline std::vector<std::int64_t> positive_pair(NodeContext& node, const std::string& name,
                                                             std::vector<std::int64_t> fallback) {
  std::vector<std::int64_t> pair = node.integers(name, std::move(fallback));
  for (const std::int64_t value : pair) {
    if (value < 1 || value > INT32_MAX) node.fail(name + " " + std::to_string(value), "1 to 2^31-1");
  }
  if (pair.size() != 2)
    node.fail(name + " with " + std::to_string(pair.size()) + " numbers", "two (height, width)");
  return pair;
}

/// Fills strides, dilations and pads of `window` (conv or pool attributes whose kernel is set) for an input
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
  window.pads = node.integers("pads", {0, 0, 0, 0});
  const std::string mode = node.text("auto_pad", "NOTSET");
  if (mode == "NOTSET" || mode.empty()) return;
  if (mode != "VALID" && mode != "SAME_UPPER" && mode != "SAME_LOWER") {
    node.fail("auto_pad '" + mode + "'", "NOTSET, VALID, SAME_UPPER, SAME_LOWER");
  }
  const std::vector<std::int64_t> none = {0, 0, 0, 0};
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
