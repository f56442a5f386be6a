// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "mapper/graph/graph.h"
#include "mapper/onnx/external_data.h"
#include "mapper/onnx/import.h"
#include "mapper/onnx/model_reader.h"

namespace onnx {
class ModelProto;
}  // namespace onnx

namespace bitline::onnx {

/// Where the bytes of a model's tensors lie.
struct TensorBytes {
  const RawInitializers& raw;
  ExternalData& external;
};

/// The network of a model as read_model gives it; frees the model's weights on the way. `file` stands before
/// every problem. Throws base::NetworkError as import_onnx does.
[[nodiscard]] graph::Graph import_model(::onnx::ModelProto& model, TensorBytes bytes, const std::string& file,
                                        const ImportOptions& options);

}  // namespace bitline::onnx
