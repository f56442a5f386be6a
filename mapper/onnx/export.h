// SPDX-License-Identifier: Apache-2.0
// Writes ONNX models node by node (operator set 13, IR version 7).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "mapper/tensor/tensor.h"

namespace bitline::onnx {

/// An attribute of a node.
struct Attribute {
  std::string name;
  std::variant<std::int64_t, float, std::vector<std::int64_t>, std::string> value;
};

class OnnxBuilder {
 public:
  explicit OnnxBuilder(const std::string& graph_name);
  ~OnnxBuilder();
  OnnxBuilder(OnnxBuilder&&) noexcept;
  OnnxBuilder& operator=(OnnxBuilder&&) noexcept;

  /// Float input; a dimension of -1 is written as the symbolic dimension "batch".
  void input(const std::string& name, const tensor::Shape& shape);
  void output(const std::string& name, const tensor::Shape& shape);
  /// Float weights, zeros to be filled in place. The span is valid as long as the builder lives.
  std::span<float> weights(const std::string& name, const tensor::Shape& shape);
  /// Float weights that are not there: for ImportOptions::shapes_only.
  void shape(const std::string& name, const tensor::Shape& shape);
  /// A constant list of integers (the shape of a Reshape).
  void integers(const std::string& name, const std::vector<std::int64_t>& values);
  /// Adds a node and returns the name of its output: `output`, or "<name>_out" where that is empty.
  std::string node(const std::string& type, const std::string& name, const std::vector<std::string>& inputs,
                   const std::vector<Attribute>& attributes = {}, const std::string& output = {});

  /// The serialised model; equal calls give equal bytes.
  [[nodiscard]] std::string bytes() const;
  /// Writes the model so that a reader never sees a part of it. Throws base::UsageError if that fails.
  void write(const std::string& path) const;

 private:
  struct Model;
  std::unique_ptr<Model> model_;
};

}  // namespace bitline::onnx
