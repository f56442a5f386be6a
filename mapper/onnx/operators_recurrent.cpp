// SPDX-License-Identifier: Apache-2.0
// LSTM, GRU and RNN, unrolled over the length of the sequence, which is known. The products with the inputs
// of all steps are one linear layer; those with the state are one layer for each step, which have the same
// weights and so share their crossbars.
#include <algorithm>
#include <utility>

#include "mapper/onnx/operators.h"
#include "mapper/onnx/operators_movement.h"
#include "mapper/onnx/recurrence.h"
#include "mapper/tensor/operations.h"

namespace bitline::onnx {

namespace {

using graph::Function;
using graph::FunctionAttributes;
using graph::Op;
using graph::Shape;
using graph::ValueId;

/// The steps of one direction.
class Unroller {
 public:
  Unroller(NodeContext& node, const Recurrence& r, std::int64_t direction)
      : node_(node), r_(r), d_(direction), state_shape_{r.batch, r.hidden} {
    if (r.directions == 2) prefix_ = direction == 0 ? "/forward" : "/reverse";
  }

  void run(ValueId x) {
    const std::vector<float> zeros(static_cast<std::size_t>(r_.batch * r_.hidden), 0.0F);
    zero_ = node_.make_constant(prefix_ + "/zero", {state_shape_, zeros});
    one_ = node_.make_constant(prefix_ + "/1", {{}, std::vector<float>{1.0F}});
    const RecurrentWeights weights = read_recurrent_weights(node_, r_, d_);
    if (r_.has_peepholes) read_peepholes();
    h_ = initial(5);
    if (r_.cell == Cell::lstm) c_ = initial(6);
    recurrent_ = weights.recurrent;
    projected_ = emit_linear("/W", weights.input, x);
    y_.resize(static_cast<std::size_t>(r_.steps));
    for (std::int64_t i = 0; i < r_.steps; ++i) step(r_.reverse(d_) ? r_.steps - 1 - i : i);
  }

  [[nodiscard]] ValueId state() const { return h_; }
  [[nodiscard]] ValueId cell_state() const { return c_; }
  /// States of all steps: [steps, batch, hidden].
  [[nodiscard]] ValueId states() {
    graph::ValueIds parts;
    for (std::size_t t = 0; t < y_.size(); ++t) {
      parts.push_back(
          reshaped(node_, prefix_ + at(static_cast<std::int64_t>(t), "/y"), y_[t], {1, r_.batch, r_.hidden}));
    }
    if (parts.size() == 1) return parts[0];
    return node_.intermediate(prefix_ + "/states", Op::concat, graph::AxisAttributes{0}, parts,
                              {r_.steps, r_.batch, r_.hidden});
  }

 private:
  static std::string at(std::int64_t t, const std::string& what) { return "/t" + std::to_string(t) + what; }
  [[nodiscard]] std::string name(const std::string& what) const { return prefix_ + at(t_, what); }

  ValueId emit_linear(const std::string& suffix, const graph::LinearAttributes& linear, ValueId x) {
    Shape y = node_.shape(x);
    y.back() = linear.weight->shape[0];
    return node_.intermediate(prefix_ + suffix, Op::linear, linear, {x}, y);
  }
  ValueId recurrent(std::size_t i, ValueId x) {
    return emit_linear(at(t_, i == 0 ? "/R" : "/Rh"), recurrent_.at(i), x);
  }
  ValueId add(const std::string& what, ValueId a, ValueId b) {
    return node_.intermediate(name(what), Op::add, {}, {a, b},
                              tensor::broadcast_shape(node_.shape(a), node_.shape(b)));
  }
  ValueId apply(const std::string& what, FunctionAttributes f, const graph::ValueIds& from) {
    Shape shape = node_.shape(from.back());
    if (from.size() == 2) shape = tensor::broadcast_shape(node_.shape(from[0]), shape);
    return node_.intermediate(name(what), Op::elementwise, f, from, shape);
  }
  ValueId constant(const std::string& what, float value) {
    return node_.make_constant(name(what), {{}, std::vector<float>{value}});
  }
  /// `count` gates from gate `first` on.
  ValueId gates(const std::string& what, ValueId all, std::int64_t first, std::int64_t count = 1) {
    return taken(node_, name(what), all, 1, counted(count * r_.hidden, first * r_.hidden));
  }

