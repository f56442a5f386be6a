// SPDX-License-Identifier: Apache-2.0
#include "mapper/place/pipeline.h"

#include <algorithm>
#include <optional>

#include "mapper/place/gather.h"
#include "models/base/errors.h"

namespace bitline::place {
namespace {

using graph::Node;
using graph::Op;
using graph::ValueId;

/// The stream of a value of this shape where nothing else says so: images by position, others by leading
/// dimensions.
Geometry geometry_of(const graph::Shape& shape) {
  if (shape.empty()) return {};
  if (shape.size() == 4 && shape[0] == 1) return {shape[2], shape[3], shape[1], true};
  const std::int64_t last = shape.back();
  return {1, tensor::element_count(shape) / std::max<std::int64_t>(last, 1), last};
}

/// Codes and the numbers that they stand for are the same stream.
bool is_alias(Op op) {
  return op == Op::flatten || op == Op::reshape || op == Op::dequantize;
}

std::optional<Unit> unary_unit(Op op) {
  switch (op) {
    case Op::relu:
    case Op::clip:
    case Op::sigmoid:
      return Unit::activation;
    case Op::scale_shift:
      return Unit::elementwise;
    case Op::quantize:
      return Unit::requantise;
    default:
      return std::nullopt;
  }
}

/// The unit that computes an element-wise function: arithmetic on the one, curves on the other.
Unit function_unit(graph::Function function) {
  using graph::Function;
  switch (function) {
    case Function::exp:
    case Function::sqrt:
    case Function::erf:
    case Function::tanh:
    case Function::log:
    case Function::leaky_relu:
    case Function::hard_sigmoid:
    case Function::hard_swish:
    case Function::gelu:
    case Function::gelu_tanh:
    case Function::pow:
    case Function::prelu:
      return Unit::activation;
    default:
      return Unit::elementwise;
  }
}

std::optional<Unit> unary_unit(const Node& node) {
  if (node.op != Op::elementwise) return unary_unit(node.op);
  if (node.inputs.size() != 1) return std::nullopt;
  return function_unit(std::get<graph::FunctionAttributes>(node.attributes).function);
}

class PipelineBuilder {
 public:
  PipelineBuilder(Program& program, int activation_bits)
      : program_(program), graph_(*program.graph), bits_(activation_bits) {
    stage_of_.assign(graph_.values.size(), -1);
    geometry_.resize(graph_.values.size());
    fused_.assign(graph_.nodes.size(), false);
  }

  void build() {
    for (ValueId v : graph_.inputs) {
      set_value(v, add_stage(StageKind::input, graph_.values[index(v)].name, v),
                geometry_of(graph_.shape(v)));
    }
    for (std::size_t n = 0; n < graph_.nodes.size(); ++n) {
      if (!fused_[n]) add_node(static_cast<graph::NodeId>(n));
    }
    for (ValueId v : graph_.outputs) add_output(v);
  }

 private:
  static std::size_t index(int id) { return static_cast<std::size_t>(id); }

  StageId add_stage(StageKind kind, const std::string& name, ValueId value) {
    Stage stage;
    stage.kind = kind;
    stage.name = name;
    stage.value = value;
    program_.stages.push_back(std::move(stage));
    stage_geometry_.emplace_back();
    return static_cast<StageId>(program_.stages.size()) - 1;
  }

  void set_value(ValueId v, StageId stage, const Geometry& geometry) {
    stage_of_[index(v)] = stage;
    geometry_[index(v)] = geometry;
    Stage& s = program_.stages[index(stage)];
    s.value = v;
    s.pixels = geometry.pixels();
    s.pixel_bytes = packed_bytes(geometry.channels, bits_);
    stage_geometry_[index(stage)] = geometry;
  }

  /// The input of a consumer that sees `v` as `seen` through `window`. A stream of other pixels is taken
  /// whole, unless each pixel that is seen consists of the same number of pixels made one after another.
  void connect(ValueId v, StageId consumer, const Geometry& seen, Window window) {
    const StageId producer = stage_of_[index(v)];
    BITLINE_CHECK(producer >= 0);
    const Geometry& made = stage_geometry_[index(producer)];
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
    Edge edge;
    edge.producer = producer;
    edge.consumer = consumer;
    edge.window = window;
    program_.edges.push_back(std::move(edge));
    program_.stages[index(consumer)].inputs.push_back(id);
    program_.stages[index(producer)].outputs.push_back(id);
  }

