// SPDX-License-Identifier: Apache-2.0
#include "sim/cut_layers.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "mapper/place/partition.h"
#include "mapper/slice/slicer.h"

namespace bitline::sim {
namespace {

using graph::Graph;
using graph::Node;
using graph::NodeId;
using graph::Tensor;
using quantize::LayerQuant;

std::size_t index(std::int64_t i) {
  return static_cast<std::size_t>(i);
}

/// Outputs [first, last) of a layer.
struct Range {
  std::int64_t first = 0;
  std::int64_t last = 0;
};

/// Where the outputs of a layer lie in its result.
std::int64_t output_axis(const Graph& graph, const Node& node) {
  return node.op == graph::Op::conv ? 1 : std::ssize(graph.shape(node.outputs.front())) - 1;
}

class Cutter {
 public:
  Cutter(const Graph& whole, const arch::Arch& arch) : whole_(whole), arch_(arch) {}

  /// As few outputs each as the chip asks for; one range where the layer is not cut.
  [[nodiscard]] std::vector<Range> ranges(const LayerQuant& quant) const {
    const Node& node = whole_.node(quant.node);
    const slice::LayerShape shape = slice::layer_shape(node);
    const std::int64_t outputs = shape.outputs_per_group;
    const auto* conv = std::get_if<graph::ConvAttributes>(&node.attributes);
    // A stream of pixels has its channels in the second of four dimensions.
    const bool whole = conv != nullptr ? conv->group > 1 || conv->spread_groups > 1
                                       : whole_.shape(node.outputs.front()).size() == 4;
    std::int64_t most = 0;  // outputs that fit
    if (!whole && arch_.mapping.replicas.size() <= 1) {
      std::int64_t too_many = outputs + 1;
      while (too_many - most > 1) {
        const std::int64_t middle = most + (too_many - most) / 2;
        (fits(quant, shape, middle) ? most : too_many) = middle;
      }
    }
    std::vector<Range> result;
    if (most == 0) most = outputs;
    for (std::int64_t first = 0; first < outputs; first += most)
      result.push_back({first, std::min(first + most, outputs)});
    return result;
  }

 private:
  [[nodiscard]] bool fits(const LayerQuant& quant, const slice::LayerShape& shape,
                          std::int64_t outputs) const {
    place::MatrixShape matrix;
    matrix.rows = shape.rows_per_group;
    matrix.outputs = outputs;
    matrix.arrays = arch_.encoding.arrays();
    const int bits = slice::code_bits(quant.weights, arch_.encoding.weights);
    matrix.slices = std::ssize(slice::make_slices(bits, arch_));
    const std::int64_t imas =
        (place::crossbar_count(matrix, arch_) + arch_.ima.crossbars - 1) / arch_.ima.crossbars;
    return imas * copies(quant.node) <= std::int64_t{arch_.chip.tiles} * arch_.tile.imas;
  }

  /// That mapping.replicas asks for: at most one per window.
  [[nodiscard]] std::int64_t copies(NodeId n) const {
    if (arch_.mapping.replication != arch::Replication::per_layer) return 1;
    const Node& node = whole_.node(n);
    const graph::Shape& shape = whole_.shape(node.outputs.front());
    const std::int64_t windows = tensor::element_count(shape) / shape[index(output_axis(whole_, node))];
    return std::clamp<std::int64_t>(arch_.mapping.replicas.front(), 1, std::max<std::int64_t>(windows, 1));
  }

