// SPDX-License-Identifier: Apache-2.0
#include "mapper/reference/executor.h"

#include <mutex>

#include "mapper/graph/given_grid.h"
#include "mapper/graph/shared_weights.h"
#include "mapper/reference/dense_kernels.h"
#include "mapper/reference/digital.h"
#include "mapper/reference/elementwise.h"
#include "mapper/reference/integer_kernel.h"
#include "mapper/reference/movement.h"
#include "mapper/reference/quantised.h"
#include "mapper/reference/reduction.h"
#include "mapper/tensor/operations.h"
#include "models/base/errors.h"

namespace bitline::reference {

namespace {

using graph::Graph;
using graph::Node;
using graph::NodeId;
using graph::Op;
using graph::Shape;
using graph::ValueId;

std::size_t index(int id) {
  return static_cast<std::size_t>(id);
}

/// What a node reads, as handed to the operators.
struct Operands {
  std::vector<const Tensor*> inputs;
  /// The first input as a tensor of our own: moved where nothing else needs it, else a copy.
  std::function<Tensor()> take;
};

template <class A>
const A& attributes(const Node& node) {
  return std::get<A>(node.attributes);
}

template <class F>
Tensor in_place(const Operands& operands, F f) {
  Tensor x = operands.take();
  f(x);
  return x;
}

Tensor reshaped(const Operands& operands, const Shape& shape) {
  Tensor x = operands.take();
  x.shape = shape;
  return x;
}

Tensor compute_digital(const Node& node, const Operands& operands, const Shape& shape) {
  const Tensor& x = *operands.inputs.at(0);
  switch (node.op) {
    case Op::scale_shift:
      return in_place(operands,
                      [&](Tensor& t) { scale_shift(t, attributes<graph::ScaleShiftAttributes>(node)); });
    case Op::relu:
      return in_place(operands, relu);
    case Op::clip:
      return in_place(operands, [&](Tensor& t) { clip(t, attributes<graph::ClipAttributes>(node)); });
    case Op::sigmoid:
      return in_place(operands, sigmoid);
    case Op::elementwise:
      return elementwise(operands.inputs, attributes<graph::FunctionAttributes>(node), shape);
    case Op::gather:
      return gather(node.name, x, *operands.inputs.at(1), attributes<graph::AxisAttributes>(node).axis,
                    shape);
    case Op::rearrange:
      return rearrange(x, attributes<graph::RearrangeAttributes>(node), shape);
    case Op::reduce:
      return reduce(x, attributes<graph::ReduceAttributes>(node), shape);
    case Op::resample:
      return resample(x, attributes<graph::ResampleAttributes>(node), shape);
    case Op::normalise:
      return in_place(operands,
                      [&](Tensor& t) { normalise(t, attributes<graph::NormaliseAttributes>(node)); });
    case Op::matmul:
      return matmul(x, *operands.inputs.at(1), shape);
    case Op::softmax:
      return in_place(operands, [&](Tensor& t) { softmax(t, attributes<graph::AxisAttributes>(node).axis); });
    case Op::max_pool:
      return max_pool(x, attributes<graph::PoolAttributes>(node), shape);
    case Op::average_pool:
      return average_pool(x, attributes<graph::PoolAttributes>(node), shape);
    case Op::global_average_pool:
      return global_average_pool(x);
    case Op::add:
      return tensor::add(x, *operands.inputs.at(1));
    case Op::concat:
      return tensor::concat(operands.inputs, attributes<graph::AxisAttributes>(node).axis);
    case Op::flatten:
    case Op::reshape:
      return reshaped(operands, shape);
    case Op::quantize:
      return quantize(operands.inputs, attributes<graph::Grid>(node));
    case Op::dequantize:
      return dequantize(operands.inputs, attributes<graph::Grid>(node));
    case Op::dynamic_scale:
      return dynamic_scale(x);
    case Op::dynamic_zero_point:
      return dynamic_zero_point(x, *operands.inputs.at(1));
    case Op::conv:
    case Op::linear:
      break;
  }
  BITLINE_CHECK(false && "not a digital operator");
  return {};
}

/// Of that shape; the caller overwrites the values.
Tensor uninitialised(const Shape& shape) {
  return {shape, std::vector<float>(static_cast<std::size_t>(tensor::element_count(shape)))};
}

/// The values of one run.
class Values {
 public:
  explicit Values(const Graph& graph) : owned_(graph.values.size()), seen_(graph.values.size(), nullptr) {
    for (std::size_t v = 0; v < seen_.size(); ++v) seen_[v] = graph.values[v].constant.get();
  }
  void refer(ValueId v, const Tensor& tensor) { seen_[index(v)] = &tensor; }
  void store(ValueId v, Tensor tensor) {
    owned_[index(v)] = std::move(tensor);
    seen_[index(v)] = &owned_[index(v)];
  }
  [[nodiscard]] const Tensor& get(ValueId v) const {
    BITLINE_CHECK(seen_[index(v)] != nullptr);
    return *seen_[index(v)];
  }
  /// Moves out what is ours, copies network inputs and constants.
  [[nodiscard]] Tensor extract(ValueId v) {
    if (seen_[index(v)] != &owned_[index(v)]) return get(v);
    seen_[index(v)] = nullptr;
    return std::move(owned_[index(v)]);
  }
  void drop(ValueId v) { owned_[index(v)] = Tensor{}; }

