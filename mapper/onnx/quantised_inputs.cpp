// SPDX-License-Identifier: Apache-2.0
#include "mapper/onnx/quantised_inputs.h"

#include <algorithm>
#include <cmath>

#include "mapper/graph/shapes.h"
#include "mapper/reference/quantised.h"
#include "mapper/tensor/operations.h"

namespace bitline::onnx {

namespace {

using graph::Grid;
using graph::Op;
using graph::Shape;
using graph::ValueId;
using tensor::Tensor;

/// Operators between a QuantizeLinear and the node that reads its codes, at most: a file of many nodes is
/// read in time that grows with it. Runtimes put none, or a few that move elements.
constexpr int kFarthestQuantize = 256;

/// A limit of codes; beyond 32 bits there are none.
std::int64_t whole(float limit) {
  if (!(limit > static_cast<float>(INT32_MIN))) return INT32_MIN;
  return limit < 0x1p31F ? static_cast<std::int64_t>(limit) : INT32_MAX;
}

/// The range of a constant's element type.
Grid type_range(const NodeContext& node, int input) {
  if (const auto known = node.grid(input)) {
    return {.scale = {}, .zero_point = {}, .axis = 0, .low = known->low, .high = known->high};
  }
  const auto constant = node.constant(input);
  if (constant->holds<std::int8_t>())
    return {.scale = {}, .zero_point = {}, .axis = 0, .low = -128, .high = 127};
  if (constant->holds<std::uint8_t>()) return {};
  return {.scale = {}, .zero_point = {}, .axis = 0, .low = INT32_MIN, .high = INT32_MAX};
}

/// Scales or zero points: one, or one per index of the axis.
std::vector<float> steps(NodeContext& node, int input, const Shape& shape, std::int64_t axis) {
  const Tensor values = tensor::to_float(*node.constant(input));
  const auto count = static_cast<std::int64_t>(values.as<float>().size());
  if (count == 1) return values.as<float>();
  if (count == 0 || values.shape.size() != 1 || axis >= static_cast<std::int64_t>(shape.size()) ||
      count != shape[static_cast<std::size_t>(axis)]) {
    node.fail("scale or zero point of shape " + tensor::to_string(values.shape) + " for a tensor of shape " +
                  tensor::to_string(shape),
              "one, or one for each index of dimension " + std::to_string(axis));
  }
  return values.as<float>();
}

}  // namespace

Grid read_grid(NodeContext& node, const GridInputs& at, const Shape& shape, std::int64_t axis,
               const Grid& fallback) {
  Grid grid;
  grid.axis = axis;
  grid.low = fallback.low;
  grid.high = fallback.high;
  grid.scale = at.scale < 0 ? std::vector<float>{1.0F} : steps(node, at.scale, shape, axis);
  for (const float scale : grid.scale) {
    if (!(scale > 0.0F) || !std::isfinite(scale))
      node.fail("scale " + std::to_string(scale), "a positive number");
  }
  std::vector<float> zeros(1, 0.0F);
  if (at.zero_point >= 0 && node.has_input(at.zero_point)) {
    zeros = steps(node, at.zero_point, shape, axis);
    for (const float zero : zeros) {
      if (!(std::abs(zero) <= 0x1p31F) || zero != std::floor(zero))
        node.fail("zero point " + std::to_string(zero), "a whole number of at most 32 bits");
    }
    const Grid range = type_range(node, at.zero_point);
    // Codes that the network clips to less than their type stay so.
    const bool inside = fallback.low >= range.low && fallback.high <= range.high;
    if (!inside) {
      grid.low = range.low;
      grid.high = range.high;
    }
  }
  const std::size_t count = std::max(grid.scale.size(), zeros.size());
  grid.scale.resize(count, grid.scale.front());
  zeros.resize(count, zeros.front());
  grid.zero_point.assign(zeros.begin(), zeros.end());
  return grid;
}

Grid code_range_of(const NodeContext& node, int input) {
  if (node.is_constant(input) && !node.constant(input)->holds<float>()) return type_range(node, input);
  ValueId value = node.input(input);
  const graph::Node* from = node.producer(value);
  for (int steps = 0; from != nullptr && steps < kFarthestQuantize; from = node.producer(value), ++steps) {
    if (from->op == Op::quantize) {
      const Grid& grid = std::get<Grid>(from->attributes);
      return {.scale = {}, .zero_point = {}, .axis = 0, .low = grid.low, .high = grid.high};
    }
    if (const auto* clip = std::get_if<graph::ClipAttributes>(&from->attributes)) {
      return {.scale = {},
              .zero_point = {},
              .axis = 0,
              .low = whole(std::ceil(clip->min)),
              .high = whole(std::floor(clip->max))};
    }
    value = from->inputs.front();
  }
  return {.scale = {}, .zero_point = {}, .axis = 0, .low = -128, .high = 255};
}

bool clip_codes(NodeContext& node, const graph::ClipAttributes& clip) {
  if (!node.is_constant(0) || node.constant(0)->holds<float>()) return false;
  node.charge(node.constant(0)->size());
  Tensor codes = *node.constant(0);
  Grid range = type_range(node, 0);
  range.low = std::max(range.low, whole(std::ceil(clip.min)));
  range.high = std::min(range.high, whole(std::floor(clip.max)));
  if (range.low > range.high) node.fail("no code between the limits", "limits within the codes' type");
  std::visit(
      [&]<class T>(std::vector<T>& values) {
        for (T& value : values)
          value = std::clamp(value, static_cast<T>(range.low), static_cast<T>(range.high));
      },
      codes.data);
  node.result(0, std::move(codes), std::make_shared<const Grid>(range));
  return true;
}

ValueId dequantised(NodeContext& node, const GridInputs& at, const std::string& suffix) {
  ValueId codes = node.input(at.tensor);
  const Shape shape = node.shape(codes);
  const Grid grid = read_grid(node, at, shape, 0, code_range_of(node, at.tensor));
  if (!grid.per_tensor()) node.fail("an input with one scale for each channel", "one scale");
  if (node.is_constant(at.tensor)) {
    return node.make_constant(suffix, reference::dequantize({node.constant(at.tensor).get()}, grid));
  }
  return node.intermediate(suffix, Op::dequantize, grid, {codes}, shape);
}

GridWeights read_weights(NodeContext& node, const GridInputs& at, std::int64_t axis) {
  const auto codes = node.constant(at.tensor);
  if (codes->size() == 0) node.fail("empty weights");
  if (!codes->holds<std::int8_t>() && !codes->holds<std::uint8_t>())
    node.fail("weights of another type than 8-bit integers", "int8 or uint8");
  node.charge(codes->size());
  Grid grid = read_grid(node, at, codes->shape, axis, code_range_of(node, at.tensor));
  auto real = std::make_shared<const Tensor>(reference::dequantize({codes.get()}, grid));
  return {std::move(real), std::make_shared<const Grid>(std::move(grid))};
}

std::shared_ptr<const Tensor> read_bias(NodeContext& node, int input, double input_scale, const Grid& weights,
                                        std::int64_t outputs) {
  if (!node.has_input(input)) return nullptr;
  const auto codes = node.constant(input);
  const bool whole = codes->holds<std::int32_t>() && codes->size() > 0;
  if (!whole || (codes->size() != 1 && codes->size() != outputs)) {
    node.fail("bias of shape " + tensor::to_string(codes->shape),
              std::to_string(outputs) + " int32 values, one for each output");
  }
  const std::vector<std::int32_t>& values = codes->as<std::int32_t>();
  std::vector<float> real(static_cast<std::size_t>(outputs));
  for (std::size_t o = 0; o < real.size(); ++o) {
    const float scale = weights.scale[weights.per_tensor() ? 0 : o];
    const double code = values[values.size() == 1 ? 0 : o];
    real[o] = static_cast<float>(code * input_scale * static_cast<double>(scale));
  }
  return std::make_shared<const Tensor>(Tensor{{outputs}, std::move(real)});
}

std::pair<graph::LinearAttributes, Shape> linear_of(NodeContext& node, ValueId x, GridWeights weights) {
  Shape matrix = weights.real->shape;
  while (matrix.size() > 2 && matrix.front() == 1 && matrix.size() <= node.shape(x).size())
    matrix.erase(matrix.begin());
  if (matrix.size() != 2) {
    node.fail("right operand of shape " + tensor::to_string(weights.real->shape), "a matrix (2 dimensions)");
  }
  graph::LinearAttributes linear;
  linear.weight =
      std::make_shared<const Tensor>(tensor::transpose(Tensor{matrix, weights.real->as<float>()}));
  linear.grid = std::move(weights.grid);
  Shape y = graph::linear_shape(node.shape(x), linear);
  return {std::move(linear), std::move(y)};
}

void emit_quantised(NodeContext& node, Op op, graph::Attributes attributes, const graph::ValueIds& from,
                    const Shape& shape, const GridInputs& output) {
  const ValueId real = node.intermediate("/real", op, std::move(attributes), from, shape);
  const Grid grid = read_grid(node, output, shape, 0, {});
  node.emit(Op::quantize, grid, {real}, shape);
}

}  // namespace bitline::onnx
