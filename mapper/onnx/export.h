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

/// An attribute of a node; build with the functions below.
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
  /// Float weights of zeros to be filled in place; the span is valid until the builder is moved or destroyed.
  std::span<float> weights(const std::string& name, const tensor::Shape& shape);
  /// Integer constant (shapes of Reshape).
  void integers(const std::string& name, const std::vector<std::int64_t>& values);
  /// Adds a node; returns its output name ("<name>_out" unless `output` is given).
  std::string node(const std::string& type, const std::string& name, const std::vector<std::string>& inputs,
                   const std::vector<Attribute>& attributes = {}, const std::string& output = {});

  /// The serialised model.
  [[nodiscard]] std::string bytes() const;

 private:
  struct Model;
  std::unique_ptr<Model> model_;
};

/// Writes to a temporary name beside `path`, then renames. Throws base::UsageError if it cannot be written.
void write_file(const std::string& path, std::string_view bytes);

}  // namespace bitline::onnx
