// SPDX-License-Identifier: Apache-2.0
// Element-wise functions.
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "mapper/graph/shapes.h"
#include "mapper/onnx/operators.h"
#include "mapper/onnx/operators_movement.h"
#include "mapper/tensor/operations.h"

namespace bitline::onnx {

namespace {

using graph::Function;
using graph::FunctionAttributes;
using graph::Op;
using graph::Shape;
using graph::ValueId;

void emit_unary(NodeContext& node, const FunctionAttributes& attributes) {
  node.ignore({"consumed_inputs"});
  const ValueId x = node.input(0);
  if (node.is_integer(x) && attributes.function != Function::neg && attributes.function != Function::abs)
    node.fail("an integer input", "float");
  node.emit(Op::elementwise, attributes, {x}, node.shape(x));
}

/// Constants that are float are finite.
void check_constants(NodeContext& node) {
  for (int i = 0; i < node.inputs(); ++i) {
    if (node.is_constant(i) && node.constant(i)->holds<float>()) static_cast<void>(node.weights(i));
  }
}

/// The constant of a multiplication as one number per channel of a convolution or linear layer's result.
std::vector<float> channel_factor(NodeContext& node, ValueId y, const tensor::Tensor& factor) {
  const graph::Node* producer = node.producer(y);
  if (producer == nullptr || !graph::on_crossbars(*producer) || !factor.holds<float>()) return {};
  const Shape& shape = node.shape(y);
  const std::size_t channel = producer->op == Op::conv ? 1 : shape.size() - 1;
  const auto channels = static_cast<std::size_t>(shape[channel]);
  const std::vector<float>& values = factor.as<float>();
  if (factor.shape.size() > shape.size()) return {};
  if (values.size() == 1) return std::vector<float>(channels, values[0]);
  const std::size_t missing = shape.size() - factor.shape.size();
  const bool per_channel =
      values.size() == channels && channel >= missing && factor.shape[channel - missing] == shape[channel];
  return per_channel ? values : std::vector<float>{};
}

/// Multiplication by, or subtraction of, a constant goes into the layer before it.
bool fold_constant(NodeContext& node, Function function, int computed, int constant) {
  if (node.is_constant(computed) || !node.is_constant(constant)) return false;
  const ValueId x = node.input(computed);
  std::vector<float> values = channel_factor(node, x, *node.constant(constant));
  if (values.empty() || (function != Function::mul && computed != 0)) return false;
  if (tensor::broadcast_shape(node.shape(x), node.constant(constant)->shape) != node.shape(x)) return false;
  if (function == Function::mul) return node.fold(x, values, std::vector<float>(values.size(), 0.0F));
  if (function != Function::sub) return false;
  for (float& value : values) value = -value;
  return node.fold(x, {}, values);
}

void emit_binary(NodeContext& node, Function function) {
  node.ignore({"broadcast", "consumed_inputs"});
  const ValueId a = node.input(0);
  const ValueId b = aligned_operand(node);
  check_constants(node);
  if (b == node.input(1) && (fold_constant(node, function, 0, 1) || fold_constant(node, function, 1, 0)))
    return;
  if (function == Function::div && node.is_integer(a) && node.is_integer(b)) function = Function::integer_div;
  node.emit(Op::elementwise, FunctionAttributes{function}, {a, b},
            tensor::broadcast_shape(node.shape(a), node.shape(b)));
}

/// Two at a time; gives the last but one where `last` is to follow it.
ValueId chain(NodeContext& node, Op op, const graph::Attributes& attributes, int count) {
  ValueId sum = node.input(0);
  for (int i = 1; i < count; ++i) {
    const ValueId next = node.input(i);
    std::string suffix = std::to_string(i);
    suffix.insert(suffix.begin(), '/');
    sum = node.intermediate(suffix, op, attributes, {sum, next},
                            tensor::broadcast_shape(node.shape(sum), node.shape(next)));
  }
  return sum;
}

void emit_chain(NodeContext& node, Op op, const graph::Attributes& attributes) {
  node.ignore({"consumed_inputs"});
  const int count = node.inputs();
  if (count == 0) node.fail("has no inputs");
  check_constants(node);
  if (count == 1) return node.forward(node.input(0));
  const ValueId most = chain(node, op, attributes, count - 1);
  const ValueId last = node.input(count - 1);
  node.emit(op, attributes, {most, last}, tensor::broadcast_shape(node.shape(most), node.shape(last)));
}

/// Element types of TensorProto: the limits of an integer type; false where it is none.
bool integer_limits(std::int64_t type, FunctionAttributes& cast) {
  static constexpr std::array<std::array<float, 2>, 14> kLimits = {{{0, 0},
                                                                    {0, 0},
                                                                    {0, 255},
                                                                    {-128, 127},
                                                                    {0, 65535},
                                                                    {-32768, 32767},
                                                                    {-0x1p31F, 0x1p31F},
                                                                    {-0x1p63F, 0x1p63F},
                                                                    {0, 0},
                                                                    {0, 0},
                                                                    {0, 0},
                                                                    {0, 0},
                                                                    {0, 0x1p32F},
                                                                    {0, 0x1p64F}}};
  if (type < 2 || type > 13 || kLimits[static_cast<std::size_t>(type)][1] == 0.0F) return false;
  cast = {Function::to_integer, kLimits[static_cast<std::size_t>(type)][0],
          kLimits[static_cast<std::size_t>(type)][1]};
  return true;
}

constexpr std::int64_t kBool = 9;
bool is_float_type(std::int64_t type) {
  return type == 1 || type == 10 || type == 11 || type == 16;
}

/// The target of a Cast, which is a name in the first operator sets.
std::int64_t cast_target(NodeContext& node) {
  if (node.opset() >= 6) return node.integer("to", 0);
  const std::string name = node.text("to", "");
  static constexpr std::array<const char*, 14> kNames = {"",        "FLOAT",  "UINT8",  "INT8",   "UINT16",
                                                         "INT16",   "INT32",  "INT64",  "STRING", "BOOL",
                                                         "FLOAT16", "DOUBLE", "UINT32", "UINT64"};
  for (std::size_t i = 1; i < kNames.size(); ++i) {
    if (name == kNames[i]) return static_cast<std::int64_t>(i);
  }
  return 0;
}

/// A constant of floats as integers: int64.
void cast_constant(NodeContext& node, const tensor::Tensor& x, std::int64_t type,
                   const FunctionAttributes& cast) {
  std::vector<std::int64_t> values;
  for (const float value : x.as<float>()) {
    if (std::isnan(value)) node.fail("NaN cast to an integer");
    const double whole = std::trunc(static_cast<double>(value));
    values.push_back(type == kBool      ? std::int64_t{value != 0.0F}
                     : whole >= 0x1p63  ? std::numeric_limits<std::int64_t>::max()
                     : whole <= -0x1p63 ? std::numeric_limits<std::int64_t>::min()
                                        : static_cast<std::int64_t>(
                                              std::max(static_cast<double>(cast.alpha),
                                                       std::min(whole, static_cast<double>(cast.beta)))));
  }
  node.result(0, {x.shape, std::move(values)});
}

}  // namespace

void import_neg(NodeContext& node) {
  emit_unary(node, {Function::neg});
}
void import_abs(NodeContext& node) {
  emit_unary(node, {Function::abs});
}
void import_exp(NodeContext& node) {
  emit_unary(node, {Function::exp});
}
void import_sqrt(NodeContext& node) {
  emit_unary(node, {Function::sqrt});
}
void import_erf(NodeContext& node) {
  emit_unary(node, {Function::erf});
}
void import_tanh(NodeContext& node) {
  emit_unary(node, {Function::tanh});
}
void import_log(NodeContext& node) {
  emit_unary(node, {Function::log});
}
void import_hard_swish(NodeContext& node) {
  emit_unary(node, {Function::hard_swish});
}
void import_leaky_relu(NodeContext& node) {
  emit_unary(node, {Function::leaky_relu, node.real("alpha", 0.01F)});
}
void import_hard_sigmoid(NodeContext& node) {
  emit_unary(node, {Function::hard_sigmoid, node.real("alpha", 0.2F), node.real("beta", 0.5F)});
}
void import_gelu(NodeContext& node) {
  const std::string approximate = node.text("approximate", "none");
  if (approximate != "none" && approximate != "tanh")
    node.fail("approximate '" + approximate + "'", "none, tanh");
  emit_unary(node, {approximate == "tanh" ? Function::gelu_tanh : Function::gelu});
}

void import_sub(NodeContext& node) {
  emit_binary(node, Function::sub);
}
void import_mul(NodeContext& node) {
  emit_binary(node, Function::mul);
}
void import_div(NodeContext& node) {
  emit_binary(node, Function::div);
}
void import_pow(NodeContext& node) {
  emit_binary(node, Function::pow);
}
void import_equal(NodeContext& node) {
  emit_binary(node, Function::equal);
}
void import_min(NodeContext& node) {
  emit_chain(node, Op::elementwise, FunctionAttributes{Function::min});
}
void import_max(NodeContext& node) {
  emit_chain(node, Op::elementwise, FunctionAttributes{Function::max});
}
void import_sum(NodeContext& node) {
  emit_chain(node, Op::add, {});
}

void import_mean(NodeContext& node) {
  if (node.inputs() == 0) node.fail("has no inputs");
  check_constants(node);
  const ValueId sum = chain(node, Op::add, {}, node.inputs());
  const ValueId count =
      node.make_constant("/count", {{}, std::vector<float>{static_cast<float>(node.inputs())}});
  node.emit(Op::elementwise, FunctionAttributes{Function::div}, {sum, count}, node.shape(sum));
}

void import_prelu(NodeContext& node) {
  node.ignore({"consumed_inputs"});
  const ValueId x = node.input(0);
  const Shape shape = node.shape(x);
  ValueId slope = node.input(1);
  const Shape given = node.shape(slope);
  // One slope per channel, as operator sets before 7 and PyTorch write it.
  if (given.size() == 1 && shape.size() > 2 && given[0] == shape[1] && given[0] != 1) {
    Shape aligned(shape.size() - 1, 1);
    aligned[0] = shape[1];
    slope = reshaped(node, "/slope", slope, aligned);
  }
  if (tensor::broadcast_shape(shape, node.shape(slope)) != shape)
    node.fail("slope of shape " + tensor::to_string(given),
              "what can be broadcast to " + tensor::to_string(shape));
  node.emit(Op::elementwise, FunctionAttributes{Function::prelu}, {x, slope}, shape);
}

void import_where(NodeContext& node) {
  const ValueId c = node.input(0);
  const ValueId x = node.input(1);
  const ValueId y = node.input(2);
  const Shape shape =
      tensor::broadcast_shape(tensor::broadcast_shape(node.shape(c), node.shape(x)), node.shape(y));
  node.emit(Op::elementwise, FunctionAttributes{Function::select}, {c, x, y}, shape);
}

void import_cast(NodeContext& node) {
  node.ignore({"saturate"});  // of 8-bit floats
  const std::int64_t type = cast_target(node);
  const ValueId x = node.input(0);
  FunctionAttributes cast{Function::to_boolean};
  if (!is_float_type(type) && type != kBool && !integer_limits(type, cast))
    node.fail("to element type " + std::to_string(type), "float, integer and bool types");
  if (node.is_constant(0)) {
    const tensor::Tensor& given = *node.constant(0);
    if (is_float_type(type)) return node.result(0, tensor::to_float(given));
    if (given.holds<float>()) return cast_constant(node, given, type, cast);
    return node.emit(Op::elementwise, cast, {x}, node.shape(x));
  }
  if (!is_float_type(type)) return node.emit(Op::elementwise, cast, {x}, node.shape(x));
  if (!node.is_integer(x)) return node.forward(x);
  node.emit_real(Op::reshape, {}, {x}, node.shape(x));
}

}  // namespace bitline::onnx
