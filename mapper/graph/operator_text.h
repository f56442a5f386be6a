// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "mapper/graph/graph.h"

namespace bitline::graph {

/// A node's operator as people write it: "conv 3x3 /2 g32", "max_pool 2x2 /2", "relu". Operators that stand
/// for many of the file's go by the name that the file has for them, in lower case.
[[nodiscard]] std::string operator_text(const Node& node);

}  // namespace bitline::graph