  void add_node(graph::NodeId n) {
    const Node& node = graph_.node(n);
    if (is_alias(node.op)) {
      const ValueId in = node.inputs.front(), out = node.outputs.front();
      stage_of_[index(out)] = stage_of_[index(in)];
      geometry_[index(out)] = geometry_of(graph_.shape(out));
      return;
    }
    const bool crossbar = graph::on_crossbars(node);
    const StageId id =
        add_stage(crossbar ? StageKind::crossbar : StageKind::digital, node.name, node.outputs.front());
    if (crossbar) {
      LayerPlacement layer;
      layer.stage = id;
      layer.node = n;
      layer.name = node.name;
      program_.stages[index(id)].layer = static_cast<LayerId>(program_.layers.size());
      program_.layers.push_back(std::move(layer));
    }
    const Geometry out = output_geometry(node);
    set_value(node.outputs.front(), id, out);
    for (ValueId v : node.inputs) {
      if (graph_.values[index(v)].constant == nullptr)
        connect(v, id, seen_geometry(node, v), window_of(node, v, out));
    }
    // A part of a product makes some columns of it: of columns of the second matrix and all of the first.
    // Where the channels are a batch, it takes its own of both.
    if (node.op == Op::matmul && !out.image && graph_.values[index(node.inputs[0])].constant == nullptr)
      program_.edges[index(program_.stages[index(id)].inputs.front())].to_every_part = true;
    program_.stages[index(id)].by_channel = by_channel(node, out);
    add_work(n, id, out);
    fuse_unary(id, out);
    add_requantise(id, out);
    if (crossbar) program_.layers[index(program_.stages[index(id)].layer)].windows = out.pixels();
  }

  /// Each output channel takes the values of its own channels only.
  bool by_channel(const Node& node, const Geometry& out) const {
    const Geometry& in = geometry_[index(node.inputs.front())];
    const auto inside = [&](std::int64_t axis) { return in.image && axis >= 2; };
    switch (node.op) {
      case Op::softmax:
        return inside(std::get<graph::AxisAttributes>(node.attributes).axis);
      case Op::normalise:
        return inside(std::get<graph::NormaliseAttributes>(node.attributes).axis);
      case Op::resample:
        return inside(std::get<graph::ResampleAttributes>(node.attributes).axis);
      case Op::reduce:
        return in.channels == out.channels && out.pixels() == 1;
      case Op::gather:
        return false;
      default:
        return true;
    }
  }

  Geometry output_geometry(const Node& node) const {
    const graph::Shape& shape = graph_.shape(node.outputs.front());
    if (node.op == Op::linear) {
      const Geometry own = seen_geometry(node, node.inputs.front());
      return {own.h, own.w, shape.empty() ? 1 : shape.back()};
    }
    if (node.op == Op::conv || node.op == Op::max_pool || node.op == Op::average_pool)
      return geometry_of(shape);
    if (node.op == Op::rearrange) return rearranged_geometry(node);
    if (node.op == Op::matmul || node.op == Op::gather) return geometry_of(shape);
    if (node.op == Op::reduce) return reduced_geometry(node);
    // Element-wise operators keep the stream that they get.
    const Geometry& first = geometry_[index(node.inputs.front())];
    if (first.pixels() * first.channels == tensor::element_count(shape) && node.op != Op::concat)
      return first;
    return geometry_of(shape);
  }

  /// A reduction of each pixel's channels keeps the pixels.
  Geometry reduced_geometry(const Node& node) const {
    const Geometry& in = geometry_[index(node.inputs.front())];
    const graph::Shape& shape = graph_.shape(node.outputs.front());
    return within_pixels(node, in) ? Geometry{in.h, in.w, 1, in.image} : geometry_of(shape);
  }
  bool within_pixels(const Node& reduction, const Geometry& in) const {
    const auto rank = static_cast<std::int64_t>(graph_.shape(reduction.inputs.front()).size());
    const auto& axes = std::get<graph::ReduceAttributes>(reduction.attributes).axes;
    return axes.size() == 1 && axes[0] == (in.image ? 1 : rank - 1);
  }

  Geometry seen_geometry(const Node& node, ValueId v) const {
    if (node.op == Op::rearrange) return stage_geometry_[index(stage_of_[index(v)])];
    if (node.op != Op::linear) return geometry_[index(v)];
    const graph::Shape& shape = graph_.shape(v);
    const Geometry own = geometry_[index(v)];
    if (own.channels == shape.back()) return own;
    return {1, tensor::element_count(shape) / std::max<std::int64_t>(shape.back(), 1), shape.back()};
  }

