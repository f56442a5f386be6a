// SPDX-License-Identifier: Apache-2.0
#include "mapper/onnx/folding_cost.h"

#include <algorithm>
#include <span>

namespace bitline::onnx {

namespace {

double elements(std::span<const std::int64_t> shape) {
  double count = 1;
  for (const std::int64_t dimension : shape) count *= static_cast<double>(dimension);
  return count;
}

/// Steps of one element of the output.
double per_element(const graph::Node& node, const std::vector<const graph::Tensor*>& inputs) {
  if (const auto* conv = std::get_if<graph::ConvAttributes>(&node.attributes)) {
    const graph::Shape& weight = conv->weight->shape;
    return elements(weight) / static_cast<double>(std::max<std::int64_t>(1, weight.front()));
  }
  if (const auto* linear = std::get_if<graph::LinearAttributes>(&node.attributes))
    return static_cast<double>(linear->weight->shape.back());
  if (const auto* pool = std::get_if<graph::PoolAttributes>(&node.attributes)) return elements(pool->kernel);
  if (const auto* resample = std::get_if<graph::ResampleAttributes>(&node.attributes))
    return static_cast<double>(resample->taps);
  if (node.op == graph::Op::matmul && !inputs.front()->shape.empty())
    return static_cast<double>(inputs.front()->shape.back());
  return static_cast<double>(std::max<std::size_t>(1, inputs.size()));  // broadcast to the output
}

}  // namespace

double folding_operations(const graph::Node& node, const std::vector<const graph::Tensor*>& inputs,
                          const graph::Shape& output) {
  double steps = elements(output) * per_element(node, inputs);
  for (const graph::Tensor* input : inputs) steps += elements(input->shape);
  return steps;
}

}  // namespace bitline::onnx