 private:
  std::vector<Tensor> owned_;
  std::vector<const Tensor*> seen_;
};

/// By node: the first linear layer without a grid of its own that does the same (the steps of a recurrent
/// layer).
std::vector<NodeId> same_kernels(const Graph& network) {
  std::vector<NodeId> result = graph::first_with_weights(network);
  for (std::size_t n = 0; n < result.size(); ++n) {
    const Node& node = network.nodes[n];
    const Node& first = network.node(result[n]);
    const auto* own = std::get_if<graph::LinearAttributes>(&node.attributes);
    const auto* other = std::get_if<graph::LinearAttributes>(&first.attributes);
    const bool same = own != nullptr && other != nullptr && own->bias == other->bias &&
                      own->grid == nullptr && network.shape(node.inputs[0]) == network.shape(first.inputs[0]);
    if (!same) result[n] = static_cast<NodeId>(n);
  }
  return result;
}

}  // namespace

struct Executor::State {
  explicit State(std::shared_ptr<const Graph> g)
      : network(std::move(g)),
        last_use(network->values.size(), -1),
        kernel_of(same_kernels(*network)),
        kernels(network->nodes.size()),
        made(network->nodes.size()) {
    for (std::size_t n = 0; n < network->nodes.size(); ++n) {
      for (const ValueId v : network->nodes[n].inputs) last_use[index(v)] = static_cast<NodeId>(n);
    }
    for (const ValueId v : network->outputs) last_use[index(v)] = static_cast<NodeId>(network->nodes.size());
  }

  const DenseKernel& kernel(NodeId n) {
    n = kernel_of[index(n)];
    std::call_once(made[index(n)], [&] {
      const Node& node = network->node(n);
      const Shape& x = network->shape(node.inputs.at(0));
      const Shape& y = network->shape(node.outputs.at(0));
      const graph::Grid* given = graph::given_grid(*network, node.inputs.at(0));
      if (given != nullptr && weight_grid(node) != nullptr)
        kernels[index(n)] = make_integer_kernel(node, *given, x, y);
      if (!kernels[index(n)]) kernels[index(n)] = make_dense_kernel(node, x, y);
    });
    return *kernels[index(n)];
  }

  Tensor run_dense(NodeId n, const Values& values, const Hooks& hooks, Workspace& workspace) {
    const Node& node = network->node(n);
    const Tensor& x = values.get(node.inputs.at(0));
    Tensor y = uninitialised(network->shape(node.outputs.at(0)));
    const bool hooked = hooks.crossbar_layer && on_crossbars(node);
    if (!hooked || !hooks.crossbar_layer(node, x, y)) {
      kernel(n).run(x.as<float>().data(), y.as<float>().data(), workspace);
    }
    return y;
  }

  Tensor run_digital(NodeId n, Values& values) const {
    const Node& node = network->node(n);
    Operands operands;
    for (const ValueId v : node.inputs) operands.inputs.push_back(&values.get(v));
    const ValueId first = node.inputs.at(0);
    const bool last = last_use[index(first)] == n;
    operands.take = [&values, first, last] { return last ? values.extract(first) : values.get(first); };
    return compute_digital(node, operands, network->shape(node.outputs.at(0)));
  }

