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
    {"Add", import_add},
    {"AveragePool", import_average_pool},
    {"BatchNormalization", import_batch_normalization},
    {"Clip", import_clip},
    {"Concat", import_concat},
    {"Constant", import_constant},
    {"Conv", import_conv},
    {"ConvInteger", import_conv_integer},
    {"DequantizeLinear", import_dequantize_linear},
    {"Dropout", import_dropout},
    {"DynamicQuantizeLinear", import_dynamic_quantize_linear},
    {"Flatten", import_flatten},
    {"Gemm", import_gemm},
    {"GlobalAveragePool", import_global_average_pool},
    {"Identity", import_identity},
    {"MatMul", import_matmul},
    {"MatMulInteger", import_matmul_integer},
    {"MaxPool", import_max_pool},
    {"QLinearConv", import_qlinear_conv},
    {"QLinearMatMul", import_qlinear_matmul},
    {"QuantizeLinear", import_quantize_linear},
    {"Relu", import_relu},
    {"Reshape", import_reshape},
    {"Sigmoid", import_sigmoid},
    {"Softmax", import_softmax},
};

}  // namespace

Handler find_operator(std::string_view type) {
  const auto* found = std::find_if(std::begin(kOperators), std::end(kOperators),
                                   [&](const Entry& e) { return e.type == type; });
  return found == std::end(kOperators) ? nullptr : found->handler;
}

std::vector<std::string> operator_names() {
  std::vector<std::string> names;
  for (const Entry& entry : kOperators) names.emplace_back(entry.type);
  return names;
}

}  // namespace bitline::onnx