  ValueId activate(const std::string& what, std::size_t which, ValueId x) {
    const auto per_direction = r_.activations.size() / static_cast<std::size_t>(r_.directions);
    const Activation& f = r_.activations[static_cast<std::size_t>(d_) * per_direction + which];
    if (r_.clip > 0.0F)
      x = node_.intermediate(name(what + "/clip"), Op::clip, graph::ClipAttributes{-r_.clip, r_.clip}, {x},
                             node_.shape(x));
    const Shape& shape = node_.shape(x);
    if (f.name == "sigmoid") return node_.intermediate(name(what), Op::sigmoid, {}, {x}, Shape(shape));
    if (f.name == "relu") return node_.intermediate(name(what), Op::relu, {}, {x}, Shape(shape));
    if (f.name == "tanh") return apply(what, {Function::tanh}, {x});
    if (f.name == "leakyrelu") return apply(what, {Function::leaky_relu, f.alpha}, {x});
    if (f.name == "hardsigmoid") return apply(what, {Function::hard_sigmoid, f.alpha, f.beta}, {x});
    if (f.name == "affine") {
      const ValueId scaled =
          apply(what + "/scaled", {Function::mul}, {constant(what + "/alpha", f.alpha), x});
      return add(what, scaled, constant(what + "/beta", f.beta));
    }
    const ValueId inner = apply(what + "/inner", {Function::mul}, {constant(what + "/beta", f.beta), x});
    const ValueId curve = apply(what + "/tanh", {Function::tanh}, {inner});
    return apply(what, {Function::mul}, {constant(what + "/alpha", f.alpha), curve});
  }

  /// Input `i` ([directions, batch, hidden], batch first with layout = 1) of this direction; zero where
  /// absent.
  ValueId initial(int i) {
    if (!node_.has_input(i)) return zero_;
    Shape shape = {r_.directions, r_.batch, r_.hidden};
    if (r_.batch_first) std::swap(shape[0], shape[1]);
    const ValueId given = node_.input(i);
    if (node_.shape(given) != shape)
      node_.fail("initial state of shape " + tensor::to_string(node_.shape(given)), tensor::to_string(shape));
    View view(shape);
    view.take(r_.batch_first ? 1 : 0, {d_});
    return node_.intermediate(prefix_ + (i == 5 ? "/h" : "/c"), Op::rearrange, std::move(view).attributes(),
                              {given}, state_shape_);
  }

  void read_peepholes() {
    const std::vector<float>& all = node_.weights(7)->as<float>();
    for (std::int64_t k = 0; k < 3; ++k) {
      const auto first = all.begin() + (d_ * 3 + k) * r_.hidden;
      peepholes_.push_back(node_.make_constant(prefix_ + "/P" + std::to_string(k),
                                               {{r_.hidden}, std::vector<float>(first, first + r_.hidden)}));
    }
  }
  /// Peepholes are for the gates i, o, f.
  ValueId with_peephole(const std::string& what, ValueId x, std::size_t k, ValueId c) {
    if (peepholes_.empty()) return x;
    return add(what + "/sum", x, apply(what + "/peephole", {Function::mul}, {peepholes_[k], c}));
  }

  void step(std::int64_t t) {
    t_ = t;
    View view({r_.steps, r_.batch, r_.gates() * r_.hidden});
    view.take(0, {t});
    const ValueId x = node_.intermediate(name("/x"), Op::rearrange, std::move(view).attributes(),
                                         {projected_}, {r_.batch, r_.gates() * r_.hidden});
    const ValueId before = h_;
    const ValueId c_before = c_;
    if (r_.cell == Cell::lstm) {
      lstm(x);
    } else if (r_.cell == Cell::gru) {
      gru(x);
    } else {
      h_ = activate("/h", 0, add("/sum", x, recurrent(0, h_)));
    }
    y_[static_cast<std::size_t>(t)] = h_;
    mask(before, c_before);
  }

  void lstm(ValueId x) {
    const ValueId all = add("/gates", x, recurrent(0, h_));
    const ValueId i = activate("/i", 0, with_peephole("/i", gates("/i/gate", all, 0), 0, c_));
    const ValueId f = r_.coupled ? apply("/f", {Function::sub}, {one_, i})
                                 : activate("/f", 0, with_peephole("/f", gates("/f/gate", all, 2), 2, c_));
    const ValueId g = activate("/g", 1, gates("/g/gate", all, 3));
    const ValueId kept = apply("/kept", {Function::mul}, {f, c_});
    c_ = add("/c", kept, apply("/new", {Function::mul}, {i, g}));
    const ValueId o = activate("/o", 0, with_peephole("/o", gates("/o/gate", all, 1), 1, c_));
    h_ = apply("/h", {Function::mul}, {o, activate("/cell", 2, c_)});
  }

