// SPDX-License-Identifier: Apache-2.0
// The layers of Model as the graph that its file would be imported as with ImportOptions::shapes_only,
// without the file.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "mapper/graph/graph.h"
#include "workloads/model.h"

namespace bitline::workloads {

class ShapeModel {
 public:
  struct Value {
    graph::ValueId id = -1;
    [[nodiscard]] bool empty() const { return id < 0; }
  };

  ShapeModel(const std::string& name, const tensor::Shape& shape);

  [[nodiscard]] Value input() const { return {0}; }
  Value conv(std::string name, Value x, const Conv& conv);
  Value batch_norm(std::string name, Value x, std::int64_t channels, float gain = 1.0F);
  Value linear(std::string name, Value x, std::int64_t in, std::int64_t out);
  Value relu(std::string name, Value x);
  Value max_pool(std::string name, Value x, std::int64_t kernel, std::int64_t stride, std::int64_t padding);
  Value average_pool(std::string name, Value x, std::int64_t stride);
  Value global_average_pool(std::string name, Value x);
  Value add(std::string name, Value a, Value b);
  Value concat(std::string name, const std::vector<Value>& parts);
  Value shift(std::string name, Value x);
  Value flatten(std::string name, Value x);
  /// Without what `x`, the network's output, does not need.
  graph::Graph finish(Value x, std::int64_t classes);

 private:
  Value emit(std::string name, const char* type, graph::Op op, graph::Attributes attributes,
             const graph::ValueIds& inputs, tensor::Shape shape);
  [[nodiscard]] const tensor::Shape& shape(Value x) const { return graph_.shape(x.id); }

  graph::Graph graph_;
};

}  // namespace bitline::workloads
