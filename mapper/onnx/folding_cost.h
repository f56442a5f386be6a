// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "mapper/graph/graph.h"

namespace bitline::onnx {

/// Inner steps of evaluating a node once: multiply-accumulates, elements of windows and elements moved, read
/// and written. An estimate that is never less than a quarter of them, for limits (a double: products of
/// dimensions that a file claims do not overflow it).
[[nodiscard]] double folding_operations(const graph::Node& node,
                                        const std::vector<const graph::Tensor*>& inputs,
                                        const graph::Shape& output);

}  // namespace bitline::onnx
