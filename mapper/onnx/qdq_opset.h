// SPDX-License-Identifier: Apache-2.0
// The operator set that a QDQ model needs. Private to the folder.
#pragma once

#include <string>

namespace onnx {
class ModelProto;
}

namespace bitline::onnx {

/// Throws base::NetworkError where the version of the default domain is below 13 (a scale per channel). For
/// `wide` codes, of more than 8 bits, raises it to 21; a model with operators that have changed since its
/// version is refused. `file`: for messages.
void require_qdq_opset(::onnx::ModelProto& model, const std::string& file, bool wide);

}  // namespace bitline::onnx
