// SPDX-License-Identifier: Apache-2.0
#include "mapper/onnx/qdq_opset.h"

#include <onnx/onnx_pb.h>

#include <algorithm>
#include <array>

#include "models/base/errors.h"

namespace bitline::onnx {
namespace {

constexpr std::int64_t kFirstOpset = 13;  // scales per channel, and Clip of integers
constexpr std::int64_t kWideOpset = 21;   // 16-bit codes
constexpr std::int64_t kWideIrVersion = 10;

/// Operators that mean in operator set 21 what they mean in 13.
constexpr std::array kUnchanged{"Add",
                                "AveragePool",
                                "BatchNormalization",
                                "Clip",
                                "Concat",
                                "Constant",
                                "Conv",
                                "ConvTranspose",
                                "Div",
                                "Dropout",
                                "Flatten",
                                "Gemm",
                                "GlobalAveragePool",
                                "GlobalMaxPool",
                                "Identity",
                                "LeakyRelu",
                                "MatMul",
                                "MaxPool",
                                "Mul",
                                "Relu",
                                "Reshape",
                                "Sigmoid",
                                "Softmax",
                                "Sub",
                                "Tanh",
                                "Transpose"};

}  // namespace

void require_qdq_opset(::onnx::ModelProto& model, const std::string& file, bool wide) {
  ::onnx::OperatorSetIdProto* opset = nullptr;
  for (auto& import : *model.mutable_opset_import())
    if (import.domain().empty() || import.domain() == "ai.onnx") opset = &import;
  if (opset == nullptr || opset->version() < kFirstOpset) {
    throw base::NetworkError({file, "operator set " + std::to_string(opset == nullptr ? 1 : opset->version()),
                              "13 or newer: QuantizeLinear with a scale per channel",
                              "convert it with onnx.version_converter, or export it anew"});
  }
  if (!wide || opset->version() >= kWideOpset) return;
  for (const ::onnx::NodeProto& node : model.graph().node()) {
    if (std::find(kUnchanged.begin(), kUnchanged.end(), node.op_type()) != kUnchanged.end()) continue;
    throw base::NetworkError(
        {file, "operator set " + std::to_string(opset->version()) + " with a " + node.op_type(),
         "21 or newer for codes of more than 8 bits",
         "export it with operator set 21, or use at most 8 bits"});
  }
  opset->set_version(kWideOpset);
  model.set_ir_version(std::max<std::int64_t>(model.ir_version(), kWideIrVersion));
}

}  // namespace bitline::onnx
