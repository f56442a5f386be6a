// SPDX-License-Identifier: Apache-2.0
#include "mapper/place/digital_work.h"

#include <algorithm>

namespace bitline::place {

using graph::Node;
using graph::Op;
using graph::ValueId;

namespace {

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

}  // namespace

std::optional<Unit> unary_unit(const Node& node) {
  if (node.op != Op::elementwise) return unary_unit(node.op);
  if (node.inputs.size() != 1) return std::nullopt;
  return function_unit(std::get<graph::FunctionAttributes>(node.attributes).function);
}

std::optional<UnitWork> own_work(const graph::Graph& graph, graph::NodeId n, const Geometry& out) {
  const Node& node = graph.node(n);
  const auto computed = std::count_if(node.inputs.begin(), node.inputs.end(), [&](ValueId v) {
    return graph.values[static_cast<std::size_t>(v)].constant == nullptr;
  });
  switch (node.op) {
    case Op::max_pool:
    case Op::average_pool: {
      const auto& kernel = std::get<graph::PoolAttributes>(node.attributes).kernel;
      return UnitWork{Unit::pooling, out.channels * kernel[0] * kernel[1], n};
    }
    case Op::global_average_pool:
      return UnitWork{Unit::pooling, tensor::element_count(graph.shape(node.inputs.front())), n};
    case Op::add:
      return UnitWork{Unit::elementwise, out.channels * std::max<std::int64_t>(computed - 1, 1), n};
    case Op::elementwise:
      return UnitWork{function_unit(std::get<graph::FunctionAttributes>(node.attributes).function),
                      out.channels, n};
    case Op::conv:
      if (const auto& conv = std::get<graph::ConvAttributes>(node.attributes); conv.digital)
        return UnitWork{Unit::elementwise, out.channels * (conv.weight->size() / conv.weight->shape[0]), n};
      return std::nullopt;
    case Op::matmul:
      return UnitWork{Unit::elementwise, out.channels * graph.shape(node.inputs.front()).back(), n};
    case Op::reduce:
      return UnitWork{
          Unit::pooling,
          std::max<std::int64_t>(1, tensor::element_count(graph.shape(node.inputs.front())) / out.pixels()),
          n};
    case Op::resample:
      return UnitWork{
          Unit::elementwise,
          out.channels * static_cast<std::int64_t>(std::get<graph::ResampleAttributes>(node.attributes).taps),
          n};
    case Op::normalise:
      return UnitWork{Unit::elementwise, 4 * out.channels, n};
    case Op::softmax:
      return UnitWork{Unit::activation, out.channels, n};
    default:
      if (const auto unit = unary_unit(node)) return UnitWork{*unit, out.channels, n};
      return std::nullopt;
  }
}

double seconds_of(const UnitWork& work, const tile::TileParams& tile) {
  const auto on = [&](const digital::UnitParams& unit) {
    return static_cast<double>(work.elements) / (unit.units * unit.clock.value());
  };
  switch (work.unit) {
    case Unit::activation:
      return on(tile.activation);
    case Unit::pooling:
      return on(tile.pooling);
    case Unit::elementwise:
      return on(tile.elementwise);
    case Unit::requantise:
      return on(tile.requantise);
    case Unit::none:
      break;
  }
  return 0;
}

}  // namespace bitline::place
