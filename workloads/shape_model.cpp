// SPDX-License-Identifier: Apache-2.0
#include "workloads/shape_model.h"

#include <utility>

#include "mapper/graph/shapes.h"

namespace bitline::workloads {
namespace {

using graph::Op;
using graph::ValueId;

std::shared_ptr<const tensor::Tensor> without_elements(tensor::Shape shape) {
  return std::make_shared<const tensor::Tensor>(tensor::Tensor{std::move(shape), std::vector<float>()});
}

/// Room for so many operators, for it costs more to move them than to make them.
constexpr std::size_t kUsual = 1024;

std::size_t index(int id) {
  return static_cast<std::size_t>(id);
}

}  // namespace

ShapeModel::ShapeModel(const std::string& name, const tensor::Shape& shape) {
  graph_.name = name;
  graph_.values.reserve(kUsual);
  graph_.nodes.reserve(kUsual);
  tensor::Shape with_batch = {1};
  with_batch.insert(with_batch.end(), shape.begin(), shape.end());
  graph_.values.push_back({"input", std::move(with_batch), -1, nullptr, nullptr});
  graph_.inputs = {0};
}

ShapeModel::Value ShapeModel::emit(const std::string& name, const char* type, Op op,
                                   graph::Attributes attributes, std::vector<ValueId> inputs,
                                   tensor::Shape shape) {
  const auto id = static_cast<ValueId>(graph_.values.size());
  graph_.values.push_back(
      {name + "_out", std::move(shape), static_cast<graph::NodeId>(graph_.nodes.size()), nullptr, nullptr});
  graph_.nodes.push_back({name, type, op, std::move(attributes), std::move(inputs), {id}});
  return {id};
}

ShapeModel::Value ShapeModel::conv(const std::string& name, Value x, const Conv& conv) {
  graph::ConvAttributes attributes;
  attributes.kernel = {conv.kernel, conv.kernel};
  attributes.strides = {conv.stride, conv.stride};
  attributes.pads.assign(4, conv.padding);
  attributes.dilations = {conv.dilation, conv.dilation};
  attributes.group = conv.group;
  attributes.weight = without_elements({conv.out, conv.in / conv.group, conv.kernel, conv.kernel});
  if (conv.bias) attributes.bias = without_elements({conv.out});
  tensor::Shape y = graph::conv_shape(shape(x), attributes);
  return emit(name, "Conv", Op::conv, std::move(attributes), {x.id}, std::move(y));
}

/// Folded into the convolution before it, whose result no one else reads in these networks.
ShapeModel::Value ShapeModel::batch_norm(const std::string& name, Value x, std::int64_t channels,
                                         float /*gain*/) {
  graph::Node& producer = graph_.nodes[index(graph_.values[index(x.id)].producer)];
  if (auto* conv = std::get_if<graph::ConvAttributes>(&producer.attributes)) {
    conv->bias = without_elements({channels});
    graph_.values[index(x.id)].name = name + "_out";
    return x;
  }
  const std::vector<float> ones(index(static_cast<int>(channels)), 1.0F);
  return emit(name, "BatchNormalization", Op::scale_shift, graph::ScaleShiftAttributes{ones, ones}, {x.id},
              shape(x));
}

ShapeModel::Value ShapeModel::linear(const std::string& name, Value x, std::int64_t in, std::int64_t out) {
  graph::LinearAttributes attributes;
  attributes.weight = without_elements({out, in});
  attributes.bias = without_elements({out});
  tensor::Shape y = graph::linear_shape(shape(x), attributes);
  return emit(name, "Gemm", Op::linear, std::move(attributes), {x.id}, std::move(y));
}

ShapeModel::Value ShapeModel::relu(const std::string& name, Value x) {
  return emit(name, "Relu", Op::relu, {}, {x.id}, shape(x));
}

ShapeModel::Value ShapeModel::max_pool(const std::string& name, Value x, std::int64_t kernel,
                                       std::int64_t stride, std::int64_t padding) {
  graph::PoolAttributes pool{
      {kernel, kernel}, {stride, stride}, {padding, padding, padding, padding}, {1, 1}};
  tensor::Shape y = graph::pool_shape(shape(x), pool);
  return emit(name, "MaxPool", Op::max_pool, std::move(pool), {x.id}, std::move(y));
}

ShapeModel::Value ShapeModel::average_pool(const std::string& name, Value x, std::int64_t stride) {
  graph::PoolAttributes pool{{3, 3}, {stride, stride}, {1, 1, 1, 1}, {1, 1}};
  tensor::Shape y = graph::pool_shape(shape(x), pool);
  return emit(name, "AveragePool", Op::average_pool, std::move(pool), {x.id}, std::move(y));
}

ShapeModel::Value ShapeModel::global_average_pool(const std::string& name, Value x) {
  return emit(name, "GlobalAveragePool", Op::global_average_pool, {}, {x.id}, {1, shape(x)[1], 1, 1});
}

ShapeModel::Value ShapeModel::add(const std::string& name, Value a, Value b) {
  return emit(name, "Add", Op::add, {}, {a.id, b.id}, shape(a));
}

ShapeModel::Value ShapeModel::concat(const std::string& name, const std::vector<Value>& parts) {
  tensor::Shape y = shape(parts.front());
  y[1] = 0;
  std::vector<ValueId> inputs;
  for (const Value part : parts) {
    inputs.push_back(part.id);
    y[1] += shape(part)[1];
  }
  return emit(name, "Concat", Op::concat, graph::AxisAttributes{1}, std::move(inputs), std::move(y));
}

ShapeModel::Value ShapeModel::shift(const std::string& name, Value x) {
  const tensor::Shape from = shape(x);
  const tensor::Shape y = {1, from[1], from[2] - 1, from[3] - 1};
  const std::int64_t steps[] = {0, from[2] * from[3], from[3], 1};
  graph::RearrangeAttributes moved;
  moved.offsets.resize(y.size());
  for (std::size_t d = 0; d < y.size(); ++d) {
    for (std::int64_t i = from[d] - y[d]; i < from[d]; ++i) moved.offsets[d].push_back(i * steps[d]);
  }
  return emit(name, "Slice", Op::rearrange, std::move(moved), {x.id}, y);
}

ShapeModel::Value ShapeModel::flatten(const std::string& name, Value x) {
  return emit(name, "Flatten", Op::flatten, graph::AxisAttributes{1}, {x.id},
              graph::flatten_shape(shape(x), 1));
}

graph::Graph ShapeModel::finish(Value x, std::int64_t /*classes*/) {
  graph_.values[index(x.id)].name = "output";
  std::vector<bool> needed(graph_.values.size(), false);
  needed[0] = needed[index(x.id)] = true;
  for (std::size_t n = graph_.nodes.size(); n-- > 0;) {
    if (!needed[index(graph_.nodes[n].outputs[0])]) continue;
    for (const ValueId v : graph_.nodes[n].inputs) needed[index(v)] = true;
  }
  graph::Graph graph;
  graph.name = std::move(graph_.name);
  graph.values.reserve(graph_.values.size());
  graph.nodes.reserve(graph_.nodes.size());
  std::vector<ValueId> moved(graph_.values.size(), -1);
  for (std::size_t v = 0; v < graph_.values.size(); ++v) {
    if (!needed[v]) continue;
    moved[v] = static_cast<ValueId>(graph.values.size());
    graph.values.push_back(std::move(graph_.values[v]));
  }
  for (graph::Node& node : graph_.nodes) {
    if (!needed[index(node.outputs[0])]) continue;
    for (std::vector<ValueId>* ids : {&node.inputs, &node.outputs}) {
      for (ValueId& id : *ids) id = moved[index(id)];
    }
    graph.values[index(node.outputs[0])].producer = static_cast<graph::NodeId>(graph.nodes.size());
    graph.nodes.push_back(std::move(node));
  }
  graph.inputs = {0};
  graph.outputs = {moved[index(x.id)]};
  return graph;
}

}  // namespace bitline::workloads
