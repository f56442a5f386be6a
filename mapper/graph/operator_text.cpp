// SPDX-License-Identifier: Apache-2.0
#include "mapper/graph/operator_text.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <vector>

namespace bitline::graph {
namespace {

std::string join(const std::vector<std::int64_t>& numbers) {
  std::string text;
  for (const std::int64_t number : numbers) {
    if (!text.empty()) text += 'x';
    text += std::to_string(number);
  }
  return text;
}

bool all_one(const std::vector<std::int64_t>& numbers) {
  return std::all_of(numbers.begin(), numbers.end(), [](std::int64_t number) { return number == 1; });
}

/// Without what says the same in both directions twice.
std::string per_direction(const std::vector<std::int64_t>& pair) {
  const bool equal = pair.size() == 2 && pair[0] == pair[1];
  return equal ? std::to_string(pair[0]) : join(pair);
}

template <class Window>
std::string window_text(const Window& window) {
  std::string text = " ";
  text += join(window.kernel);
  if (!all_one(window.strides)) text.append(" /").append(per_direction(window.strides));
  if (!all_one(window.dilations)) text.append(" dil").append(per_direction(window.dilations));
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