  /// Workspaces are kept between runs: as many as runs were ever under way together.
  std::unique_ptr<Workspace> borrow() {
    const std::lock_guard lock(mutex);
    if (idle.empty()) return std::make_unique<Workspace>();
    std::unique_ptr<Workspace> workspace = std::move(idle.back());
    idle.pop_back();
    return workspace;
  }
  void give_back(std::unique_ptr<Workspace> workspace) {
    const std::lock_guard lock(mutex);
    idle.push_back(std::move(workspace));
  }

  std::shared_ptr<const Graph> network;
  std::vector<NodeId>
      last_use;  ///< by value: the last node that reads it; -1: none; nodes.size(): a network output
  std::vector<NodeId> kernel_of;  ///< by node: whose kernel computes it
  std::vector<std::unique_ptr<DenseKernel>> kernels;
  std::vector<std::once_flag> made;
  std::mutex mutex;
  std::vector<std::unique_ptr<Workspace>> idle;
};

namespace {

void check_inputs(const Graph& graph, const std::vector<Tensor>& inputs) {
  if (inputs.size() != graph.inputs.size()) {
    throw base::UsageError({"network '" + graph.name + "'", std::to_string(inputs.size()) + " input arrays",
                            std::to_string(graph.inputs.size()), ""});
  }
  std::vector<base::Problem> problems;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const graph::Value& expected = graph.values[index(graph.inputs[i])];
    const bool has_values = inputs[i].holds<float>() && inputs[i].shape == expected.shape &&
                            static_cast<std::int64_t>(inputs[i].as<float>().size()) == inputs[i].size();
    if (has_values) continue;
    problems.push_back({"network input '" + expected.name + "'",
                        "array of shape " + tensor::to_string(inputs[i].shape) +
                            (inputs[i].holds<float>() ? "" : " that is not float32"),
                        "float32 of shape " + tensor::to_string(expected.shape), ""});
  }
  if (!problems.empty()) throw base::UsageError(problems);
}

}  // namespace

Executor::Executor(std::shared_ptr<const Graph> graph) : state_(std::make_unique<State>(std::move(graph))) {}
Executor::~Executor() = default;
Executor::Executor(Executor&&) noexcept = default;
Executor& Executor::operator=(Executor&&) noexcept = default;

const Graph& Executor::graph() const {
  return *state_->network;
}

std::vector<Tensor> Executor::run(const std::vector<Tensor>& inputs, const Hooks& hooks) const {
  const Graph& network = *state_->network;
  check_inputs(network, inputs);
  const SingleThread one;
  std::unique_ptr<Workspace> workspace = state_->borrow();
  Values values(network);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    values.refer(network.inputs[i], inputs[i]);
    if (hooks.observe) hooks.observe(network.inputs[i], inputs[i]);
  }
  for (std::size_t n = 0; n < network.nodes.size(); ++n) {
    const Node& node = network.nodes[n];
    const auto id = static_cast<NodeId>(n);
    const ValueId out = node.outputs.at(0);
    values.store(out, is_dense(node) ? state_->run_dense(id, values, hooks, *workspace)
                                     : state_->run_digital(id, values));
    if (hooks.observe) hooks.observe(out, values.get(out));
    for (const ValueId v : node.inputs) {
      if (state_->last_use[index(v)] == id) values.drop(v);
    }
  }
  std::vector<Tensor> outputs;
  for (const ValueId v : network.outputs) outputs.push_back(values.get(v));
  state_->give_back(std::move(workspace));
  return outputs;
}

Tensor evaluate(const Node& node, const std::vector<const Tensor*>& inputs, const Shape& output_shape) {
  if (!is_dense(node)) return compute_digital(node, {inputs, [&] { return *inputs.at(0); }}, output_shape);
  const SingleThread one;
  Workspace workspace;
  const Tensor& x = *inputs.at(0);
  Tensor y = uninitialised(output_shape);
  make_dense_kernel(node, x.shape, y.shape)->run(x.as<float>().data(), y.as<float>().data(), workspace);
  return y;
}

}  // namespace bitline::reference
