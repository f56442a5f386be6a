// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bitline::onnx {

class NodeContext;

/// Translates one node. Faults: NodeContext::fail or std::invalid_argument.
using Handler = void (*)(NodeContext&);

/// The handler of an operator of the default domain; null if there is none.
[[nodiscard]] Handler find_operator(std::string_view type);
/// The handler of an operator of the domain com.microsoft that ONNX Runtime's quantiser writes; null if none.
[[nodiscard]] Handler find_contributed_operator(std::string_view type);
/// All operators that can be imported, in alphabetical order.
[[nodiscard]] std::vector<std::string> operator_names();

// operators_dense.cpp
void import_conv(NodeContext& node);
void import_gemm(NodeContext& node);
void import_matmul(NodeContext& node);
// operators_elementwise.cpp
void import_add(NodeContext& node);
void import_batch_normalization(NodeContext& node);
void import_clip(NodeContext& node);
void import_relu(NodeContext& node);
void import_sigmoid(NodeContext& node);
void import_softmax(NodeContext& node);
// operators_pool.cpp
void import_average_pool(NodeContext& node);
void import_global_average_pool(NodeContext& node);
void import_max_pool(NodeContext& node);
// operators_shape.cpp
void import_concat(NodeContext& node);
void import_constant(NodeContext& node);
void import_dropout(NodeContext& node);
void import_flatten(NodeContext& node);
void import_identity(NodeContext& node);
void import_reshape(NodeContext& node);
// operators_quantised.cpp
void import_conv_integer(NodeContext& node);
void import_dequantize_linear(NodeContext& node);
void import_dynamic_quantize_linear(NodeContext& node);
void import_matmul_integer(NodeContext& node);
void import_qlinear_conv(NodeContext& node);
void import_qlinear_matmul(NodeContext& node);
void import_quantize_linear(NodeContext& node);

}  // namespace bitline::onnx
