// SPDX-License-Identifier: Apache-2.0
// LSTM, GRU and RNN against the equations of the ONNX operators, evaluated here element by element in double.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <set>

#include "mapper/reference/executor.h"
#include "text_model.h"

namespace bitline::onnx {
namespace {

using ::testing::HasSubstr;

struct Case {
  std::string type = "LSTM";
  std::string direction = "forward";
  int steps = 4, batch = 2, inputs = 3, hidden = 2;
  bool bias = true, initial = true, peepholes = false, reset_after = false, coupled = false,
       batch_first = false;
  double clip = 0.0;
  std::vector<int> lengths;
  std::vector<std::string> activations;
  [[nodiscard]] int gates() const { return type == "LSTM" ? 4 : type == "GRU" ? 3 : 1; }
  [[nodiscard]] int directions() const { return direction == "bidirectional" ? 2 : 1; }
};

struct Data {
  std::vector<double> x, w, r, b, h, c, p;
};

std::vector<double> random_values(std::mt19937& random, int count) {
  std::vector<double> values(static_cast<std::size_t>(count));
  for (double& v : values) v = (static_cast<double>(random() % 2001) - 1000.0) / 1024.0;
  return values;
}

Data data_of(const Case& k) {
  std::mt19937 random(7);
  const int d = k.directions(), rows = k.gates() * k.hidden;
  Data data;
  data.x = random_values(random, k.steps * k.batch * k.inputs);
  data.w = random_values(random, d * rows * k.inputs);
  data.r = random_values(random, d * rows * k.hidden);
  data.b = random_values(random, k.bias ? d * 2 * rows : 0);
  data.h = random_values(random, k.initial ? d * k.batch * k.hidden : 0);
  data.c = random_values(random, k.initial ? d * k.batch * k.hidden : 0);
  data.p = random_values(random, k.peepholes ? d * 3 * k.hidden : 0);
  return data;
}

double get(const std::vector<double>& values, int i) {
  return values.empty() ? 0.0 : values.at(static_cast<std::size_t>(i));
}

/// One sequence of one direction; `steps[t]` gets the state after step t.
class Sequence {
 public:
  Sequence(const Case& k, const Data& data, int d, int n) : k_(k), data_(data), d_(d), n_(n) {
    for (int i = 0; i < k.hidden; ++i) {
      h_.push_back(get(data.h, (d * k.batch + n) * k.hidden + i));
      c_.push_back(get(data.c, (d * k.batch + n) * k.hidden + i));
    }
  }
  void step(int t) {
    std::vector<double> h(h_.size()), c(c_);
    for (int i = 0; i < k_.hidden; ++i) h[static_cast<std::size_t>(i)] = unit(t, i, c);
    h_ = h;
    c_ = c;
  }
  [[nodiscard]] const std::vector<double>& h() const { return h_; }
  [[nodiscard]] const std::vector<double>& c() const { return c_; }

