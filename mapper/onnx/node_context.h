// SPDX-License-Identifier: Apache-2.0
// What an operator's handler sees of its node: attributes, inputs, and how to put its result into the
// network.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "mapper/onnx/network_builder.h"

namespace onnx {
class AttributeProto;
class NodeProto;
}  // namespace onnx

namespace bitline::onnx {

/// Why a node cannot be imported; the importer adds the node's name.
struct NodeFault {
  std::string given, allowed, remedy;
};

class NodeContext {
 public:
  /// `name` is the node's unique name, `opset` the operator set of the file.
  NodeContext(::onnx::NodeProto& node, std::string name, int opset, NetworkBuilder& network);

  [[nodiscard]] const std::string& type() const;
  [[nodiscard]] int opset() const { return opset_; }
  [[noreturn]] void fail(const std::string& given, const std::string& allowed = {},
                         const std::string& remedy = {}) const;

  // Attributes. Each reads one, or gives the fallback where it is absent; finish() refuses those never asked
  // for.
  [[nodiscard]] bool has(const std::string& name);
  [[nodiscard]] std::int64_t integer(const std::string& name, std::int64_t fallback);
  [[nodiscard]] float real(const std::string& name, float fallback);
  [[nodiscard]] std::vector<float> reals(const std::string& name, std::vector<float> fallback);
  [[nodiscard]] std::string text(const std::string& name, const std::string& fallback);
  [[nodiscard]] std::vector<std::string> texts(const std::string& name, std::vector<std::string> fallback);
  [[nodiscard]] std::vector<std::int64_t> integers(const std::string& name,
                                                   std::vector<std::int64_t> fallback);
  /// A tensor of one element; zero where absent.
  [[nodiscard]] tensor::Tensor attribute_tensor(const std::string& name);
  /// The value of a Constant node: the only attribute, of any kind.
  [[nodiscard]] tensor::Tensor constant_value();
  /// Attributes without effect on inference.
  void ignore(std::initializer_list<const char*> names) { known_.insert(names.begin(), names.end()); }

  // Inputs.
  [[nodiscard]] bool has_input(int i) const;
  [[nodiscard]] int inputs() const;
  [[nodiscard]] graph::ValueId input(int i) const;
  [[nodiscard]] const graph::Shape& shape(graph::ValueId value) const { return network_.value(value).shape; }
  [[nodiscard]] bool is_constant(int i) const;
  /// Of a constant: the range of its codes, and the scale where it was dequantised; null: neither is known.
  [[nodiscard]] std::shared_ptr<const graph::Grid> grid(int i) const { return network_.value(input(i)).grid; }
  /// The grid of the weights at input i, whose outputs lie along `axis`; null where they are any floats.
  [[nodiscard]] std::shared_ptr<const graph::Grid> weight_grid(int i, std::int64_t axis) const;
  /// Of the file's element type: integer or boolean.
  [[nodiscard]] bool is_integer(graph::ValueId value) const { return network_.is_integer(value); }
  /// A constant list of integers (a scalar is one of one).
  [[nodiscard]] std::vector<std::int64_t> integer_list(int i) const;
  /// The integers of an attribute up to operator set `last`, of input i after it; empty where absent.
  [[nodiscard]] std::vector<std::int64_t> list_until(int last, const std::string& name, int i);
  /// A constant of any type.
  [[nodiscard]] std::shared_ptr<const tensor::Tensor> constant(int i) const;
  /// A constant of finite floats.
  [[nodiscard]] std::shared_ptr<const tensor::Tensor> weights(int i) const;
  /// The same with one dimension of `size`.
  [[nodiscard]] std::vector<float> vector(int i, std::int64_t size) const;

  // Results. Each handler calls exactly one of emit, forward, fold (if true) and result for output 0.
  void emit(graph::Op op, graph::Attributes attributes, const graph::ValueIds& from,
            const graph::Shape& shape);
  /// The same; the result counts as float whatever its inputs are (Cast).
  void emit_real(graph::Op op, graph::Attributes attributes, const graph::ValueIds& from,
                 const graph::Shape& shape);
  /// A node before the one that makes the output; named after this node with `suffix`.
  [[nodiscard]] graph::ValueId intermediate(const std::string& suffix, graph::Op op,
                                            graph::Attributes attributes, const graph::ValueIds& from,
                                            const graph::Shape& shape);
  /// A constant that the handler made, for `intermediate` and `emit`.
  [[nodiscard]] graph::ValueId make_constant(const std::string& suffix, tensor::Tensor tensor);
  /// Counts a rewritten copy of a constant towards the limit on all values. To be called before making it.
  void require_size(const graph::Shape& shape) const { network_.require_size(shape, name_); }
  void charge(std::int64_t elements) { network_.charge(elements, name_); }
  void forward(graph::ValueId value);
  [[nodiscard]] bool fold(graph::ValueId value, const std::vector<float>& scale,
                          const std::vector<float>& shift);
  void result(int output, tensor::Tensor tensor, std::shared_ptr<const graph::Grid> grid = nullptr);
  /// Output `output` of several is `value`.
  void forward(int output, graph::ValueId value);
  [[nodiscard]] int outputs() const;
  [[nodiscard]] bool is_read(int output) const;
  [[nodiscard]] const graph::Node* producer(graph::ValueId value) const { return network_.producer(value); }

  /// After the handler: attributes that it does not know and outputs that it did not make are faults.
  void finish() const;

 private:
  [[nodiscard]] const ::onnx::AttributeProto* attribute(const std::string& name, int type,
                                                        const char* type_name);
  [[nodiscard]] const std::string& output_name(int i) const;
  /// A name for a value of this node.
  [[nodiscard]] std::string value_name(const std::string& suffix) const;

  ::onnx::NodeProto& node_;
  std::string name_;
  int opset_;
  NetworkBuilder& network_;
  std::set<std::string> known_;
};

}  // namespace bitline::onnx
