// SPDX-License-Identifier: Apache-2.0
// What the handlers of quantised operators share: grids, weights on them, and the steps between codes and
// real numbers.
#pragma once

#include <memory>
#include <utility>

#include "mapper/onnx/node_context.h"

namespace bitline::onnx {

/// Where a quantised operator has a tensor, its scale and its zero point; -1: it has none.
struct GridInputs {
  int tensor = 0, scale = 1, zero_point = 2;
};

/// The grid of constant scale and zero point inputs, each of one element or one per index of `axis` of
/// `shape`. Its range is that of the zero point's element type, else `fallback`'s.
[[nodiscard]] graph::Grid read_grid(NodeContext& node, const GridInputs& at, const graph::Shape& shape,
                                    std::int64_t axis, const graph::Grid& fallback);

/// The range of the codes that a value holds as far as the network tells, else that of 8 bits of any sign.
[[nodiscard]] graph::Grid code_range_of(const NodeContext& node, int input);

/// Clip of constant codes: the codes with that range, as the node's result. False: the input is anything
/// else.
[[nodiscard]] bool clip_codes(NodeContext& node, const graph::ClipAttributes& clip);

/// The real numbers of the codes at an input; the grid has one scale.
[[nodiscard]] graph::ValueId dequantised(NodeContext& node, const GridInputs& at, const std::string& suffix);

/// Constant weights on a grid along `axis`: real values, and the grid.
struct GridWeights {
  std::shared_ptr<const tensor::Tensor> real;
  std::shared_ptr<const graph::Grid> grid;
};
[[nodiscard]] GridWeights read_weights(NodeContext& node, const GridInputs& at, std::int64_t axis);

/// int32 biases times input scale and weight scale, in double, rounded once.
[[nodiscard]] std::shared_ptr<const tensor::Tensor> read_bias(NodeContext& node, int input,
                                                              double input_scale, const graph::Grid& weights,
                                                              std::int64_t outputs);

/// The matrix product of `x` with weights [.., I, O] as a linear node's attributes and shape.
[[nodiscard]] std::pair<graph::LinearAttributes, graph::Shape> linear_of(NodeContext& node, graph::ValueId x,
                                                                         GridWeights weights);

/// Emits `op` on real numbers and after it the quantisation that makes the operator's output.
void emit_quantised(NodeContext& node, graph::Op op, graph::Attributes attributes,
                    const graph::ValueIds& from, const graph::Shape& shape, const GridInputs& output);

}  // namespace bitline::onnx
