// SPDX-License-Identifier: Apache-2.0
// The network while it is being imported: what each ONNX name stands for, and the nodes made so far.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "mapper/graph/graph.h"

namespace bitline::onnx {

/// Most elements of one value and of all computed values, most steps of folding (see ImportOptions).
struct SizeLimits {
  std::int64_t value = 0;
  std::int64_t total = 0;
  std::int64_t folded_operations = 0;
};

/// Methods throw std::invalid_argument where a value is too large or does not fit.
class NetworkBuilder {
 public:
  NetworkBuilder(std::string name, SizeLimits limits);

  /// `name` will be read `count` more times (by nodes and as network output).
  void expect_reads(const std::string& name, int count) { reads_expected_[name] += count; }
  [[nodiscard]] bool is_read(const std::string& name) const;

  /// Counts elements of a value, or of a rewritten copy of a constant, towards the limit on their total.
  void charge(std::int64_t elements, const std::string& name);
  /// Refuses a shape that no value may have; for handlers, before they allocate what grows with it.
  void require_size(const graph::Shape& shape, const std::string& name) const;
  /// `integer`: its elements are whole numbers in float tensors.
  void add_input(const std::string& name, const graph::Shape& shape, bool integer = false);
  /// `grid`: the range of its codes, and the scale where it was dequantised; null: neither is known.
  void add_constant(const std::string& name, std::shared_ptr<const tensor::Tensor> tensor,
                    std::shared_ptr<const graph::Grid> grid = nullptr);
  /// `name` becomes another name of the value.
  void add_alias(const std::string& name, graph::ValueId value);
  /// Adds a node with one output. Where all inputs are constant, the result is a constant instead of a node.
  graph::ValueId add_node(graph::Node node, const std::string& output, const graph::Shape& shape);
  /// Applies y = x * scale[c] + shift[c] inside the convolution or linear layer that makes `value`, if
  /// nothing else reads it; the value is then called `output`. An empty `scale` means 1. Channels: of a
  /// convolution its outputs, of a linear layer the last dimension.
  [[nodiscard]] bool fold_affine(graph::ValueId value, const std::vector<float>& scale,
                                 const std::vector<float>& shift, const std::string& output);

  /// Its elements are integers or booleans in the file (and whole numbers in float tensors if computed).
  void count_as_real(graph::ValueId v) { integers_.erase(v); }
  [[nodiscard]] bool is_integer(graph::ValueId v) const;

  /// -1 if the name is unknown.
  [[nodiscard]] graph::ValueId find(const std::string& name) const;
  [[nodiscard]] const graph::Value& value(graph::ValueId v) const {
    return values_[static_cast<std::size_t>(v)];
  }
  [[nodiscard]] const graph::Node* producer(graph::ValueId v) const;
  /// `wanted`, lengthened until no value of the file or of ours has that name.
  [[nodiscard]] std::string unique_value_name(std::string wanted) const;
  /// `wanted`, or that with a number after it if there is a node of that name.
  [[nodiscard]] std::string unique_node_name(const std::string& wanted) const;

  /// The finished network: without what the outputs do not need. Each output is a value of that name.
  [[nodiscard]] graph::Graph finish(const std::vector<std::string>& outputs) &&;

 private:
  graph::ValueId add_value(graph::Value value);
  void check_operands(graph::Node& node);
  [[nodiscard]] bool gives_integers(const graph::Node& node) const;
  void count_elements(const graph::Shape& shape, const std::string& name);
  void charge_folding(double operations, const std::string& name);
  void name_output(const std::string& name);

  std::string name_;
  SizeLimits limits_;
  std::int64_t total_ = 0;
  double folded_operations_ = 0;
  std::vector<graph::Value> values_;
  std::vector<int> reads_;  ///< by value: how often it is read, under all its names
  std::vector<graph::Node> nodes_;
  std::vector<graph::ValueId> inputs_;
  std::unordered_map<std::string, graph::ValueId> by_name_;
  std::unordered_map<std::string, int> reads_expected_;
  std::unordered_set<std::string> node_names_;
  std::unordered_set<graph::ValueId> output_values_;
  std::unordered_set<graph::ValueId> integers_;  ///< computed values and inputs
};

}  // namespace bitline::onnx
