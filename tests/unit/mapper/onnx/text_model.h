// SPDX-License-Identifier: Apache-2.0
// Small models written in protobuf's text format.
#pragma once

#include <google/protobuf/text_format.h>
#include <onnx/onnx_pb.h>

#include <string>

#include "mapper/onnx/import.h"
#include "models/base/errors.h"

namespace bitline::onnx {

/// A float initializer with all values `value`.
inline std::string filled(const std::string& name, const std::vector<int>& shape, float value) {
  std::string text = "initializer { name: '" + name + "' data_type: 1 ";
  int count = 1;
  for (const int dimension : shape) {
    text += std::string("dims: ") + std::to_string(dimension) + " ";
    count *= dimension;
  }
  for (int i = 0; i < count; ++i) text += std::string("float_data: ") + std::to_string(value) + " ";
  return text + "} ";
}

inline std::string integers(const std::string& name, const std::vector<int>& values) {
  std::string text =
      "initializer { name: '" + name + "' data_type: 7 dims: " + std::to_string(values.size()) + " ";
  for (const int value : values) text += std::string("int64_data: ") + std::to_string(value) + " ";
  return text + "} ";
}

/// A float tensor as graph input; 0 stands for a symbolic dimension.
inline std::string input(const std::string& name, const std::vector<std::int64_t>& shape) {
  std::string dims;
  for (const std::int64_t d : shape)
    dims += d == 0 ? "dim { dim_param: 'n' } " : std::string("dim { dim_value: ") + std::to_string(d) + " } ";
  return "input { name: '" + name + "' type { tensor_type { elem_type: 1 shape { " + dims + "} } } } ";
}

inline std::string output(const std::string& name) {
  return "output { name: '" + name + "' } ";
}

/// Serialises a model whose graph is given in text format.
inline std::string model(const std::string& graph, int opset = 13) {
  ::onnx::ModelProto proto;
  const std::string text = "ir_version: 7 opset_import { version: " + std::to_string(opset) +
                           " } graph { name: 'g' " + graph + "}";
  if (!google::protobuf::TextFormat::ParseFromString(text, &proto))
    throw std::logic_error("bad text model: " + text);
  return proto.SerializeAsString();
}

inline graph::Graph import_text(const std::string& graph, int opset = 13, const ImportOptions& options = {}) {
  return import_onnx_bytes(model(graph, opset), "test.onnx", options);
}

/// The lines of the NetworkError that importing gives; empty if it succeeds.
inline std::string error_of(const std::string& bytes, const ImportOptions& options = {}) {
  try {
    static_cast<void>(import_onnx_bytes(bytes, "test.onnx", options));
    return "";
  } catch (const base::NetworkError& error) {
    return error.what();
  }
}

}  // namespace bitline::onnx
