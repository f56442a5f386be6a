// SPDX-License-Identifier: Apache-2.0
#include "mapper/onnx/node_names.h"

#include <onnx/onnx_pb.h>

#include <unordered_set>

namespace bitline::onnx {

std::vector<std::string> node_names(const ::onnx::GraphProto& graph) {
  std::unordered_set<std::string> taken;
  for (const ::onnx::NodeProto& node : graph.node()) taken.insert(node.name());
  std::vector<std::string> names;
  for (int n = 0; n < graph.node_size(); ++n) {
    std::string name = graph.node(n).name();
    const bool given = !name.empty();
    if (!given) name = graph.node(n).op_type() + "_" + std::to_string(n);
    while (!given && !taken.insert(name).second) name += "_";
    names.push_back(std::move(name));
  }
  return names;
}

}  // namespace bitline::onnx
