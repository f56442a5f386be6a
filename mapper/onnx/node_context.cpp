// SPDX-License-Identifier: Apache-2.0
#include "mapper/onnx/node_context.h"
#include "mapper/onnx/unread.h"

#include <onnx/onnx_pb.h>

#include <algorithm>
#include <utility>

#include "mapper/onnx/tensor_proto.h"
#include "mapper/tensor/operations.h"

namespace bitline::onnx {

namespace {

using graph::ValueId;
using ::onnx::AttributeProto;
using tensor::Tensor;

}  // namespace

NodeContext::NodeContext(::onnx::NodeProto& node, std::string name, int opset, NetworkBuilder& network)
    : node_(node), name_(std::move(name)), opset_(opset), network_(network) {}

const std::string& NodeContext::type() const {
  return node_.op_type();
}

void NodeContext::fail(const std::string& given, const std::string& allowed,
                       const std::string& remedy) const {
  throw NodeFault{given, allowed, remedy};
}

bool NodeContext::has(const std::string& name) {
  known_.insert(name);
  return std::any_of(node_.attribute().begin(), node_.attribute().end(),
                     [&](const AttributeProto& a) { return a.name() == name; });
}

const AttributeProto* NodeContext::attribute(const std::string& name, int type, const char* type_name) {
  known_.insert(name);
  for (const AttributeProto& a : node_.attribute()) {
    if (a.name() != name) continue;
    // Files of the first IR version carry no type.
    if (a.type() != type && a.type() != AttributeProto::UNDEFINED)
      fail("attribute '" + name + "' is not " + type_name);
    return &a;
  }
  return nullptr;
}

std::int64_t NodeContext::integer(const std::string& name, std::int64_t fallback) {
  const AttributeProto* a = attribute(name, AttributeProto::INT, "an integer");
  return a != nullptr ? a->i() : fallback;
}

float NodeContext::real(const std::string& name, float fallback) {
  const AttributeProto* a = attribute(name, AttributeProto::FLOAT, "a number");
  if (a == nullptr) return fallback;
  if (a->f() != a->f()) fail("attribute '" + name + "' is NaN");
  return a->f();
}

std::string NodeContext::text(const std::string& name, const std::string& fallback) {
  const AttributeProto* a = attribute(name, AttributeProto::STRING, "a string");
  return a != nullptr ? a->s() : fallback;
}

std::vector<std::int64_t> NodeContext::integers(const std::string& name, std::vector<std::int64_t> fallback) {
  const AttributeProto* a = attribute(name, AttributeProto::INTS, "a list of integers");
  return a != nullptr ? std::vector<std::int64_t>(a->ints().begin(), a->ints().end()) : std::move(fallback);
}

std::vector<float> NodeContext::reals(const std::string& name, std::vector<float> fallback) {
  const AttributeProto* a = attribute(name, AttributeProto::FLOATS, "a list of numbers");
  return a != nullptr ? std::vector<float>(a->floats().begin(), a->floats().end()) : std::move(fallback);
}

std::vector<std::string> NodeContext::texts(const std::string& name, std::vector<std::string> fallback) {
  const AttributeProto* a = attribute(name, AttributeProto::STRINGS, "a list of strings");
  return a != nullptr ? std::vector<std::string>(a->strings().begin(), a->strings().end())
                      : std::move(fallback);
}

Tensor NodeContext::attribute_tensor(const std::string& name) {
  if (!has(name)) return {{1}, std::vector<float>{0.0F}};
  for (AttributeProto& a : *node_.mutable_attribute()) {
    if (a.name() == name) return take_tensor(*a.mutable_t(), {});
  }
  return {};
}

Tensor NodeContext::constant_value() {
  if (node_.attribute_size() != 1)
    fail("has " + std::to_string(node_.attribute_size()) + " attributes", "exactly one");
  AttributeProto& a = *node_.mutable_attribute(0);
  known_.insert(a.name());
  if (a.name() == "value") return take_tensor(*a.mutable_t(), {});
  if (a.name() == "value_float") return {{}, std::vector<float>{a.f()}};
  if (a.name() == "value_int") return {{}, std::vector<std::int64_t>{a.i()}};
  if (a.name() == "value_floats")
    return {{a.floats_size()}, std::vector<float>(a.floats().begin(), a.floats().end())};
  if (a.name() == "value_ints")
    return {{a.ints_size()}, std::vector<std::int64_t>(a.ints().begin(), a.ints().end())};
  fail("attribute '" + a.name() + "'", "value, value_float, value_floats, value_int, value_ints");
}

int NodeContext::inputs() const {
  return node_.input_size();
}

bool NodeContext::has_input(int i) const {
  return i < node_.input_size() && !node_.input(i).empty();
}

ValueId NodeContext::input(int i) const {
  if (!has_input(i)) fail("input " + std::to_string(i) + " is missing");
  return network_.find(node_.input(i));
}

bool NodeContext::is_constant(int i) const {
  return has_input(i) && network_.value(input(i)).constant != nullptr;
}

std::shared_ptr<const Tensor> NodeContext::constant(int i) const {
  std::shared_ptr<const Tensor> tensor = network_.value(input(i)).constant;
  if (!tensor) {
    fail("input " + std::to_string(i) + " ('" + node_.input(i) + "') is computed", "a constant (initializer)",
         "export the model with its parameters inside");
  }
  return tensor;
}

std::shared_ptr<const Tensor> NodeContext::weights(int i) const {
  std::shared_ptr<const Tensor> tensor = constant(i);
  if (!tensor->holds<float>()) fail("weights '" + node_.input(i) + "' are not float");
  if (tensor->size() == 0)
    fail("weights '" + node_.input(i) + "' of shape " + tensor::to_string(tensor->shape) + " are empty");
  if (!tensor::all_finite(tensor->as<float>()))
    fail("weights '" + node_.input(i) + "' contain NaN or infinite values");
  return tensor;
}

std::vector<float> NodeContext::vector(int i, std::int64_t size) const {
  const std::shared_ptr<const Tensor> tensor = weights(i);
  if (tensor->shape != graph::Shape{size}) {
    fail("'" + node_.input(i) + "' of shape " + tensor::to_string(tensor->shape),
         "shape " + std::to_string(size));
  }
  // Values that are not read, and not needed, stand for ones.
  if (unread(*tensor)) return std::vector<float>(static_cast<std::size_t>(size), 1.0F);
  return tensor->as<float>();
}

const std::string& NodeContext::output_name(int i) const {
  return node_.output(i);
}

std::string NodeContext::value_name(const std::string& suffix) const {
  return network_.unique_value_name((output_name(0).empty() ? name_ : output_name(0)) + suffix);
}

void NodeContext::emit(graph::Op op, graph::Attributes attributes, const graph::ValueIds& from,
                       const graph::Shape& shape) {
  network_.add_node({network_.unique_node_name(name_), type(), op, std::move(attributes), from, {}},
                    output_name(0), shape);
}

void NodeContext::emit_real(graph::Op op, graph::Attributes attributes, const graph::ValueIds& from,
                            const graph::Shape& shape) {
  emit(op, std::move(attributes), from, shape);
  network_.count_as_real(network_.find(output_name(0)));
}

ValueId NodeContext::intermediate(const std::string& suffix, graph::Op op, graph::Attributes attributes,
                                  const graph::ValueIds& from, const graph::Shape& shape) {
  const std::string name = network_.unique_node_name(name_ + suffix);
  return network_.add_node({name, type(), op, std::move(attributes), from, {}}, value_name(suffix), shape);
}

ValueId NodeContext::make_constant(const std::string& suffix, Tensor tensor) {
  network_.charge(tensor.size(), name_);
  const std::string name = value_name(suffix);
  network_.add_constant(name, std::make_shared<const Tensor>(std::move(tensor)));
  return network_.find(name);
}

void NodeContext::forward(ValueId value) {
  network_.add_alias(output_name(0), value);
}

bool NodeContext::fold(ValueId value, const std::vector<float>& scale, const std::vector<float>& shift) {
  return network_.fold_affine(value, scale, shift, output_name(0));
}

void NodeContext::result(int output, Tensor tensor, std::shared_ptr<const graph::Grid> grid) {
  network_.add_constant(output_name(output), std::make_shared<const Tensor>(std::move(tensor)),
                        std::move(grid));
}

void NodeContext::forward(int output, ValueId value) {
  network_.add_alias(output_name(output), value);
}

std::shared_ptr<const graph::Grid> NodeContext::weight_grid(int i, std::int64_t axis) const {
  std::shared_ptr<const graph::Grid> given = grid(i);
  if (given == nullptr || given->scale.empty()) return nullptr;
  if (!given->per_tensor() && given->axis != axis) {
    fail("weights '" + node_.input(i) + "' quantised along dimension " + std::to_string(given->axis),
         "one scale for the tensor, or one for each output (dimension " + std::to_string(axis) + ")",
         "the columns of a crossbar have one scale each");
  }
  return given;
}

int NodeContext::outputs() const {
  return node_.output_size();
}

std::vector<std::int64_t> NodeContext::integer_list(int i) const {
  const std::shared_ptr<const Tensor> tensor = constant(i);
  if (tensor->holds<float>() || tensor->holds<double>() || tensor->shape.size() > 1)
    fail("input " + std::to_string(i) + " ('" + node_.input(i) + "') is not a list of integers");
  return std::visit(
      [](const auto& values) { return std::vector<std::int64_t>(values.begin(), values.end()); },
      tensor->data);
}

std::vector<std::int64_t> NodeContext::list_until(int last, const std::string& name, int i) {
  if (opset_ <= last) return integers(name, {});
  return has_input(i) ? integer_list(i) : std::vector<std::int64_t>{};
}

bool NodeContext::is_read(int output) const {
  return output < node_.output_size() && !output_name(output).empty() &&
         network_.is_read(output_name(output));
}

void NodeContext::finish() const {
  for (const AttributeProto& a : node_.attribute()) {
    if (!known_.contains(a.name())) fail("attribute '" + a.name() + "' is not known for this operator");
  }
  for (int i = 0; i < node_.output_size(); ++i) {
    if (is_read(i) && network_.find(output_name(i)) < 0) {
      fail("its output " + std::to_string(i) + " ('" + output_name(i) + "') is used",
           "the outputs that the operator has");
    }
  }
}

}  // namespace bitline::onnx
