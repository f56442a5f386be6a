// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "mapper/graph/graph.h"

namespace bitline::onnx {

class NodeContext;

/// Translates one node. Faults: NodeContext::fail or std::invalid_argument.
using Handler = void (*)(NodeContext&);

/// The handler of an operator of the default domain; null if there is none.
[[nodiscard]] Handler find_operator(std::string_view type);
/// The handler of an operator of the domain com.microsoft that ONNX Runtime's quantiser writes; null if none.
[[nodiscard]] Handler find_contributed_operator(std::string_view type);
/// Operators whose first output may be absent.
[[nodiscard]] bool has_optional_first_output(std::string_view type);
/// All operators that can be imported, in alphabetical order.
[[nodiscard]] std::vector<std::string> operator_names();

/// The second operand of an Add, Mul, ... Before operator set 7, `axis` told which dimension of the first
/// operand its first dimension belongs to; it then gets the trailing ones that alignment at the end needs.
[[nodiscard]] graph::ValueId aligned_operand(NodeContext& node);

// operators_dense.cpp
void import_conv(NodeContext& node);
void import_conv_transpose(NodeContext& node);
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
// operators_functions.cpp
void import_abs(NodeContext& node);
void import_cast(NodeContext& node);
void import_div(NodeContext& node);
void import_equal(NodeContext& node);
void import_erf(NodeContext& node);
void import_exp(NodeContext& node);
void import_gelu(NodeContext& node);
void import_hard_sigmoid(NodeContext& node);
void import_hard_swish(NodeContext& node);
void import_leaky_relu(NodeContext& node);
void import_log(NodeContext& node);
void import_max(NodeContext& node);
void import_mean(NodeContext& node);
void import_min(NodeContext& node);
void import_mul(NodeContext& node);
void import_neg(NodeContext& node);
void import_pow(NodeContext& node);
void import_prelu(NodeContext& node);
void import_sqrt(NodeContext& node);
void import_sub(NodeContext& node);
void import_sum(NodeContext& node);
void import_tanh(NodeContext& node);
void import_where(NodeContext& node);
// operators_dimensions.cpp
void import_depth_to_space(NodeContext& node);
void import_space_to_depth(NodeContext& node);
void import_squeeze(NodeContext& node);
void import_unsqueeze(NodeContext& node);
// operators_movement.cpp
void import_expand(NodeContext& node);
void import_gather(NodeContext& node);
void import_pad(NodeContext& node);
void import_slice(NodeContext& node);
void import_split(NodeContext& node);
void import_tile(NodeContext& node);
void import_transpose(NodeContext& node);
// operators_reduce.cpp
void import_global_max_pool(NodeContext& node);
void import_instance_normalization(NodeContext& node);
void import_layer_normalization(NodeContext& node);
void import_log_softmax(NodeContext& node);
void import_reduce_max(NodeContext& node);
void import_reduce_mean(NodeContext& node);
void import_reduce_min(NodeContext& node);
void import_reduce_sum(NodeContext& node);
// operators_recurrent.cpp
void import_gru(NodeContext& node);
void import_lstm(NodeContext& node);
void import_rnn(NodeContext& node);
// operators_resize.cpp
void import_resize(NodeContext& node);
// operators_shape_values.cpp
void import_constant_of_shape(NodeContext& node);
void import_range(NodeContext& node);
void import_shape(NodeContext& node);

}  // namespace bitline::onnx
