// SPDX-License-Identifier: Apache-2.0
#include "mapper/onnx/recurrence.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace bitline::onnx {

namespace {

using graph::Shape;
using tensor::Tensor;

constexpr std::int64_t kMostSteps = 4096;

/// Activations that take alpha and beta, with their defaults.
struct Known {
  const char* name;
  bool has_alpha, has_beta;
  float alpha, beta;
};
constexpr Known kKnown[] = {{"affine", true, true, 1.0F, 0.0F},      {"hardsigmoid", true, true, 0.2F, 0.5F},
                            {"leakyrelu", true, false, 0.01F, 0.0F}, {"relu", false, false, 0.0F, 0.0F},
                            {"scaledtanh", true, true, 1.0F, 1.0F},  {"sigmoid", false, false, 0.0F, 0.0F},
                            {"tanh", false, false, 0.0F, 0.0F}};

std::vector<std::string> default_activations(Cell cell) {
  if (cell == Cell::lstm) return {"Sigmoid", "Tanh", "Tanh"};
  if (cell == Cell::gru) return {"Sigmoid", "Tanh"};
  return {"Tanh"};
}

std::vector<Activation> read_activations(NodeContext& node, Cell cell, std::int64_t directions) {
  const std::vector<std::string> one = default_activations(cell);
  std::vector<std::string> names = node.texts("activations", {});
  if (names.empty()) {
    for (std::int64_t d = 0; d < directions; ++d) names.insert(names.end(), one.begin(), one.end());
  }
  if (names.size() != one.size() * static_cast<std::size_t>(directions))
    node.fail(std::to_string(names.size()) + " activations",
              std::to_string(one.size() * static_cast<std::size_t>(directions)));
  const std::vector<float> alphas = node.reals("activation_alpha", {});
  const std::vector<float> betas = node.reals("activation_beta", {});
  auto alpha = alphas.begin();
  auto beta = betas.begin();
  std::vector<Activation> result;
  for (std::string name : names) {
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const auto* known =
        std::find_if(std::begin(kKnown), std::end(kKnown), [&](const Known& k) { return name == k.name; });
    if (known == std::end(kKnown))
      node.fail("activation '" + name + "'",
                "Affine, HardSigmoid, LeakyRelu, Relu, ScaledTanh, Sigmoid, Tanh");
    Activation activation{name, known->alpha, known->beta};
    if (known->has_alpha && alpha != alphas.end()) activation.alpha = *alpha++;
    if (known->has_beta && beta != betas.end()) activation.beta = *beta++;
    result.push_back(std::move(activation));
  }
  return result;
}

void require_shape(const NodeContext& node, const char* what, const Shape& given, const Shape& needed) {
  if (given != needed)
    node.fail(std::string(what) + " of shape " + tensor::to_string(given), tensor::to_string(needed));
}

std::vector<std::int64_t> read_lengths(NodeContext& node, const Recurrence& r) {
  if (!node.has_input(4)) return {};
  std::vector<std::int64_t> lengths = node.integer_list(4);
  if (static_cast<std::int64_t>(lengths.size()) != r.batch)
    node.fail(std::to_string(lengths.size()) + " sequence lengths", std::to_string(r.batch));
  for (const std::int64_t length : lengths) {
    if (length < 0 || length > r.steps)
      node.fail("sequence length " + std::to_string(length), "0 to " + std::to_string(r.steps));
  }
  return lengths;
}

/// Rows [first, first + count) of direction d of a tensor [directions, rows, columns].
Tensor rows_of(const Tensor& all, std::int64_t d, std::int64_t first, std::int64_t count) {
  const std::int64_t columns = all.shape[2];
  const auto begin = all.as<float>().begin() + (d * all.shape[1] + first) * columns;
  return {{count, columns}, std::vector<float>(begin, begin + count * columns)};
}

/// Those rows as the weight of a linear layer, on the grid that the file gives them.
graph::LinearAttributes linear(NodeContext& node, int input, std::int64_t d, std::int64_t first,
                               std::int64_t count) {
  graph::LinearAttributes result;
  const auto all = node.weights(input);
  node.charge(count * all->shape[2]);
  result.weight = std::make_shared<const Tensor>(rows_of(*all, d, first, count));
  if (const auto grid = node.weight_grid(input, 1)) {
    graph::Grid own = *grid;
    own.axis = 0;
    if (!own.per_tensor()) {
      own.scale.assign(grid->scale.begin() + first, grid->scale.begin() + first + count);
      own.zero_point.assign(grid->zero_point.begin() + first, grid->zero_point.begin() + first + count);
    }
    result.grid = std::make_shared<const graph::Grid>(std::move(own));
  }
  return result;
}

std::shared_ptr<const Tensor> bias_tensor(std::vector<float> values) {
  const auto size = static_cast<std::int64_t>(values.size());
  return std::make_shared<const Tensor>(Tensor{{size}, std::move(values)});
}

/// Those of the inputs plus those of the state, except the last `apart`, which are added elsewhere.
void add_biases(NodeContext& node, const Recurrence& r, std::int64_t d, RecurrentWeights& weights) {
  if (!node.has_input(3)) return;
  const std::int64_t rows = r.gates() * r.hidden;
  const std::vector<float>& all = node.weights(3)->as<float>();
  const auto first = all.begin() + d * 2 * rows;
  std::vector<float> input(first, first + rows);
  std::vector<float> state(first + rows, first + 2 * rows);
  const std::int64_t apart = r.cell == Cell::gru && r.reset_after ? r.hidden : 0;
  for (std::int64_t i = 0; i < rows - apart; ++i)
    input[static_cast<std::size_t>(i)] += std::exchange(state[static_cast<std::size_t>(i)], 0.0F);
  weights.input.bias = bias_tensor(std::move(input));
  if (apart > 0) weights.recurrent[0].bias = bias_tensor(std::move(state));
}

}  // namespace