 private:
  double f(int which, double x) const {
    if (k_.clip > 0) x = std::clamp(x, -k_.clip, k_.clip);
    static const std::vector<std::string> kUsual = {"Sigmoid", "Tanh", "Tanh"};
    std::string name = k_.type == "RNN" ? "Tanh" : kUsual[static_cast<std::size_t>(which)];
    if (!k_.activations.empty())
      name = k_.activations[static_cast<std::size_t>(which)];  // cases with one direction
    if (name == "Sigmoid") return 1.0 / (1.0 + std::exp(-x));
    if (name == "Relu") return std::max(x, 0.0);
    if (name == "Affine") return 0.5 * x + 0.25;
    if (name == "HardSigmoid") return std::clamp(0.2 * x + 0.5, 0.0, 1.0);
    if (name == "LeakyRelu") return x < 0 ? 0.01 * x : x;
    if (name == "ScaledTanh") return 0.5 * std::tanh(0.25 * x);
    return std::tanh(x);
  }
  double input(int t, int gate, int i) const {
    double sum = 0.0;
    for (int j = 0; j < k_.inputs; ++j)
      sum += data_.x[static_cast<std::size_t>((t * k_.batch + n_) * k_.inputs + j)] *
             data_.w[static_cast<std::size_t>(((d_ * k_.gates() + gate) * k_.hidden + i) * k_.inputs + j)];
    return sum + get(data_.b, (d_ * 2 * k_.gates() + gate) * k_.hidden + i);
  }
  double recurrent(int gate, int i, const std::vector<double>& h) const {
    double sum = get(data_.b, ((d_ * 2 + 1) * k_.gates() + gate) * k_.hidden + i);
    for (int j = 0; j < k_.hidden; ++j)
      sum += h[static_cast<std::size_t>(j)] *
             data_.r[static_cast<std::size_t>(((d_ * k_.gates() + gate) * k_.hidden + i) * k_.hidden + j)];
    return sum;
  }
  double peephole(int gate, int i, double c) const {
    return get(data_.p, (d_ * 3 + gate) * k_.hidden + i) * c;
  }
  double unit(int t, int i, std::vector<double>& c) const {
    const auto at = static_cast<std::size_t>(i);
    const auto pre = [&](int gate, int row) { return input(t, gate, row) + recurrent(gate, row, h_); };
    if (k_.type == "RNN") return f(0, pre(0, i));
    if (k_.type == "GRU") {
      const double z = f(0, pre(0, i));
      std::vector<double> reset(h_);
      for (int j = 0; j < k_.hidden; ++j) reset[static_cast<std::size_t>(j)] *= f(0, pre(1, j));
      const double inner = k_.reset_after ? f(0, pre(1, i)) * recurrent(2, i, h_) : recurrent(2, i, reset);
      return (1.0 - z) * f(1, input(t, 2, i) + inner) + z * h_[at];
    }
    const double in = f(0, pre(0, i) + peephole(0, i, c_[at]));
    const double forget = k_.coupled ? 1.0 - in : f(0, pre(2, i) + peephole(2, i, c_[at]));
    c[at] = forget * c_[at] + in * f(1, pre(3, i));
    return f(0, pre(1, i) + peephole(1, i, c[at])) * f(2, c[at]);
  }
  const Case& k_;
  const Data& data_;
  int d_, n_;
  std::vector<double> h_, c_;
};

/// Y [steps, directions, batch, hidden] and the last h [directions, batch, hidden].
std::pair<std::vector<double>, std::vector<double>> expected(const Case& k, const Data& data) {
  std::vector<double> y(static_cast<std::size_t>(k.steps * k.directions() * k.batch * k.hidden), 0.0);
  std::vector<double> last;
  for (int d = 0; d < k.directions(); ++d) {
    for (int n = 0; n < k.batch; ++n) {
      const int length = k.lengths.empty() ? k.steps : k.lengths[static_cast<std::size_t>(n)];
      Sequence sequence(k, data, d, n);
      for (int s = 0; s < length; ++s) {
        const int t = d == 1 || k.direction == "reverse" ? length - 1 - s : s;
        sequence.step(t);
        const auto first = y.begin() + ((t * k.directions() + d) * k.batch + n) * k.hidden;
        std::copy(sequence.h().begin(), sequence.h().end(), first);
      }
      last.insert(last.end(), sequence.h().begin(), sequence.h().end());
    }
  }
  return {y, last};
}

std::string floats(const std::string& name, const std::vector<int>& dims, const std::vector<double>& values) {
  std::string text = "initializer { name: '" + name + "' data_type: 1 ";
  for (const int d : dims) text += "dims: " + std::to_string(d) + " ";
  for (const double v : values) text += "float_data: " + std::to_string(v) + " ";
  return text + "} ";
}

/// [a, b, c] as [b, a, c].
template <class T>
std::vector<T> swapped(const std::vector<T>& values, int a, int b, int c) {
  std::vector<T> result;
  for (int j = 0; j < b; ++j)
    for (int i = 0; i < a; ++i)
      for (int k = 0; k < c; ++k) result.push_back(values[static_cast<std::size_t>((i * b + j) * c + k)]);
  return result;
}

std::string text_of(const Case& k, const Data& data) {
  const int d = k.directions(), rows = k.gates() * k.hidden;
  std::string text =
      k.batch_first ? input("x", {k.batch, k.steps, k.inputs}) : input("x", {k.steps, k.batch, k.inputs});
  text += floats("w", {d, rows, k.inputs}, data.w) + floats("r", {d, rows, k.hidden}, data.r);
  if (k.bias) text += floats("b", {d, 2 * rows}, data.b);
  const auto state = [&](const std::string& name, const std::vector<double>& values) {
    return k.batch_first ? floats(name, {k.batch, d, k.hidden}, swapped(values, d, k.batch, k.hidden))
                         : floats(name, {d, k.batch, k.hidden}, values);
  };
  if (k.initial) text += state("h0", data.h) + state("c0", data.c);
  if (k.peepholes) text += floats("p", {d, 3 * k.hidden}, data.p);
  if (!k.lengths.empty()) text += integers("n", k.lengths);
  const auto read = [](const std::string& name) { return "input: '" + name + "' "; };
  text += "node { op_type: '" + k.type + "' name: 'cell' " + read("x") + read("w") + read("r") +
          read(k.bias ? "b" : "") + read(k.lengths.empty() ? "" : "n") + read(k.initial ? "h0" : "");
  if (k.type == "LSTM") text += read(k.initial ? "c0" : "") + read(k.peepholes ? "p" : "");
  text += "output: 'y' output: 'h' attribute { name: 'hidden_size' type: INT i: " + std::to_string(k.hidden) +
          " } attribute { name: 'direction' type: STRING s: '" + k.direction + "' } ";
  if (k.type == "GRU")
    text += "attribute { name: 'linear_before_reset' type: INT i: " + std::to_string(k.reset_after) + " } ";
  if (k.coupled) text += "attribute { name: 'input_forget' type: INT i: 1 } ";
  if (k.batch_first) text += "attribute { name: 'layout' type: INT i: 1 } ";
  if (k.clip > 0) text += "attribute { name: 'clip' type: FLOAT f: " + std::to_string(k.clip) + " } ";
  if (!k.activations.empty()) {
    text += "attribute { name: 'activations' type: STRINGS ";
    for (const std::string& name : k.activations) text += "strings: '" + name + "' ";
    text += "} ";
    const std::set<std::string> names(k.activations.begin(), k.activations.end());
    if (names.contains("Affine") || names.contains("ScaledTanh")) {
      text += "attribute { name: 'activation_alpha' type: FLOATS floats: 0.5 } ";
      text += "attribute { name: 'activation_beta' type: FLOATS floats: 0.25 } ";
    }
  }
  return text + "} " + output("y") + output("h");
}

void expect_near(const std::vector<float>& found, const std::vector<double>& wanted) {
  ASSERT_EQ(found.size(), wanted.size());
  for (std::size_t i = 0; i < found.size(); ++i)
    EXPECT_NEAR(static_cast<double>(found[i]), wanted[i], 2e-6) << "element " << i;
}

void check(const Case& k) {
  const Data data = data_of(k);
  const auto graph = std::make_shared<const graph::Graph>(import_text(text_of(k, data), 14));
  std::vector<float> x(data.x.begin(), data.x.end());
  if (k.batch_first) x = swapped(x, k.steps, k.batch, k.inputs);
  const auto outputs = reference::Executor(graph).run({{graph->shape(graph->inputs[0]), x}});
  auto [y, last] = expected(k, data);
  if (k.batch_first) {
    last = swapped(last, k.directions(), k.batch, k.hidden);
    // [steps, directions, batch] to [batch, steps, directions]
    y = swapped(y, k.steps * k.directions(), k.batch, k.hidden);
  }
  expect_near(outputs.at(0).as<float>(), y);
  expect_near(outputs.at(1).as<float>(), last);
}

class RecurrentCells : public ::testing::TestWithParam<Case> {};

TEST_P(RecurrentCells, FollowTheEquations) {
  check(GetParam());
}

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const char* type : {"LSTM", "GRU", "RNN"}) {
    for (const char* direction : {"forward", "reverse", "bidirectional"}) {
      Case k;
      k.type = type;
      k.direction = direction;
      all.push_back(k);
      k.batch_first = true;
      all.push_back(k);
      k.batch_first = false;
      k.lengths = {4, 1};
      all.push_back(k);
      k.lengths = {};
      k.bias = k.initial = false;
      all.push_back(k);
    }
    Case k;
    k.type = type;
    k.clip = 0.25;
    all.push_back(k);
    k.clip = 0.0;
    k.steps = k.batch = 1;
    all.push_back(k);
  }
  Case peepholes;
  peepholes.peepholes = true;
  all.push_back(peepholes);
  peepholes.direction = "bidirectional";
  all.push_back(peepholes);
  Case coupled;
  coupled.coupled = true;
  all.push_back(coupled);
  for (const char* direction : {"forward", "bidirectional"}) {
    Case reset;
    reset.type = "GRU";
    reset.direction = direction;
    reset.reset_after = true;
    all.push_back(reset);
  }
  for (const std::vector<std::string>& names : {std::vector<std::string>{"HardSigmoid", "Relu", "Affine"},
                                                {"Sigmoid", "LeakyRelu", "Tanh"},
                                                {"Relu", "ScaledTanh", "Sigmoid"}}) {
    Case k;
    k.activations = names;
    if (names[0] == "HardSigmoid") k.activations[0] = "Sigmoid";
    all.push_back(k);
  }
  Case hard;
  hard.activations = {"HardSigmoid", "Tanh", "Relu"};
  all.push_back(hard);
  return all;
}