  void gru(ValueId x) {
    const ValueId r_product = recurrent(0, h_);
    const ValueId zr =
        add("/gates", gates("/x/zr", x, 0, 2), r_.reset_after ? gates("/R/zr", r_product, 0, 2) : r_product);
    const ValueId z = activate("/z", 0, gates("/z/gate", zr, 0));
    const ValueId r = activate("/r", 0, gates("/r/gate", zr, 1));
    const ValueId reset = r_.reset_after ? apply("/reset", {Function::mul}, {r, gates("/R/h", r_product, 2)})
                                         : recurrent(1, apply("/reset", {Function::mul}, {r, h_}));
    const ValueId n = activate("/n", 1, add("/n/sum", gates("/x/h", x, 2), reset));
    // (1 - z) n + z h
    h_ = add("/h", n, apply("/kept", {Function::mul}, {z, apply("/difference", {Function::sub}, {h_, n})}));
  }

  /// Sequences of the batch that are shorter keep their state, and give zeros.
  void mask(ValueId before, ValueId c_before) {
    const auto ended = [&](std::int64_t length) { return length <= t_; };
    if (std::none_of(r_.lengths.begin(), r_.lengths.end(), ended)) return;
    std::vector<float> runs;
    for (const std::int64_t length : r_.lengths) runs.push_back(ended(length) ? 0.0F : 1.0F);
    const ValueId mask = node_.make_constant(name("/runs"), {{r_.batch, 1}, std::move(runs)});
    const auto select = [&](const std::string& what, ValueId a, ValueId b) {
      return node_.intermediate(name(what), Op::elementwise, FunctionAttributes{Function::select},
                                {mask, a, b}, state_shape_);
    };
    y_[static_cast<std::size_t>(t_)] = select("/shown", h_, zero_);
    h_ = select("/held", h_, before);
    if (r_.cell == Cell::lstm) c_ = select("/c/held", c_, c_before);
  }

  NodeContext& node_;
  const Recurrence& r_;
  std::int64_t d_;
  Shape state_shape_;
  std::string prefix_;
  std::vector<graph::LinearAttributes> recurrent_;
  std::vector<ValueId> peepholes_;
  ValueId zero_ = -1, one_ = -1, projected_ = -1, h_ = -1, c_ = -1;
  std::vector<ValueId> y_;
  std::int64_t t_ = 0;
};

/// The last states of all directions: [directions, batch, hidden].
ValueId last_states(NodeContext& node, const Recurrence& r, const std::string& suffix,
                    const std::vector<ValueId>& states) {
  graph::ValueIds parts;
  for (std::size_t d = 0; d < states.size(); ++d)
    parts.push_back(reshaped(node, suffix + std::to_string(d), states[d], {1, r.batch, r.hidden}));
  const ValueId all = parts.size() == 1 ? parts[0]
                                        : node.intermediate(suffix, Op::concat, graph::AxisAttributes{0},
                                                            parts, {r.directions, r.batch, r.hidden});
  return r.batch_first ? permuted(node, suffix + "/batch", all, {1, 0, 2}) : all;
}

/// The states of all steps: [steps, directions, batch, hidden].
ValueId all_states(NodeContext& node, const Recurrence& r, std::vector<Unroller>& directions) {
  graph::ValueIds parts;
  for (std::size_t d = 0; d < directions.size(); ++d) {
    parts.push_back(
        reshaped(node, "/Y" + std::to_string(d), directions[d].states(), {r.steps, 1, r.batch, r.hidden}));
  }
  const ValueId all = parts.size() == 1 ? parts[0]
                                        : node.intermediate("/Y", Op::concat, graph::AxisAttributes{1}, parts,
                                                            {r.steps, r.directions, r.batch, r.hidden});
  return r.batch_first ? permuted(node, "/Y/batch", all, {2, 0, 1, 3}) : all;
}

void import_recurrent(NodeContext& node, Cell cell) {
  const Recurrence r = read_recurrence(node, cell);
  ValueId x = node.input(0);
  if (r.batch_first) x = permuted(node, "/X", x, {1, 0, 2});
  std::vector<Unroller> directions;
  std::vector<ValueId> states, cells;
  for (std::int64_t d = 0; d < r.directions; ++d) {
    directions.emplace_back(node, r, d).run(x);
    states.push_back(directions.back().state());
    cells.push_back(directions.back().cell_state());
  }
  if (node.is_read(0)) node.forward(0, all_states(node, r, directions));
  if (node.is_read(1)) node.forward(1, last_states(node, r, "/Y_h", states));
  if (node.is_read(2) && cell == Cell::lstm) node.forward(2, last_states(node, r, "/Y_c", cells));
}

}  // namespace

void import_lstm(NodeContext& node) {
  import_recurrent(node, Cell::lstm);
}
void import_gru(NodeContext& node) {
  import_recurrent(node, Cell::gru);
}
void import_rnn(NodeContext& node) {
  import_recurrent(node, Cell::rnn);
}

}  // namespace bitline::onnx