  const Graph& whole_;
  const arch::Arch& arch_;
};

/// Rows [first, last) of the first dimension; none where only the shape is known.
std::shared_ptr<const Tensor> rows_of(const std::shared_ptr<const Tensor>& tensor, const Range& range) {
  if (!tensor) return nullptr;
  graph::Shape shape = tensor->shape;
  const std::int64_t each = tensor->size() / shape[0];
  shape[0] = range.last - range.first;
  const std::vector<float>& all = tensor->as<float>();
  std::vector<float> own;
  if (!all.empty()) own.assign(all.begin() + range.first * each, all.begin() + range.last * each);
  return std::make_shared<const Tensor>(Tensor{std::move(shape), std::move(own)});
}

std::shared_ptr<const graph::Grid> grid_of(const std::shared_ptr<const graph::Grid>& grid,
                                           const Range& range) {
  if (!grid || grid->per_tensor()) return grid;
  graph::Grid own = *grid;
  own.scale.assign(grid->scale.begin() + range.first, grid->scale.begin() + range.last);
  own.zero_point.assign(grid->zero_point.begin() + range.first, grid->zero_point.begin() + range.last);
  return std::make_shared<const graph::Grid>(std::move(own));
}

LayerQuant quant_of(const LayerQuant& whole, NodeId node, const Range& range, std::int64_t outputs) {
  LayerQuant part = whole;
  part.node = node;
  const auto cut = [&](auto& values) {
    const std::int64_t each = std::ssize(values) / outputs;
    values = {values.begin() + range.first * each, values.begin() + range.last * each};
  };
  cut(part.weights.scale);
  cut(part.weights.codes);
  if (range.first > 0) part.weights.saturated = 0;  // counted with the first part
  return part;
}

/// The parts of a layer and their Concat, behind the nodes of `graph`.
void add_parts(Graph& graph, const Node& node, const std::vector<Range>& ranges) {
  const std::int64_t axis = output_axis(graph, node);
  Node joined{node.name + " [joined]",     "Concat", graph::Op::concat,
              graph::AxisAttributes{axis}, {},       node.outputs};
  for (std::size_t p = 0; p < ranges.size(); ++p) {
    Node part = node;
    part.name = fmt::format("{} [{} of {}]", node.name, p + 1, ranges.size());
    const auto cut = [&](auto& attributes) {
      attributes.weight = rows_of(attributes.weight, ranges[p]);
      attributes.bias = rows_of(attributes.bias, ranges[p]);
      attributes.grid = grid_of(attributes.grid, ranges[p]);
    };
    if (node.op == graph::Op::conv)
      cut(std::get<graph::ConvAttributes>(part.attributes));
    else
      cut(std::get<graph::LinearAttributes>(part.attributes));
    graph::Value value;
    value.name = part.name;
    value.shape = graph.shape(node.outputs.front());
    value.shape[index(axis)] = ranges[p].last - ranges[p].first;
    part.outputs = {static_cast<graph::ValueId>(graph.values.size())};
    joined.inputs.push_back(part.outputs.front());
    graph.values.push_back(std::move(value));
    graph.nodes.push_back(std::move(part));
  }
  graph.nodes.push_back(std::move(joined));
}

}  // namespace

CutNetwork cut_layers(std::shared_ptr<const Graph> graph, std::vector<LayerQuant> layers,
                      const arch::Arch& arch) {
  const Cutter cutter(*graph, arch);
  std::vector<std::vector<Range>> ranges;
  ranges.reserve(layers.size());
  for (const LayerQuant& layer : layers) ranges.push_back(cutter.ranges(layer));
  if (std::all_of(ranges.begin(), ranges.end(), [](const auto& r) { return r.size() == 1; }))
    return {std::move(graph), std::move(layers)};

  CutNetwork result;
  auto cut = std::make_shared<Graph>(*graph);
  cut->nodes.clear();
  std::size_t l = 0;
  for (std::size_t n = 0; n < graph->nodes.size(); ++n) {
    const bool layer = l < layers.size() && layers[l].node == static_cast<NodeId>(n);
    const auto first = static_cast<NodeId>(cut->nodes.size());
    if (layer && ranges[l].size() > 1) {
      for (std::size_t p = 0; p < ranges[l].size(); ++p)
        result.layers.push_back(
            quant_of(layers[l], first + static_cast<NodeId>(p), ranges[l][p], ranges[l].back().last));
      add_parts(*cut, graph->nodes[n], ranges[l]);
    } else {
      cut->nodes.push_back(graph->nodes[n]);
      if (layer) {
        result.layers.push_back(std::move(layers[l]));
        result.layers.back().node = first;
      }
    }
    l += layer ? 1 : 0;
  }
  for (std::size_t n = 0; n < cut->nodes.size(); ++n)
    for (const graph::ValueId v : cut->nodes[n].outputs)
      cut->values[index(v)].producer = static_cast<NodeId>(n);
  result.graph = std::move(cut);
  return result;
}

std::string whole_layer(const std::string& name) {
  const std::size_t part = name.rfind(" [");
  if (part == std::string::npos || !name.ends_with(']')) return name;
  const std::string between = name.substr(part + 2, name.size() - part - 3);
  const std::size_t of = between.find(" of ");
  const auto is_number = [](const std::string& text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
  };
  const bool is_part =
      of != std::string::npos && is_number(between.substr(0, of)) && is_number(between.substr(of + 4));
  return is_part ? name.substr(0, part) : name;
}

}  // namespace bitline::sim
