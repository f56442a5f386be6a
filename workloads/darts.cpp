// SPDX-License-Identifier: Apache-2.0
#include "workloads/darts.h"

#include <map>
#include <utility>
#include <vector>

#include "models/base/errors.h"
#include "workloads/darts_layers.h"
#include "workloads/model.h"
#include "workloads/shape_model.h"

namespace bitline::workloads {

namespace {

/// `Net`: Model, or ShapeModel.
template <class Net>
class Cell {
 public:
  using Value = typename Net::Value;
  /// A value and its number of channels.
  struct State {
    Value value;
    std::int64_t channels = 0;
  };

  Cell(Net& model, std::string name, const DartsCell& cell)
      : model_(model), layers_(model, cell.channels), name_(std::move(name)), cell_(cell) {}

  /// The cell's output from the outputs of the two cells before.
  State build(const CellGenotype& genotype, const State& before_last, const State& last) {
    const std::string first = name_ + ".preprocess0";
    states_.push_back(cell_.halved ? layers_.factorized_reduce(first, before_last.value, before_last.channels,
                                                               kPreprocessGain)
                                   : layers_.relu_conv_bn(first, before_last.value, before_last.channels));
    states_.push_back(layers_.relu_conv_bn(name_ + ".preprocess1", last.value, last.channels));
    for (std::size_t e = 0; e < genotype.edges.size(); e += 2) {
      const Value a = operation(e, genotype.edges[e]);
      const Value b = operation(e + 1, genotype.edges[e + 1]);
      const std::string node = name_ + ".node" + std::to_string(states_.size());
      states_.push_back(a.empty() ? b : b.empty() ? a : model_.add(node, a, b));
    }
    std::vector<Value> parts;
    for (const int state : genotype.concat) parts.push_back(states_[static_cast<std::size_t>(state)]);
    const std::int64_t channels = cell_.channels * static_cast<std::int64_t>(parts.size());
    return {parts.size() == 1 ? parts[0] : model_.concat(name_ + ".concat", parts), channels};
  }

 private:
  /// A cell reads some states several times behind a ReLU.
  Value relu_of(int state) {
    Value& made = relus_[state];
    if (made.empty())
      made = model_.relu(name_ + ".relu" + std::to_string(state), states_[static_cast<std::size_t>(state)]);
    return made;
  }

  /// The value of an edge; empty for `none`.
  Value operation(std::size_t index, const CellEdge& edge) {
    if (edge.op == "none") return {};
    const std::int64_t stride = cell_.reduction && edge.input < 2 ? 2 : 1;
    return layers_.operation(edge.op, name_ + "._ops." + std::to_string(index),
                             states_[static_cast<std::size_t>(edge.input)], stride,
                             [&] { return relu_of(edge.input); });
  }

  Net& model_;
  DartsLayers<Net> layers_;
  std::string name_;
  const DartsCell& cell_;
  std::vector<Value> states_;
  std::map<int, Value> relus_;
};

void validate(const Genotype& genotype, const DartsShape& shape) {
  std::vector<base::Problem> problems;
  if (shape.resolution % 4 != 0) {
    problems.push_back({"workload darts", "resolution " + std::to_string(shape.resolution),
                        "a multiple of 4: the network halves it twice", ""});
  }
  for (const auto& [cell, edges] : genotype.cells) {
    if (cell < shape.layers) continue;
    problems.push_back({"workload darts", "the genotype describes cell " + std::to_string(cell),
                        "0 to " + std::to_string(shape.layers - 1), "raise --layers"});
  }
  if (!problems.empty()) throw base::UsageError(std::move(problems));
}

/// The network on `model`, up to what finish() gives.
template <class Net>
auto build(Net& model, const Genotype& genotype, const DartsShape& shape) {
  using State = typename Cell<Net>::State;
  const std::int64_t stem_channels = kDartsStemMultiplier * shape.channels;
  Conv stem{3, stem_channels, 3, 1, 1};
  stem.bias = false;
  State last = {model.batch_norm("stem.1", model.conv("stem.0", model.input(), stem), stem_channels),
                stem_channels};
  State before_last = last;
  const std::vector<DartsCell> cells = darts_cells(shape);
  for (std::size_t i = 0; i < cells.size(); ++i) {
    Cell<Net> cell(model, "cells." + std::to_string(i), cells[i]);
    State made = cell.build(genotype.cell(static_cast<int>(i), cells[i].reduction), before_last, last);
    before_last = std::exchange(last, std::move(made));
  }
  const auto x = model.flatten("flatten", model.global_average_pool("global_pooling", last.value));
  return model.finish(model.linear("classifier", x, last.channels, shape.classes), shape.classes);
}

}  // namespace

std::vector<DartsCell> darts_cells(const DartsShape& shape) {
  std::vector<DartsCell> cells;
  DartsCell next;
  next.channels = shape.channels;
  next.channels_in0 = next.channels_in1 = kDartsStemMultiplier * shape.channels;
  next.resolution = shape.resolution;
  for (std::int64_t i = 0; i < shape.layers; ++i) {
    next.reduction = i == shape.layers / 3 || i == 2 * shape.layers / 3;
    if (next.reduction) next.channels *= 2;
    cells.push_back(next);
    next.channels_in0 = std::exchange(next.channels_in1, kDartsNodes * next.channels);
    next.halved = next.reduction;
    if (next.reduction) next.resolution /= 2;
  }
  return cells;
}

std::string make_darts(const std::string& name, Seed seed, const Genotype& genotype,
                       const DartsShape& shape) {
  validate(genotype, shape);
  Model model(name, seed, {3, shape.resolution, shape.resolution});
  return build(model, genotype, shape);
}

graph::Graph darts_shapes(const std::string& name, const Genotype& genotype, const DartsShape& shape) {
  validate(genotype, shape);
  ShapeModel model(name, {3, shape.resolution, shape.resolution});
  return build(model, genotype, shape);
}

}  // namespace bitline::workloads
