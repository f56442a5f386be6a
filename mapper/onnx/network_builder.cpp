// SPDX-License-Identifier: Apache-2.0
#include "mapper/onnx/network_builder.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "mapper/graph/given_grid.h"
#include "mapper/onnx/folding_cost.h"
#include "mapper/onnx/unread.h"
#include "mapper/reference/executor.h"
#include "mapper/tensor/operations.h"
#include "models/base/errors.h"

namespace bitline::onnx {

namespace {

using graph::Node;
using graph::NodeId;
using graph::Op;
using graph::Value;
using graph::ValueId;
using tensor::Tensor;

std::size_t index(int id) {
  return static_cast<std::size_t>(id);
}

/// Rows of the weight matrix (the first dimension) times `scale`.
std::shared_ptr<const Tensor> scaled(const Tensor& weight, const std::vector<float>& scale) {
  auto result = std::make_shared<Tensor>(Tensor{weight.shape, std::vector<float>(weight.as<float>().size())});
  const std::size_t row = result->as<float>().size() / scale.size();
  const float* in = weight.as<float>().data();
  float* out = result->as<float>().data();
  for (const float factor : scale) {
    for (std::size_t i = 0; i < row; ++i) *out++ = *in++ * factor;
  }
  return result;
}

/// `a` is ConvAttributes or LinearAttributes.
template <class A>
void apply_affine(A& a, const std::vector<float>& scale, const std::vector<float>& shift) {
  if (unread(*a.weight) || (a.bias && unread(*a.bias))) {
    // Weights of its own, as scaled ones are.
    if (!scale.empty()) a.weight = std::make_shared<const Tensor>(*a.weight);
    a.bias = unread_tensor({a.weight->shape[0]});
    return;
  }
  std::vector<float> bias = shift;
  if (a.bias) {
    for (std::size_t o = 0; o < bias.size(); ++o) {
      bias[o] += a.bias->template as<float>()[o] * (scale.empty() ? 1.0F : scale[o]);
    }
  }
  if (!scale.empty()) a.weight = scaled(*a.weight, scale);
  if (!tensor::all_finite(bias) || !tensor::all_finite(a.weight->template as<float>())) {
    throw std::invalid_argument("weights that are not finite once it is folded into them");
  }
  a.bias = std::make_shared<const Tensor>(Tensor{{a.weight->shape[0]}, std::move(bias)});
}

std::int64_t weight_size(const Node& node) {
  const auto* conv = std::get_if<graph::ConvAttributes>(&node.attributes);
  return conv != nullptr ? conv->weight->size()
                         : std::get<graph::LinearAttributes>(node.attributes).weight->size();
}

bool has_unread_weights(const Node& node) {
  const auto any = [](const auto& attributes) {
    return unread(*attributes.weight) || (attributes.bias && unread(*attributes.bias));
  };
  if (const auto* conv = std::get_if<graph::ConvAttributes>(&node.attributes)) return any(*conv);
  const auto* linear = std::get_if<graph::LinearAttributes>(&node.attributes);
  return linear != nullptr && any(*linear);
}

/// Operators that also work on constants that are not float (shapes that a file computes).
bool any_type(Op op) {
  return op == Op::reshape || op == Op::flatten || op == Op::concat || op == Op::add ||
         op == Op::elementwise || op == Op::rearrange || op == Op::reduce;
}

const graph::FunctionAttributes* function_of(const Node& node) {
  return std::get_if<graph::FunctionAttributes>(&node.attributes);
}

}  // namespace

NetworkBuilder::NetworkBuilder(std::string name, SizeLimits limits)
    : name_(std::move(name)), limits_(limits) {}

bool NetworkBuilder::is_read(const std::string& name) const {
  const auto found = reads_expected_.find(name);
  return found != reads_expected_.end() && found->second > 0;
}

void NetworkBuilder::count_elements(const graph::Shape& shape, const std::string& name) {
  require_size(shape, name);
  charge(tensor::element_count(shape), name);
}

void NetworkBuilder::require_size(const graph::Shape& shape, const std::string& name) const {
  std::int64_t count = 0;
  try {
    count = tensor::element_count(shape);
  } catch (const std::overflow_error& error) {
    throw std::invalid_argument("value '" + name + "': " + error.what());
  }
  if (count == 0) {
    throw std::invalid_argument("value '" + name + "' of shape " + tensor::to_string(shape) + " is empty");
  }
  if (count > limits_.value) {
    throw std::invalid_argument("value '" + name + "' of shape " + tensor::to_string(shape) +
                                " has more than " + std::to_string(limits_.value) + " elements");
  }
}

void NetworkBuilder::charge_folding(double operations, const std::string& name) {
  folded_operations_ += operations;
  if (folded_operations_ > static_cast<double>(limits_.folded_operations)) {
    throw std::invalid_argument("value '" + name +
                                "' is constant, and evaluating the constants takes more than " +
                                std::to_string(limits_.folded_operations) + " operations together");
  }
}

bool NetworkBuilder::is_integer(ValueId v) const {
  const auto& constant = value(v).constant;
  return constant ? !constant->holds<float>() : integers_.contains(v);
}

/// The node's results are whole numbers: where all that it moves or combines are.
bool NetworkBuilder::gives_integers(const Node& node) const {
  std::size_t first = 0;
  if (const auto* function = function_of(node)) {
    using graph::Function;
    const Function f = function->function;
    if (f == Function::equal || f == Function::to_integer || f == Function::to_boolean) return true;
    if (f == Function::pow) return is_integer(node.inputs[0]);
    first = f == Function::select ? 1 : 0;
  } else if (!any_type(node.op) && node.op != Op::max_pool && node.op != Op::clip && node.op != Op::relu) {
    return false;
  }
  return std::all_of(node.inputs.begin() + static_cast<std::ptrdiff_t>(first), node.inputs.end(),
                     [&](ValueId v) { return is_integer(v); });
}

/// The constants that a computed node reads are float. Integers are converted where the node takes them: as a
/// condition or an exponent, or beside computed integers.
void NetworkBuilder::check_operands(Node& node) {
  const auto* function = function_of(node);
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const ValueId v = node.inputs[i];
    if (value(v).constant == nullptr || value(v).constant->holds<float>()) continue;
    using graph::Function;
    const bool free = function != nullptr && ((function->function == Function::select && i == 0) ||
                                              (function->function == Function::pow && i == 1));
    const bool integers = any_type(node.op) && std::all_of(node.inputs.begin(), node.inputs.end(),
                                                           [&](ValueId other) { return is_integer(other); });
    const bool selects = function != nullptr && function->function == Function::select && i > 0 &&
                         is_integer(node.inputs[1]) && is_integer(node.inputs[2]);
    if (!free && !integers && !selects)
      throw std::invalid_argument("input '" + value(v).name + "' is not float");
    Tensor converted = tensor::to_float(*value(v).constant);
    charge(converted.size(), value(v).name);
    const std::string name = unique_value_name(value(v).name + "/float");
    add_constant(name, std::make_shared<const Tensor>(std::move(converted)));
    node.inputs[i] = find(name);
  }
}

