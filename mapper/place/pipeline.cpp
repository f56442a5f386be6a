// SPDX-License-Identifier: Apache-2.0
#include "mapper/place/pipeline.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "mapper/place/digital_work.h"
#include "mapper/place/streams.h"
#include "models/base/errors.h"

namespace bitline::place {
namespace {

using graph::Node;
using graph::Op;
using graph::ValueId;

/// Codes and the numbers that they stand for are the same stream.
bool is_alias(Op op) {
  return op == Op::flatten || op == Op::reshape || op == Op::dequantize;
}

class PipelineBuilder {
 public:
  PipelineBuilder(Program& program, int activation_bits)
      : program_(program), graph_(*program.graph), streams_(graph_), bits_(activation_bits) {
    stage_of_.assign(graph_.values.size(), -1);
    fused_.assign(graph_.nodes.size(), false);
    only_reader_.assign(graph_.values.size(), kNone);
    std::size_t edges = 0;
    for (std::size_t n = 0; n < graph_.nodes.size(); ++n) {
      edges += graph_.nodes[n].inputs.size();
      for (const ValueId v : graph_.nodes[n].inputs) {
        graph::NodeId& reader = only_reader_[index(v)];
        const auto id = static_cast<graph::NodeId>(n);
        reader = reader == kNone || reader == id ? id : kSeveral;
      }
    }
    program_.stages.reserve(graph_.nodes.size() + graph_.inputs.size() + graph_.outputs.size());
    program_.edges.reserve(edges + graph_.outputs.size());
    program_.layers.reserve(graph_.nodes.size());
  }

  void build() {
    for (ValueId v : graph_.inputs) {
      set_value(v, add_stage(StageKind::input, graph_.values[index(v)].name, v),
                Streams::of_shape(graph_.shape(v)));
    }
    for (std::size_t n = 0; n < graph_.nodes.size(); ++n) {
      if (!fused_[n]) add_node(static_cast<graph::NodeId>(n));
    }
    for (ValueId v : graph_.outputs) add_output(v);
  }

 private:
  static std::size_t index(int id) { return static_cast<std::size_t>(id); }

  StageId add_stage(StageKind kind, const std::string& name, ValueId value) {
    Stage& stage = program_.stages.emplace_back();
    stage.kind = kind;
    stage.name = name;
    stage.value = value;
    return static_cast<StageId>(program_.stages.size()) - 1;
  }

  void set_value(ValueId v, StageId stage, const Geometry& geometry) {
    stage_of_[index(v)] = stage;
    streams_.set(v, geometry);
    Stage& s = program_.stages[index(stage)];
    s.value = v;
    s.pixels = geometry.pixels();
    s.pixel_bytes = packed_bytes(geometry.channels, bits_);
  }

  /// The input of a consumer that sees `v` as `seen` through `window`. A stream of other pixels is taken
  /// whole, unless each pixel that is seen consists of the same number of pixels made one after another.
  void connect(ValueId v, StageId consumer, const Geometry& seen, Window window) {
    const StageId producer = stage_of_[index(v)];
    BITLINE_CHECK(producer >= 0);
    const Geometry& made = streams_.made(v);
    if (!(made == seen)) {
      const bool rows = !made.image && !seen.image && made.pixels() % seen.pixels() == 0;
      const bool grouped = rows && window.kind == Window::Kind::pixelwise;
      window.kind = grouped ? Window::Kind::sliding : Window::Kind::all;
      window.in_h = grouped ? 1 : made.h;
      window.in_w = grouped ? made.pixels() : made.w;
      if (grouped) {
        window.out_h = 1;
        window.out_w = seen.pixels();
        window.kernel_w = window.stride_w = made.pixels() / seen.pixels();
      }
    }
    const EdgeId id = static_cast<EdgeId>(program_.edges.size());
    Edge& edge = program_.edges.emplace_back();
    edge.producer = producer;
    edge.consumer = consumer;
    edge.window = std::move(window);
    program_.stages[index(consumer)].inputs.push_back(id);
    program_.stages[index(producer)].outputs.push_back(id);
  }

