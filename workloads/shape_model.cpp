// SPDX-License-Identifier: Apache-2.0
#include "workloads/shape_model.h"

#include <string_view>
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

/// After the layer `name`, in one piece of memory.
void name_result(graph::Value& value, const std::string& name) {
  constexpr std::string_view kEnding = "_out";
  value.name.reserve(name.size() + kEnding.size());
  value.name.assign(name).append(kEnding);
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

ShapeModel::Value ShapeModel::emit(std::string name, const char* type, Op op, graph::Attributes attributes,
                                   const graph::ValueIds& inputs, tensor::Shape shape) {
  const auto id = static_cast<ValueId>(graph_.values.size());
  graph::Value& value = graph_.values.emplace_back();
  name_result(value, name);
  value.shape = std::move(shape);
  value.producer = static_cast<graph::NodeId>(graph_.nodes.size());
  graph_.nodes.push_back({std::move(name), type, op, std::move(attributes), inputs, {id}});
  return {id};
}

ShapeModel::Value ShapeModel::conv(std::string name, Value x, const Conv& conv) {
  graph::ConvAttributes attributes;
  attributes.kernel = {conv.kernel, conv.kernel};
  attributes.strides = {conv.stride, conv.stride};
  attributes.pads.fill(conv.padding);
  attributes.dilations = {conv.dilation, conv.dilation};
  attributes.group = conv.group;
  attributes.weight = without_elements({conv.out, conv.in / conv.group, conv.kernel, conv.kernel});
  if (conv.bias) attributes.bias = without_elements({conv.out});
  tensor::Shape y = graph::conv_shape(shape(x), attributes);
  return emit(std::move(name), "Conv", Op::conv, std::move(attributes), {x.id}, std::move(y));
}

/// Folded into the convolution before it, whose result no one else reads in these networks.
ShapeModel::Value ShapeModel::batch_norm(std::string name, Value x, std::int64_t channels, float /*gain*/) {
  graph::Node& producer = graph_.nodes[index(graph_.values[index(x.id)].producer)];
  if (auto* conv = std::get_if<graph::ConvAttributes>(&producer.attributes)) {
    conv->bias = without_elements({channels});
    name_result(graph_.values[index(x.id)], name);
    return x;
  }
  const std::vector<float> ones(index(static_cast<int>(channels)), 1.0F);
  return emit(std::move(name), "BatchNormalization", Op::scale_shift, graph::ScaleShiftAttributes{ones, ones},
              {x.id}, shape(x));
}

ShapeModel::Value ShapeModel::linear(std::string name, Value x, std::int64_t in, std::int64_t out) {
  graph::LinearAttributes attributes;
  attributes.weight = without_elements({out, in});
  attributes.bias = without_elements({out});
  tensor::Shape y = graph::linear_shape(shape(x), attributes);
  return emit(std::move(name), "Gemm", Op::linear, std::move(attributes), {x.id}, std::move(y));
}

ShapeModel::Value ShapeModel::relu(std::string name, Value x) {
  return emit(std::move(name), "Relu", Op::relu, {}, {x.id}, shape(x));
}

ShapeModel::Value ShapeModel::max_pool(std::string name, Value x, std::int64_t kernel, std::int64_t stride,
                                       std::int64_t padding) {
  graph::PoolAttributes pool{
      {kernel, kernel}, {stride, stride}, {padding, padding, padding, padding}, {1, 1}};
  tensor::Shape y = graph::pool_shape(shape(x), pool);
  return emit(std::move(name), "MaxPool", Op::max_pool, pool, {x.id}, std::move(y));
}

ShapeModel::Value ShapeModel::average_pool(std::string name, Value x, std::int64_t stride) {
  graph::PoolAttributes pool{{3, 3}, {stride, stride}, {1, 1, 1, 1}, {1, 1}};
  tensor::Shape y = graph::pool_shape(shape(x), pool);
  return emit(std::move(name), "AveragePool", Op::average_pool, pool, {x.id}, std::move(y));
}

ShapeModel::Value ShapeModel::global_average_pool(std::string name, Value x) {
  return emit(std::move(name), "GlobalAveragePool", Op::global_average_pool, {}, {x.id},
              {1, shape(x)[1], 1, 1});
}

ShapeModel::Value ShapeModel::add(std::string name, Value a, Value b) {
  return emit(std::move(name), "Add", Op::add, {}, {a.id, b.id}, shape(a));
}

ShapeModel::Value ShapeModel::concat(std::string name, const std::vector<Value>& parts) {
  tensor::Shape y = shape(parts.front());
  y[1] = 0;
  graph::ValueIds inputs;
  for (const Value part : parts) {
    inputs.push_back(part.id);
    y[1] += shape(part)[1];
  }
  return emit(std::move(name), "Concat", Op::concat, graph::AxisAttributes{1}, inputs, std::move(y));
}

ShapeModel::Value ShapeModel::shift(std::string name, Value x) {
  const tensor::Shape from = shape(x);
  const tensor::Shape y = {1, from[1], from[2] - 1, from[3] - 1};
  const std::int64_t steps[] = {0, from[2] * from[3], from[3], 1};
  graph::RearrangeAttributes moved;
  moved.offsets.resize(y.size());
  for (std::size_t d = 0; d < y.size(); ++d) {
    for (std::int64_t i = from[d] - y[d]; i < from[d]; ++i) moved.offsets[d].push_back(i * steps[d]);
  }
  return emit(std::move(name), "Slice", Op::rearrange, std::move(moved), {x.id}, y);
}

ShapeModel::Value ShapeModel::flatten(std::string name, Value x) {
  return emit(std::move(name), "Flatten", Op::flatten, graph::AxisAttributes{1}, {x.id},
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
  std::vector<ValueId> moved;
  moved.reserve(needed.size());
  for (ValueId kept = 0; const bool is_needed : needed) moved.push_back(is_needed ? kept++ : -1);
  const graph::Value* values = graph_.values.data();
  std::erase_if(graph_.nodes, [&](const graph::Node& node) { return !needed[index(node.outputs[0])]; });
  std::erase_if(graph_.values, [&](const graph::Value& value) {
    return !needed[static_cast<std::size_t>(&value - values)];
  });
  for (std::size_t n = 0; n < graph_.nodes.size(); ++n) {
    graph::Node& node = graph_.nodes[n];
    for (graph::ValueIds* ids : {&node.inputs, &node.outputs}) {
      for (ValueId& id : *ids) id = moved[index(id)];
    }
    graph_.values[index(node.outputs[0])].producer = static_cast<graph::NodeId>(n);
  }
  graph_.outputs = {moved[index(x.id)]};
  return std::move(graph_);
}

}  // namespace bitline::workloads
