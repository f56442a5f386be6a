// SPDX-License-Identifier: Apache-2.0
#include "mapper/graph/operator_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <functional>
#include <numeric>

namespace bitline::graph {
namespace {

std::string join(const std::vector<std::int64_t>& numbers) {
  return fmt::format("{}", fmt::join(numbers, "x"));
}

/// Without what says the same in both directions twice.
std::string per_direction(const std::vector<std::int64_t>& pair) {
  const bool equal = pair.size() == 2 && pair[0] == pair[1];
  return equal ? std::to_string(pair[0]) : join(pair);
}

template <class Window>
std::string window_text(const Window& window) {
  std::string text = fmt::format(" {}", join(window.kernel));
  if (std::accumulate(window.strides.begin(), window.strides.end(), std::int64_t{1}, std::multiplies<>()) !=
      1)
    text += fmt::format(" /{}", per_direction(window.strides));
  if (std::accumulate(window.dilations.begin(), window.dilations.end(), std::int64_t{1},
                      std::multiplies<>()) != 1)
    text += fmt::format(" dil{}", per_direction(window.dilations));
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
    if (conv->group > 1) text += fmt::format(" g{}", conv->group);
    if (conv->spread_groups > 1) text += fmt::format(" g{} dense", conv->spread_groups);
  } else if (const auto* pool = std::get_if<PoolAttributes>(&node.attributes)) {
    text += window_text(*pool);
  }
  return text;
}

}  // namespace bitline::graph