void NetworkBuilder::charge(std::int64_t elements, const std::string& name) {
  total_ += elements;
  if (total_ > limits_.total) {
    throw std::invalid_argument("the values of the network up to '" + name + "' have more than " +
                                std::to_string(limits_.total) + " elements together");
  }
}

std::string NetworkBuilder::unique_value_name(std::string wanted) const {
  while (by_name_.contains(wanted) || reads_expected_.contains(wanted)) wanted += "_";
  return wanted;
}

ValueId NetworkBuilder::add_value(Value value) {
  const auto id = static_cast<ValueId>(values_.size());
  const auto reads = reads_expected_.find(value.name);
  reads_.push_back(reads == reads_expected_.end() ? 0 : reads->second);
  by_name_[value.name] = id;
  values_.push_back(std::move(value));
  return id;
}

void NetworkBuilder::add_input(const std::string& name, const graph::Shape& shape, bool integer) {
  count_elements(shape, name);
  inputs_.push_back(add_value({name, shape, -1, nullptr, nullptr}));
  if (integer) integers_.insert(inputs_.back());
}

void NetworkBuilder::add_constant(const std::string& name, std::shared_ptr<const Tensor> tensor,
                                  std::shared_ptr<const graph::Grid> grid) {
  const graph::Shape shape = tensor->shape;
  add_value({name, shape, -1, std::move(tensor), std::move(grid)});
}

void NetworkBuilder::add_alias(const std::string& name, ValueId value) {
  by_name_[name] = value;
  const auto reads = reads_expected_.find(name);
  reads_[index(value)] += (reads == reads_expected_.end() ? 0 : reads->second) - 1;
}

