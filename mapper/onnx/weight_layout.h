// SPDX-License-Identifier: Apache-2.0
// Where a layer's weights of the network, [output][row], lie in the tensor of its file. Private to the
// folder.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "mapper/graph/graph.h"

namespace bitline::onnx {

struct WeightLayout {
  graph::Shape shape;                ///< in the file, images always with height and width
  std::vector<std::int64_t> source;  ///< of each element of the file: its index in the network's weight
  std::int64_t output_axis = 0;      ///< the file's dimension of the outputs (of one group: ConvTranspose)
};

/// `operation`: Conv, Gemm (its right operand transposed), MatMul or ConvTranspose; `shape`: of the weight in
/// the network; `group`: of a ConvTranspose.
[[nodiscard]] WeightLayout weight_layout(std::string_view operation, const graph::Shape& shape,
                                         std::int64_t group);

}  // namespace bitline::onnx