  /// The stream that a rearranged tensor becomes: the pixels of its source where only channels move.
  Geometry rearranged_geometry(const Node& node) const {
    const graph::Shape& shape = graph_.shape(node.outputs.front());
    const Geometry own = geometry_of(shape);
    const Geometry in = seen_geometry(node, node.inputs.front());
    const std::int64_t count = tensor::element_count(shape);
    if (moves_within_pixels(node, in, own) || count % in.pixels() != 0) return own;
    for (const bool image : {true, false}) {
      const Geometry same{in.h, in.w, count / in.pixels(), image};
      if (moves_within_pixels(node, in, same)) return same;
    }
    return own;
  }

  /// Every pixel of a rearranged tensor is made of the pixel at that place alone.
  static bool moves_within_pixels(const Node& node, const Geometry& in, const Geometry& out) {
    if (in.pixels() != out.pixels()) return false;
    return gather_of(std::get<graph::RearrangeAttributes>(node.attributes), in, out)->pixelwise;
  }

  Window window_of(const Node& node, ValueId v, const Geometry& out) const {
    const Geometry in = seen_geometry(node, v);
    Window w;
    w.in_h = in.h, w.in_w = in.w, w.out_h = out.h, w.out_w = out.w;
    if (const auto* conv = std::get_if<graph::ConvAttributes>(&node.attributes)) {
      slide(w, conv->kernel, conv->strides, conv->pads, conv->dilations);
    } else if (const auto* pool = std::get_if<graph::PoolAttributes>(&node.attributes)) {
      slide(w, pool->kernel, pool->strides, pool->pads, pool->dilations);
    } else if (node.op == Op::global_average_pool || (node.op == Op::reduce && out.pixels() == 1)) {
      w.kind = Window::Kind::reduce;
    } else if (node.op == Op::rearrange) {
      gather(w, gather_of(std::get<graph::RearrangeAttributes>(node.attributes), in, out));
    } else if (node.op == Op::matmul && v == node.inputs[1]) {
      w.kind = Window::Kind::all;  // every row of the result takes the whole second matrix
    } else if (node.op == Op::resample) {
      const auto& resampled = std::get<graph::ResampleAttributes>(node.attributes);
      if (in.image && resampled.axis >= 2) {
        gather(w, gather_of(resampled, in, out));
      } else {
        w.kind = Window::Kind::all;
      }
    } else if (node.op == Op::gather || (node.op == Op::normalise && in.image)) {
      w.kind = Window::Kind::all;
    } else if (const auto first = first_pixel(node, v, in, out)) {
      gather(w, gather_of_part(*first, in, out));
    } else if (!same_pixels(node, in, out)) {
      w.kind = Window::Kind::all;
    }
    return w;
  }

  /// Of an operand whose pixels follow on those of the ones before it: how many these are.
  std::optional<std::int64_t> first_pixel(const Node& node, ValueId v, const Geometry& in,
                                          const Geometry& out) const {
    const bool once = std::count(node.inputs.begin(), node.inputs.end(), v) == 1;
    if (node.op != Op::concat || !once || in.image || out.image || in.channels != out.channels)
      return std::nullopt;
    const auto axis = std::get<graph::AxisAttributes>(node.attributes).axis;
    const graph::Shape& shape = graph_.shape(node.outputs.front());
    const bool outermost =
        std::all_of(shape.begin(), shape.begin() + axis, [](std::int64_t d) { return d == 1; });
    if (!outermost || axis + 1 >= static_cast<std::int64_t>(shape.size())) return std::nullopt;
    std::int64_t first = 0;
    for (auto other = node.inputs.begin(); *other != v; ++other)
      first += tensor::element_count(graph_.shape(*other)) / out.channels;
    return first;
  }

  static void gather(Window& w, std::shared_ptr<const Gather> gather) {
    w.kind = gather->pixelwise ? Window::Kind::pixelwise : Window::Kind::gathered;
    if (!gather->pixelwise) w.gather = std::move(gather);
  }

  /// Output pixel i takes input pixel i only.
  bool same_pixels(const Node& node, const Geometry& in, const Geometry& out) const {
    if (in.h != out.h || in.w != out.w) return false;
    if (node.op == Op::linear || node.op == Op::elementwise || node.op == Op::add) return true;
    if (node.op == Op::reduce) return within_pixels(node, in);
    if (node.op == Op::matmul || node.op == Op::normalise) return !in.image && !out.image;
    const graph::Shape& shape = graph_.shape(node.outputs.front());
    const auto* axis = std::get_if<graph::AxisAttributes>(&node.attributes);
    if (axis == nullptr) return in.channels == out.channels;
    const std::int64_t channel_axis = shape.size() == 4 ? 1 : static_cast<std::int64_t>(shape.size()) - 1;
    return axis->axis == channel_axis;
  }

