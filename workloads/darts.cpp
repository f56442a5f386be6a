// SPDX-License-Identifier: Apache-2.0
#include "workloads/darts.h"

#include <map>
#include <utility>
#include <vector>

#include "models/base/errors.h"
#include "workloads/model.h"
#include "workloads/shape_model.h"

namespace bitline::workloads {

namespace {

// Mean scales of the normalisations: below 1, so that the sums of two branches over twenty cells stay
// bounded.
constexpr float kPreprocessGain = 0.8F;
constexpr float kOperationGain = 0.6F;

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

  Cell(Net& model, std::string name, std::int64_t channels, bool reduction)
      : model_(model), name_(std::move(name)), channels_(channels), reduction_(reduction) {}

  /// The cell's output from the outputs of the two cells before; `halved`: the last was a reduction, so that
  /// the one before it has twice the pixels.
  State build(const CellGenotype& genotype, const State& before_last, const State& last, bool halved) {
    const std::string first = name_ + ".preprocess0";
    states_.push_back(halved ? factorized_reduce(first, before_last, kPreprocessGain)
                             : relu_conv_bn(first, before_last));
    states_.push_back(relu_conv_bn(name_ + ".preprocess1", last));
    for (std::size_t e = 0; e < genotype.edges.size(); e += 2) {
      const Value a = operation(e, genotype.edges[e]);
      const Value b = operation(e + 1, genotype.edges[e + 1]);
      const std::string node = name_ + ".node" + std::to_string(states_.size());
      states_.push_back(a.empty() ? b : b.empty() ? a : model_.add(node, a, b));
    }
    std::vector<Value> parts;
    for (const int state : genotype.concat) parts.push_back(states_[static_cast<std::size_t>(state)]);
    const std::int64_t channels = channels_ * static_cast<std::int64_t>(parts.size());
    return {parts.size() == 1 ? parts[0] : model_.concat(name_ + ".concat", parts), channels};
  }

 private:
  Value bn(const std::string& name, const Value& x, float gain) {
    return model_.batch_norm(name, x, channels_, gain);
  }
  Conv pointwise(std::int64_t in, std::int64_t out, std::int64_t stride = 1) const {
    Conv conv{in, out, 1, stride};
    conv.bias = false;
    return conv;
  }

  Value relu_conv_bn(const std::string& name, const State& x) {
    const Value y = model_.relu(name + ".op.0", x.value);
    return bn(name + ".op.2", model_.conv(name + ".op.1", y, pointwise(x.channels, channels_)),
              kPreprocessGain);
  }

  /// Half of the pixels in each direction: two convolutions, one of the even and one of the odd positions.
  Value factorized_reduce(const std::string& name, const State& x, float gain) {
    const Value y = model_.relu(name + ".relu", x.value);
    const Conv half = pointwise(x.channels, channels_ / 2, 2);
    const Value even = model_.conv(name + ".conv_1", y, half);
    const Value odd = model_.conv(name + ".conv_2", model_.shift(name + ".shift", y), half);
    return bn(name + ".bn", model_.concat(name + ".cat", std::vector<Value>{even, odd}), gain);
  }

  /// Depthwise, 1x1, normalisation: modules `first` to `first` + 2 of `name`.op.
  Value separable(const std::string& name, int first, const Value& x, Conv depthwise, float gain) {
    const auto module = [&](int i) { return name + ".op." + std::to_string(first + i); };
    depthwise.in = depthwise.out = depthwise.group = channels_;
    depthwise.bias = false;
    Conv point = pointwise(channels_, channels_);
    point.after_linear = true;
    return bn(module(2), model_.conv(module(1), model_.conv(module(0), x, depthwise), point), gain);
  }

  /// A cell reads some states several times behind a ReLU.
  Value relu_of(int state) {
    Value& made = relus_[state];
    if (made.empty())
      made = model_.relu(name_ + ".relu" + std::to_string(state), states_[static_cast<std::size_t>(state)]);
    return made;
  }

  Value sep_conv(const std::string& name, int state, std::int64_t kernel, std::int64_t stride) {
    Value y = separable(name, 1, relu_of(state), {0, 0, kernel, stride, kernel / 2}, 1.0F);
    y = model_.relu(name + ".op.4", y);
    return separable(name, 5, y, {0, 0, kernel, 1, kernel / 2}, kOperationGain);
  }

  Value dil_conv(const std::string& name, int state, std::int64_t kernel, std::int64_t stride) {
    Conv depthwise{0, 0, kernel, stride, kernel - 1};
    depthwise.dilation = 2;
    return separable(name, 1, relu_of(state), depthwise, kOperationGain);
  }

  /// The value of an edge; empty for `none`.
  Value operation(std::size_t index, const CellEdge& edge) {
    const std::string name = name_ + "._ops." + std::to_string(index);
    const Value& x = states_[static_cast<std::size_t>(edge.input)];
    const std::int64_t stride = reduction_ && edge.input < 2 ? 2 : 1;
    if (edge.op == "none") return {};
    if (edge.op == "max_pool_3x3") return model_.max_pool(name, x, 3, stride, 1);
    if (edge.op == "avg_pool_3x3") return model_.average_pool(name, x, stride);
    if (edge.op == "skip_connect")
      return stride == 1 ? x : factorized_reduce(name, {x, channels_}, kOperationGain);
    if (edge.op == "sep_conv_3x3") return sep_conv(name, edge.input, 3, stride);
    if (edge.op == "sep_conv_5x5") return sep_conv(name, edge.input, 5, stride);
    if (edge.op == "dil_conv_3x3") return dil_conv(name, edge.input, 3, stride);
    BITLINE_CHECK(edge.op == "dil_conv_5x5");
    return dil_conv(name, edge.input, 5, stride);
  }

  Net& model_;
  std::string name_;
  std::int64_t channels_;
  bool reduction_;
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
  constexpr std::int64_t kStemMultiplier = 3;
  const std::int64_t stem_channels = kStemMultiplier * shape.channels;
  Conv stem{3, stem_channels, 3, 1, 1};
  stem.bias = false;
  State last = {model.batch_norm("stem.1", model.conv("stem.0", model.input(), stem), stem_channels),
                stem_channels};
  State before_last = last;
  std::int64_t channels = shape.channels;
  bool halved = false;
  for (std::int64_t i = 0; i < shape.layers; ++i) {
    const bool reduction = i == shape.layers / 3 || i == 2 * shape.layers / 3;
    if (reduction) channels *= 2;
    Cell<Net> cell(model, "cells." + std::to_string(i), channels, reduction);
    State made = cell.build(genotype.cell(static_cast<int>(i), reduction), before_last, last, halved);
    before_last = std::exchange(last, std::move(made));
    halved = reduction;
  }
  const auto x = model.flatten("flatten", model.global_average_pool("global_pooling", last.value));
  return model.finish(model.linear("classifier", x, last.channels, shape.classes), shape.classes);
}

}  // namespace

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
