// SPDX-License-Identifier: Apache-2.0
// Small graphs and sliced layers for the placement tests. Only shapes matter here, so weights are empty.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "mapper/place/program.h"

namespace bitline::place::testing {

/// Builds a graph node by node; every method returns the value it makes.
class GraphBuilder {
 public:
  graph::ValueId input(graph::Shape shape) {
    const graph::ValueId v = value("input", std::move(shape));
    graph_.inputs.push_back(v);
    return v;
  }
  graph::ValueId conv(graph::ValueId x, std::int64_t outputs, std::int64_t kernel, std::int64_t stride,
                      std::int64_t pad, std::int64_t group = 1) {
    const graph::Shape in = graph_.shape(x);
    graph::ConvAttributes a;
    a.kernel = {kernel, kernel};
    a.strides = {stride, stride};
    a.pads = {pad, pad, pad, pad};
    a.dilations = {1, 1};
    a.group = group;
    const auto out = [&](std::int64_t size) { return (size + 2 * pad - kernel) / stride + 1; };
    return node("conv", graph::Op::conv, a, {x}, {1, outputs, out(in[2]), out(in[3])});
  }
  graph::ValueId linear(graph::ValueId x, std::int64_t outputs) {
    return node("fc", graph::Op::linear, graph::LinearAttributes{}, {x}, {1, outputs});
  }
  graph::ValueId flatten(graph::ValueId x) {
    return node("flatten", graph::Op::flatten, graph::AxisAttributes{1}, {x},
                {1, tensor::element_count(graph_.shape(x))});
  }
  graph::ValueId relu(graph::ValueId x) { return node("relu", graph::Op::relu, {}, {x}, graph_.shape(x)); }
  graph::ValueId max_pool(graph::ValueId x, std::int64_t kernel, std::int64_t stride) {
    const graph::Shape& in = graph_.shape(x);
    graph::PoolAttributes a;
    a.kernel = {kernel, kernel};
    a.strides = {stride, stride};
    a.pads = {0, 0, 0, 0};
    a.dilations = {1, 1};
    const auto out = [&](std::int64_t size) { return (size - kernel) / stride + 1; };
    return node("pool", graph::Op::max_pool, a, {x}, {1, in[1], out(in[2]), out(in[3])});
  }
  graph::ValueId concat(graph::ValueId a, graph::ValueId b) {
    graph::Shape shape = graph_.shape(a);
    shape[1] += graph_.shape(b)[1];
    return node("concat", graph::Op::concat, graph::AxisAttributes{1}, {a, b}, shape);
  }
  graph::ValueId add(graph::ValueId a, graph::ValueId b) {
    return node("add", graph::Op::add, {}, {a, b}, graph_.shape(a));
  }
  graph::ValueId global_pool(graph::ValueId x) {
    return node("gap", graph::Op::global_average_pool, {}, {x}, {1, graph_.shape(x)[1], 1, 1});
  }
  std::shared_ptr<const graph::Graph> output(graph::ValueId v) {
    graph_.outputs = {v};
    return std::make_shared<graph::Graph>(graph_);
  }

 private:
  graph::ValueId value(const std::string& name, graph::Shape shape, graph::NodeId producer = -1) {
    graph_.values.push_back(
        {name + std::to_string(graph_.values.size()), std::move(shape), producer, nullptr});
    return static_cast<graph::ValueId>(graph_.values.size()) - 1;
  }
  graph::ValueId node(const std::string& name, graph::Op op, graph::Attributes attributes,
                      graph::ValueIds inputs, graph::Shape shape) {
    const auto id = static_cast<graph::NodeId>(graph_.nodes.size());
    const graph::ValueId out = value(name, std::move(shape), id);
    graph_.nodes.push_back(
        {name + std::to_string(id), name, op, std::move(attributes), std::move(inputs), {out}});
    return out;
  }
  graph::Graph graph_;
};

/// A layer of `rows` x `outputs` per group with the machine's slices and row blocks.
inline std::shared_ptr<const slice::SlicedLayer> sliced(const arch::Arch& arch, int rows, int outputs,
                                                        int groups = 1, int arrays = 1) {
  auto layer = std::make_shared<slice::SlicedLayer>();
  layer->groups = groups;
  layer->rows_per_group = rows;
  layer->outputs_per_group = outputs;
  layer->arrays = arrays;
  layer->encoding = arch.encoding.weights;
  layer->reference_column = arch::has_reference_column(arch);
  const int count = arch.precision.weights.bits / arch.device.bits_per_cell;
  for (int s = count - 1; s >= 0; --s)
    layer->slices.push_back({arch.device.bits_per_cell, s * arch.device.bits_per_cell, 1});
  for (int band = 0; band < rows; band += arch.crossbar.rows) {
    const int end = std::min(rows, band + arch.crossbar.rows);
    for (int r = band; r < end; r += arch.crossbar.active_rows) {
      layer->blocks.push_back({r, std::min(end, r + arch.crossbar.active_rows)});
    }
  }
  layer->adc_bits.assign(layer->blocks.size(), std::vector<int>(layer->slices.size(), 8));
  return layer;
}

/// Sliced layers for all crossbar nodes of a graph.
inline std::vector<LayerInput> sliced_layers(const graph::Graph& graph, const arch::Arch& arch) {
  std::vector<LayerInput> layers;
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
    const graph::Node& node = graph.nodes[n];
    if (!graph::on_crossbars(node)) continue;
    const graph::Shape& in = graph.shape(node.inputs.front());
    const graph::Shape& out = graph.shape(node.outputs.front());
    int rows = static_cast<int>(in.back()), groups = 1;
    if (const auto* conv = std::get_if<graph::ConvAttributes>(&node.attributes)) {
      groups = static_cast<int>(conv->group);
      rows = static_cast<int>(in[1] / conv->group * conv->kernel[0] * conv->kernel[1]);
    }
    layers.push_back({static_cast<graph::NodeId>(n),
                      sliced(arch, rows, static_cast<int>(out[1]) / groups, groups, arch.encoding.arrays())});
  }
  return layers;
}

}  // namespace bitline::place::testing