  static void slide(Window& w, const std::vector<std::int64_t>& kernel,
                    const std::vector<std::int64_t>& strides, const std::vector<std::int64_t>& pads,
                    const std::vector<std::int64_t>& dilations) {
    w.kind = Window::Kind::sliding;
    w.kernel_h = (kernel[0] - 1) * dilations[0] + 1;
    w.kernel_w = (kernel[1] - 1) * dilations[1] + 1;
    w.stride_h = strides[0], w.stride_w = strides[1];
    w.dilation_h = dilations[0], w.dilation_w = dilations[1];
    w.pad_top = pads[0], w.pad_left = pads[1];
  }

  void add_work(graph::NodeId n, StageId id, const Geometry& out) {
    const Node& node = graph_.node(n);
    auto& work = program_.stages[index(id)].work;
    const auto computed = std::count_if(node.inputs.begin(), node.inputs.end(), [&](ValueId v) {
      return graph_.values[index(v)].constant == nullptr;
    });
    switch (node.op) {
      case Op::max_pool:
      case Op::average_pool: {
        const auto& kernel = std::get<graph::PoolAttributes>(node.attributes).kernel;
        work.push_back({Unit::pooling, out.channels * kernel[0] * kernel[1], n});
        break;
      }
      case Op::global_average_pool:
        work.push_back({Unit::pooling, tensor::element_count(graph_.shape(node.inputs.front())), n});
        break;
      case Op::add:
        work.push_back({Unit::elementwise, out.channels * std::max<std::int64_t>(computed - 1, 1), n});
        break;
      case Op::elementwise:
        work.push_back(
            {function_unit(std::get<graph::FunctionAttributes>(node.attributes).function), out.channels, n});
        break;
      case Op::conv:
        if (const auto& conv = std::get<graph::ConvAttributes>(node.attributes); conv.digital)
          work.push_back(
              {Unit::elementwise, out.channels * (conv.weight->size() / conv.weight->shape[0]), n});
        break;
      case Op::matmul:
        work.push_back({Unit::elementwise, out.channels * graph_.shape(node.inputs.front()).back(), n});
        break;
      case Op::reduce:
        work.push_back({Unit::pooling,
                        std::max<std::int64_t>(
                            1, tensor::element_count(graph_.shape(node.inputs.front())) / out.pixels()),
                        n});
        break;
      case Op::resample:
        work.push_back({Unit::elementwise,
                        out.channels * static_cast<std::int64_t>(
                                           std::get<graph::ResampleAttributes>(node.attributes).taps),
                        n});
        break;
      case Op::normalise:
        work.push_back({Unit::elementwise, 4 * out.channels, n});
        break;
      case Op::softmax:
        work.push_back({Unit::activation, out.channels, n});
        break;
      default:
        if (const auto unit = unary_unit(node)) work.push_back({*unit, out.channels, n});
    }
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
      const auto readers = graph_.consumers(v);
      const bool is_output =
          std::find(graph_.outputs.begin(), graph_.outputs.end(), v) != graph_.outputs.end();
      if (readers.size() != 1 || is_output) return;
      const Node& next = graph_.node(readers.front());
      const auto unit = unary_unit(next);
      if (!unit || next.inputs.size() != 1) return;
      fused_[index(readers.front())] = true;
      program_.stages[index(id)].work.push_back({*unit, out.channels, readers.front()});
      set_value(next.outputs.front(), id, out);
    }
  }

  void add_output(ValueId v) {
    if (graph_.values[index(v)].constant != nullptr) return;
    const StageId producer = stage_of_[index(v)];
    const Geometry made = stage_geometry_[index(producer)];
    const StageId id = add_stage(StageKind::output, graph_.values[index(v)].name, v);
    Stage& stage = program_.stages[index(id)];
    stage.pixels = made.pixels();
    stage.pixel_bytes = packed_bytes(made.channels, bits_);
    stage_geometry_[index(id)] = made;
    Window window;
    window.in_h = window.out_h = made.h;
    window.in_w = window.out_w = made.w;
    connect(v, id, made, window);
  }

  Program& program_;
  const graph::Graph& graph_;
  int bits_;
  std::vector<StageId> stage_of_;         // by value
  std::vector<Geometry> geometry_;        // by value
  std::vector<Geometry> stage_geometry_;  // by stage
  std::vector<bool> fused_;               // by node
};

}  // namespace

void build_pipeline(Program& program, int activation_bits) {
  PipelineBuilder(program, activation_bits).build();
}

}  // namespace bitline::place
