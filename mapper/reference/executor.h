// SPDX-License-Identifier: Apache-2.0
// Runs a network in float32 with ONNX semantics: the float baseline, calibration, and (through Hooks) the
// frame in which the engine computes the crossbar layers.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "mapper/graph/graph.h"
#include "mapper/tensor/tensor.h"

namespace bitline::reference {

using graph::Tensor;

struct Hooks {
  /// Called for each conv and linear node on crossbars instead of the float computation. `y` arrives with its
  /// shape set and float data of that size, contents unspecified. Returns false to have the executor compute
  /// the node after all.
  std::function<bool(const graph::Node& node, const Tensor& x, Tensor& y)> crossbar_layer;
  /// Called with the network inputs and with every computed value as soon as it is known, in node order.
  std::function<void(graph::ValueId value, const Tensor& tensor)> observe;
};

/// Weights in the layout of the kernels are made at the first use of a node and kept, so a node that a hook
/// computes costs nothing here.
class Executor {
 public:
  explicit Executor(std::shared_ptr<const graph::Graph> graph);
  ~Executor();
  Executor(Executor&&) noexcept;
  Executor& operator=(Executor&&) noexcept;

  /// One inference. `inputs` are float tensors of the shapes of graph.inputs, in that order; the result has
  /// those of graph.outputs. Uses the calling thread only and may be called from several threads together;
  /// the result does not depend on how many. Throws base::UsageError for inputs that do not fit.
  [[nodiscard]] std::vector<Tensor> run(const std::vector<Tensor>& inputs, const Hooks& hooks = {}) const;

  [[nodiscard]] const graph::Graph& graph() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// One node on given inputs, as `run` would compute it; evaluates constants. add, concat, flatten and reshape
/// take tensors of any element type, the others float.
[[nodiscard]] Tensor evaluate(const graph::Node& node, const std::vector<const Tensor*>& inputs,
                              const graph::Shape& output_shape);

}  // namespace bitline::reference