INSTANTIATE_TEST_SUITE_P(All, RecurrentCells, ::testing::ValuesIn(cases()));

TEST(Recurrent, TheStepsShareTheirWeights) {
  Case k;
  k.initial = true;
  const graph::Graph g = import_text(text_of(k, data_of(k)), 14);
  std::set<const tensor::Tensor*> weights;
  int layers = 0;
  for (const graph::Node& node : g.nodes) {
    if (!graph::on_crossbars(node)) continue;
    ++layers;
    weights.insert(std::get<graph::LinearAttributes>(node.attributes).weight.get());
  }
  EXPECT_EQ(layers, 1 + k.steps - 1);  // the first state is constant, so its product is
  EXPECT_EQ(weights.size(), 2U);       // W and R
  // W 4x2x3, R 4x2x2; biases of W, none of R
  EXPECT_EQ(graph::parameters(g), 24 + 16 + 8);
}

std::string with(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(Recurrent, WhatDoesNotFitIsRefused) {
  const Case k;
  const std::string text = text_of(k, data_of(k));
  const auto refused = [&](const std::string& from, const std::string& to) {
    return error_of(model(with(text, from, to), 14));
  };
  EXPECT_THAT(
      refused("s: 'forward'", "s: 'sideways'"),
      HasSubstr("node 'cell' (LSTM): direction 'sideways'; allowed: forward, reverse, bidirectional"));
  EXPECT_THAT(refused("i: 2 }", "i: 3 }"), HasSubstr("W of shape 1x8x3; allowed: 1x12x3"));
  EXPECT_THAT(refused("name: 'direction'", "name: 'clip' type: FLOAT f: -1 } attribute { name: 'direction'"),
              HasSubstr("clip -1.000000; allowed: a positive number"));
  EXPECT_THAT(refused("name: 'direction'",
                      "name: 'activations' type: STRINGS strings: 'Elu' strings: 'Tanh' strings: 'Tanh' } "
                      "attribute { name: 'direction'"),
              HasSubstr("activation 'elu'; allowed: Affine, HardSigmoid, LeakyRelu, Relu, ScaledTanh, "));
  EXPECT_THAT(error_of(model(with(text, "dim { dim_value: 4 }", "dim { dim_value: 5000 }"), 14)),
              HasSubstr("5000 time steps; allowed: 1 to 4096"));
  Case lengths;
  lengths.lengths = {4, 5};
  EXPECT_THAT(error_of(model(text_of(lengths, data_of(lengths)), 14)),
              HasSubstr("sequence length 5; allowed: 0 to 4"));
}

}  // namespace
}  // namespace bitline::onnx
