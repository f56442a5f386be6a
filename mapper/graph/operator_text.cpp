// SPDX-License-Identifier: Apache-2.0
#include "mapper/graph/operator_text.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <vector>

namespace bitline::graph {
namespace {

constexpr Pair kOnes = {1, 1};

/// Without what says the same in both directions twice.
std::string per_direction(const Pair& pair) {
  return pair[0] == pair[1] ? std::to_string(pair[0]) : tensor::to_string(pair);
}

template <class Window>
std::string window_text(const Window& window) {
  std::string text = " ";
  text += tensor::to_string(window.kernel);
  if (window.strides != kOnes) text.append(" /").append(per_direction(window.strides));
  if (window.dilations != kOnes) text.append(" dil").append(per_direction(window.dilations));
  return text;
}

/// Operators that stand for many of the file's go by the name that the file has for them.
std::string operator_name(const Node& node) {
  const bool many = node.op == Op::elementwise || node.op == Op::rearrange || node.op == Op::reduce ||
                    node.op == Op::resample || node.op == Op::normalise;
  if (!many || node.onnx_type.empty()) return to_string(node.op);
  std::string name = node.onnx_type;
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
  return name;
}

}  // namespace

std::string operator_text(const Node& node) {
  std::string text = operator_name(node);
  if (const auto* conv = std::get_if<ConvAttributes>(&node.attributes)) {
    text += window_text(*conv);
    if (conv->group > 1) text.append(" g").append(std::to_string(conv->group));
    if (conv->spread_groups > 1)
      text.append(" g").append(std::to_string(conv->spread_groups)).append(" dense");
  } else if (const auto* pool = std::get_if<PoolAttributes>(&node.attributes)) {
    text += window_text(*pool);
  }
  return text;
}

}  // namespace bitline::graph
