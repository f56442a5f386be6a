// SPDX-License-Identifier: Apache-2.0
// The catalogue of operators: one line each.
#include "mapper/onnx/operators.h"

#include <algorithm>
#include <iterator>

namespace bitline::onnx {

namespace {

struct Entry {
  std::string_view type;
  Handler handler;
};

constexpr Entry kOperators[] = {
    {"Abs", import_abs},
    {"Add", import_add},
    {"AveragePool", import_average_pool},
    {"BatchNormalization", import_batch_normalization},
    {"Cast", import_cast},
    {"Clip", import_clip},
    {"Concat", import_concat},
    {"Constant", import_constant},
    {"ConstantOfShape", import_constant_of_shape},
    {"Conv", import_conv},
    {"ConvInteger", import_conv_integer},
    {"ConvTranspose", import_conv_transpose},
    {"DepthToSpace", import_depth_to_space},
    {"DequantizeLinear", import_dequantize_linear},
    {"Div", import_div},
    {"Dropout", import_dropout},
    {"DynamicQuantizeLinear", import_dynamic_quantize_linear},
    {"Equal", import_equal},
    {"Erf", import_erf},
    {"Exp", import_exp},
    {"Expand", import_expand},
    {"Flatten", import_flatten},
    {"GRU", import_gru},
    {"Gather", import_gather},
    {"Gelu", import_gelu},
    {"Gemm", import_gemm},
    {"GlobalAveragePool", import_global_average_pool},
    {"GlobalMaxPool", import_global_max_pool},
    {"HardSigmoid", import_hard_sigmoid},
    {"HardSwish", import_hard_swish},
    {"Identity", import_identity},
    {"InstanceNormalization", import_instance_normalization},
    {"LSTM", import_lstm},
    {"LayerNormalization", import_layer_normalization},
    {"LeakyRelu", import_leaky_relu},
    {"Log", import_log},
    {"LogSoftmax", import_log_softmax},
    {"MatMul", import_matmul},
    {"MatMulInteger", import_matmul_integer},
    {"Max", import_max},
    {"MaxPool", import_max_pool},
    {"Mean", import_mean},
    {"Min", import_min},
    {"Mul", import_mul},
    {"Neg", import_neg},
    {"PRelu", import_prelu},
    {"Pad", import_pad},
    {"Pow", import_pow},
    {"QLinearConv", import_qlinear_conv},
    {"QLinearMatMul", import_qlinear_matmul},
    {"QuantizeLinear", import_quantize_linear},
    {"RNN", import_rnn},
    {"Range", import_range},
    {"ReduceMax", import_reduce_max},
    {"ReduceMean", import_reduce_mean},
    {"ReduceMin", import_reduce_min},
    {"ReduceSum", import_reduce_sum},
    {"Relu", import_relu},
    {"Reshape", import_reshape},
    {"Resize", import_resize},
    {"Shape", import_shape},
    {"Sigmoid", import_sigmoid},
    {"Slice", import_slice},
    {"Softmax", import_softmax},
    {"SpaceToDepth", import_space_to_depth},
    {"Split", import_split},
    {"Sqrt", import_sqrt},
    {"Squeeze", import_squeeze},
    {"Sub", import_sub},
    {"Sum", import_sum},
    {"Tanh", import_tanh},
    {"Tile", import_tile},
    {"Transpose", import_transpose},
    {"Unsqueeze", import_unsqueeze},
    {"Upsample", import_resize},
    {"Where", import_where},
};

}  // namespace

Handler find_operator(std::string_view type) {
  const auto* found = std::find_if(std::begin(kOperators), std::end(kOperators),
                                   [&](const Entry& e) { return e.type == type; });
  return found == std::end(kOperators) ? nullptr : found->handler;
}

bool has_optional_first_output(std::string_view type) {
  return type == "GRU" || type == "LSTM" || type == "RNN";
}

std::vector<std::string> operator_names() {
  std::vector<std::string> names;
  for (const Entry& entry : kOperators) names.emplace_back(entry.type);
  return names;
}

}  // namespace bitline::onnx