  void add_node(graph::NodeId n) {
    const Node& node = graph_.node(n);
    if (is_alias(node.op)) {
      const ValueId in = node.inputs.front(), out = node.outputs.front();
      stage_of_[index(out)] = stage_of_[index(in)];
      streams_.set_alias(out, in);
      return;
    }
    const bool crossbar = graph::on_crossbars(node);
    const StageId id =
        add_stage(crossbar ? StageKind::crossbar : StageKind::digital, node.name, node.outputs.front());
    if (crossbar) {
      program_.stages[index(id)].layer = static_cast<LayerId>(program_.layers.size());
      LayerPlacement& layer = program_.layers.emplace_back();
      layer.stage = id;
      layer.node = n;
      layer.name = node.name;
    }
    const Geometry out = streams_.output(node);
    set_value(node.outputs.front(), id, out);
    for (ValueId v : node.inputs) {
      if (graph_.values[index(v)].constant == nullptr)
        connect(v, id, streams_.seen(node, v), streams_.window(node, v, out));
    }
    // A part of a product makes some columns of it: of columns of the second matrix and all of the first.
    // Where the channels are a batch, it takes its own of both.
    if (node.op == Op::matmul && !out.image && graph_.values[index(node.inputs[0])].constant == nullptr)
      program_.edges[index(program_.stages[index(id)].inputs.front())].to_every_part = true;
    program_.stages[index(id)].by_channel = streams_.by_channel(node, out);
    if (const auto work = own_work(graph_, n, out)) program_.stages[index(id)].work.push_back(*work);
    fuse_unary(id, out);
    add_requantise(id, out);
    if (crossbar) program_.layers[index(program_.stages[index(id)].layer)].windows = out.pixels();
  }

  /// Every stage's results are quantised once, by an operator of the network or for the next layer.
  void add_requantise(StageId id, const Geometry& out) {
    auto& work = program_.stages[index(id)].work;
    const bool given =
        std::any_of(work.begin(), work.end(), [](const auto& w) { return w.unit == Unit::requantise; });
    if (!given) work.push_back({Unit::requantise, out.channels, -1});
  }

  /// Takes the chain of unary operators that alone read the stage's value into the stage.
  void fuse_unary(StageId id, const Geometry& out) {
    for (;;) {
      const ValueId v = program_.stages[index(id)].value;
      const graph::NodeId reader = only_reader_[index(v)];
      const bool is_output =
          std::find(graph_.outputs.begin(), graph_.outputs.end(), v) != graph_.outputs.end();
      if (reader < 0 || is_output) return;
      const Node& next = graph_.node(reader);
      const auto unit = unary_unit(next);
      if (!unit || next.inputs.size() != 1) return;
      fused_[index(reader)] = true;
      program_.stages[index(id)].work.push_back({*unit, out.channels, reader});
      set_value(next.outputs.front(), id, out);
    }
  }

  void add_output(ValueId v) {
    if (graph_.values[index(v)].constant != nullptr) return;
    const Geometry made = streams_.made(v);
    const StageId id = add_stage(StageKind::output, graph_.values[index(v)].name, v);
    Stage& stage = program_.stages[index(id)];
    stage.pixels = made.pixels();
    stage.pixel_bytes = packed_bytes(made.channels, bits_);
    Window window;
    window.in_h = window.out_h = made.h;
    window.in_w = window.out_w = made.w;
    connect(v, id, made, window);
  }

  Program& program_;
  const graph::Graph& graph_;
  Streams streams_;
  int bits_;
  std::vector<StageId> stage_of_;  // by value
  std::vector<bool> fused_;        // by node
  static constexpr graph::NodeId kNone = -1, kSeveral = -2;
  std::vector<graph::NodeId> only_reader_;  // by value
};

}  // namespace

void build_pipeline(Program& program, int activation_bits) {
  PipelineBuilder(program, activation_bits).build();
}

}  // namespace bitline::place
