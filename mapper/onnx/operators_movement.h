// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "mapper/onnx/node_context.h"

namespace bitline::onnx {

/// A tensor seen through offsets per dimension, for operators that only move elements.
class View {
 public:
  /// The elements of a row-major tensor of that shape.
  explicit View(const graph::Shape& shape);

  using Offsets = std::vector<std::int64_t>;
  [[nodiscard]] Offsets& operator[](std::size_t d) { return offsets_[d]; }
  [[nodiscard]] std::size_t rank() const { return offsets_.size(); }
  [[nodiscard]] std::int64_t step(std::size_t d) const { return steps_[d]; }
  /// Dimension d takes the elements at `indices`; -1: the fill value.
  void take(std::size_t d, const std::vector<std::int64_t>& indices);
  void permute(const std::vector<std::size_t>& order);
  [[nodiscard]] graph::Shape shape() const;
  [[nodiscard]] graph::RearrangeAttributes attributes(float fill = 0.0F) && {
    return {std::move(offsets_), fill};
  }

 private:
  std::vector<Offsets> offsets_;
  std::vector<std::int64_t> steps_;
};

/// `value` with dimension `d` taking the elements at `indices`, as a value of its own.
[[nodiscard]] graph::ValueId taken(NodeContext& node, const std::string& suffix, graph::ValueId value,
                                   std::size_t d, const std::vector<std::int64_t>& indices);
/// The elements of `value` with dimensions in that order.
[[nodiscard]] graph::ValueId permuted(NodeContext& node, const std::string& suffix, graph::ValueId value,
                                      const std::vector<std::size_t>& order);
[[nodiscard]] graph::ValueId reshaped(NodeContext& node, const std::string& suffix, graph::ValueId value,
                                      const graph::Shape& shape);
/// `axes` counted from the front, each once.
[[nodiscard]] std::vector<std::size_t> axis_list(NodeContext& node, const std::vector<std::int64_t>& axes,
                                                 std::int64_t rank);
/// The node's result: elements of x as the view has them, in a tensor of that shape.
void emit_view(NodeContext& node, graph::ValueId x, View view, const graph::Shape& shape, float fill = 0.0F);
/// first, first + step, ...
[[nodiscard]] std::vector<std::int64_t> counted(std::int64_t count, std::int64_t first = 0,
                                                std::int64_t step = 1);

}  // namespace bitline::onnx