ValueId NetworkBuilder::add_node(Node node, const std::string& output, const graph::Shape& shape) {
  count_elements(shape, output);
  const auto constant = [&](ValueId v) { return value(v).constant != nullptr; };
  const bool evaluated =
      !node.inputs.empty() && std::all_of(node.inputs.begin(), node.inputs.end(), constant);
  if (evaluated) {
    std::vector<const Tensor*> inputs;
    if (has_unread_weights(node)) throw NeedsValues();
    for (const ValueId v : node.inputs) {
      if (unread(*value(v).constant)) throw NeedsValues();
      if (!value(v).constant->holds<float>() && !any_type(node.op))
        throw std::invalid_argument("input '" + value(v).name + "' is not float");
      inputs.push_back(value(v).constant.get());
    }
    charge_folding(folding_operations(node, inputs, shape), output);
    auto result = std::make_shared<const Tensor>(reference::evaluate(node, inputs, shape));
    return add_value({output, shape, -1, std::move(result), nullptr});
  }
  const bool integer = gives_integers(node);
  check_operands(node);
  node_names_.insert(node.name);
  const ValueId id = add_value({output, shape, static_cast<NodeId>(nodes_.size()), nullptr, nullptr});
  node.outputs = {id};
  nodes_.push_back(std::move(node));
  if (integer) integers_.insert(id);
  return id;
}

bool NetworkBuilder::fold_affine(ValueId v, const std::vector<float>& scale, const std::vector<float>& shift,
                                 const std::string& output) {
  const NodeId id = value(v).producer;
  if (id < 0 || reads_[index(v)] != 1) return false;
  Node& node = nodes_[index(id)];
  // Weights that the network gives as integers stay as they are.
  if (!scale.empty() && on_crossbars(node) && graph::weight_grid(node) != nullptr) return false;
  if (!scale.empty() && on_crossbars(node)) charge(weight_size(node), output);
  if (auto* conv = std::get_if<graph::ConvAttributes>(&node.attributes)) {
    apply_affine(*conv, scale, shift);
  } else if (auto* linear = std::get_if<graph::LinearAttributes>(&node.attributes)) {
    apply_affine(*linear, scale, shift);
  } else {
    return false;
  }
  values_[index(v)].name = output;
  add_alias(output, v);
  return true;
}

ValueId NetworkBuilder::find(const std::string& name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? -1 : found->second;
}

const Node* NetworkBuilder::producer(ValueId v) const {
  const NodeId id = value(v).producer;
  return id < 0 ? nullptr : &nodes_[index(id)];
}

std::string NetworkBuilder::unique_node_name(const std::string& wanted) const {
  std::string name = wanted;
  for (int i = 1; node_names_.contains(name); ++i) name = wanted + "_" + std::to_string(i);
  return name;
}

/// Names a value after the network output that it is. A network input, or what another output shows already,
/// keeps its name and is copied by a node.
void NetworkBuilder::name_output(const std::string& name) {
  const ValueId v = by_name_.at(name);
  if (value(v).name == name) {
    output_values_.insert(v);
    return;
  }
  const bool taken =
      output_values_.contains(v) || std::find(inputs_.begin(), inputs_.end(), v) != inputs_.end();
  if (!taken) {
    values_[index(v)].name = name;
    output_values_.insert(v);
    return;
  }
  Node copy{unique_node_name(name), "Identity", Op::reshape, {}, {v}, {}};
  const graph::Shape shape = value(v).shape;
  output_values_.insert(add_node(std::move(copy), name, shape));
}

graph::Graph NetworkBuilder::finish(const std::vector<std::string>& outputs) && {
  // Values that already carry an output's name first, so that an alias does not take it over.
  for (const std::string& name : outputs) {
    if (value(by_name_.at(name)).name == name) name_output(name);
  }
  for (const std::string& name : outputs) name_output(name);

  std::vector<bool> needed(values_.size(), false);
  for (const std::string& name : outputs) needed[index(by_name_.at(name))] = true;
  for (std::size_t n = nodes_.size(); n-- > 0;) {
    if (!needed[index(nodes_[n].outputs[0])]) continue;
    for (const ValueId v : nodes_[n].inputs) needed[index(v)] = true;
  }
  for (const ValueId v : inputs_) needed[index(v)] = true;

  graph::Graph graph;
  graph.name = std::move(name_);
  std::vector<ValueId> moved(values_.size(), -1);
  for (std::size_t v = 0; v < values_.size(); ++v) {
    if (!needed[v]) continue;
    moved[v] = static_cast<ValueId>(graph.values.size());
    graph.values.push_back(std::move(values_[v]));
  }
  const auto renumber = [&](auto& ids) {
    for (ValueId& v : ids) v = moved[index(v)];
  };
  for (Node& node : nodes_) {
    if (moved[index(node.outputs[0])] < 0) continue;
    renumber(node.inputs);
    renumber(node.outputs);
    graph.values[index(node.outputs[0])].producer = static_cast<NodeId>(graph.nodes.size());
    graph.nodes.push_back(std::move(node));
  }
  graph.inputs = std::move(inputs_);
  renumber(graph.inputs);
  for (const std::string& name : outputs) graph.outputs.push_back(moved[index(by_name_.at(name))]);
  return graph;
}

}  // namespace bitline::onnx
