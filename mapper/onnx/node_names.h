// SPDX-License-Identifier: Apache-2.0
// Private to the folder: it shows protobuf's types.
#pragma once

#include <string>
#include <vector>

namespace onnx {
class GraphProto;
}

namespace bitline::onnx {

/// What the nodes of a file are called in the network: their names, "<type>_<index>" where they have none.
[[nodiscard]] std::vector<std::string> node_names(const ::onnx::GraphProto& graph);

}  // namespace bitline::onnx