Recurrence read_recurrence(NodeContext& node, Cell cell) {
  node.ignore({"output_sequence"});  // of operator set 1: output 0 is made where it is read
  Recurrence r;
  r.cell = cell;
  r.batch_first = node.integer("layout", 0) != 0;
  const Shape x = node.shape(node.input(0));
  if (x.size() != 3)
    node.fail("input of shape " + tensor::to_string(x), "3 dimensions (steps, batch, inputs)");
  r.steps = x[r.batch_first ? 1 : 0];
  r.batch = x[r.batch_first ? 0 : 1];
  r.inputs = x[2];
  if (r.steps > kMostSteps)
    node.fail(std::to_string(r.steps) + " time steps", "1 to " + std::to_string(kMostSteps));
  const std::string direction = node.text("direction", "forward");
  if (direction != "forward" && direction != "reverse" && direction != "bidirectional")
    node.fail("direction '" + direction + "'", "forward, reverse, bidirectional");
  r.directions = direction == "bidirectional" ? 2 : 1;
  r.backward = direction == "reverse";
  const Shape recurrent = node.weights(2)->shape;
  r.hidden = node.integer("hidden_size", recurrent.back());
  if (r.hidden < 1 || r.hidden > INT32_MAX) node.fail("hidden_size " + std::to_string(r.hidden), "1 or more");
  const std::int64_t rows = r.gates() * r.hidden;
  require_shape(node, "W", node.weights(1)->shape, {r.directions, rows, r.inputs});
  require_shape(node, "R", recurrent, {r.directions, rows, r.hidden});
  if (node.has_input(3)) require_shape(node, "B", node.weights(3)->shape, {r.directions, 2 * rows});
  r.has_peepholes = cell == Cell::lstm && node.has_input(7);
  if (r.has_peepholes) require_shape(node, "P", node.weights(7)->shape, {r.directions, 3 * r.hidden});
  if (cell == Cell::gru) r.reset_after = node.integer("linear_before_reset", 0) != 0;
  if (cell == Cell::lstm) r.coupled = node.integer("input_forget", 0) != 0;
  r.clip = node.real("clip", 0.0F);
  if (r.clip < 0.0F) node.fail("clip " + std::to_string(r.clip), "a positive number");
  r.activations = read_activations(node, cell, r.directions);
  r.lengths = read_lengths(node, r);
  return r;
}

RecurrentWeights read_recurrent_weights(NodeContext& node, const Recurrence& r, std::int64_t direction) {
  const std::int64_t rows = r.gates() * r.hidden;
  RecurrentWeights weights;
  weights.input = linear(node, 1, direction, 0, rows);
  if (r.cell == Cell::gru && !r.reset_after) {
    weights.recurrent.push_back(linear(node, 2, direction, 0, 2 * r.hidden));
    weights.recurrent.push_back(linear(node, 2, direction, 2 * r.hidden, r.hidden));
  } else {
    weights.recurrent.push_back(linear(node, 2, direction, 0, rows));
  }
  add_biases(node, r, direction, weights);
  return weights;
}

}  // namespace bitline::onnx
