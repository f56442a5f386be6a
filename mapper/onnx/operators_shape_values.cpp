// SPDX-License-Identifier: Apache-2.0
// Values that follow from shapes: all are known at import.
#include <algorithm>
#include <cmath>
#include <utility>

#include "mapper/onnx/node_context.h"
#include "mapper/onnx/operators.h"
#include "mapper/tensor/operations.h"

namespace bitline::onnx {

namespace {

using graph::Shape;
using tensor::Tensor;

/// start, start + delta, ... up to `limit`, as the elements of a T.
template <class T>
Tensor range(NodeContext& node, T start, T limit, T delta) {
  if (delta == T{0}) node.fail("delta 0", "any other number");
  const double steps = (static_cast<double>(limit) - static_cast<double>(start)) / static_cast<double>(delta);
  if (!(steps < 0x1p40)) node.fail("a range of " + std::to_string(steps) + " values", "less than 2^40");
  const auto count = static_cast<std::int64_t>(std::max(0.0, std::ceil(steps)));
  node.require_size({std::max<std::int64_t>(count, 1)});
  node.charge(count);
  std::vector<T> values(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<T>(start + static_cast<T>(i) * delta);
  return {{count}, std::move(values)};
}

}  // namespace

void import_shape(NodeContext& node) {
  const Shape shape = node.shape(node.input(0));
  const auto rank = static_cast<std::int64_t>(shape.size());
  std::int64_t start = node.opset() >= 15 ? node.integer("start", 0) : 0;
  std::int64_t end = node.opset() >= 15 ? node.integer("end", rank) : rank;
  for (std::int64_t* bound : {&start, &end})
    *bound = std::clamp<std::int64_t>(*bound < 0 ? *bound + rank : *bound, 0, rank);
  end = std::max(start, end);
  node.result(0, {{end - start}, std::vector<std::int64_t>(shape.begin() + start, shape.begin() + end)});
}

void import_constant_of_shape(NodeContext& node) {
  const Shape shape = node.integer_list(0);
  Tensor value = node.attribute_tensor("value");
  if (value.size() != 1) node.fail("a value of shape " + tensor::to_string(value.shape), "one element");
  const std::int64_t count = tensor::element_count(shape);
  if (count > 0) node.require_size(shape);
  node.charge(count);
  std::visit([&](auto& values) { values.resize(static_cast<std::size_t>(count), values[0]); }, value.data);
  node.result(0, {shape, std::move(value.data)});
}

void import_range(NodeContext& node) {
  const auto start = node.constant(0);
  const auto limit = node.constant(1);
  const auto delta = node.constant(2);
  if (start->size() != 1 || limit->size() != 1 || delta->size() != 1)
    node.fail("limits that are not scalars");
  if (start->holds<float>() || limit->holds<float>() || delta->holds<float>()) {
    return node.result(
        0, range<float>(node, tensor::to_float(*start).as<float>()[0],
                        tensor::to_float(*limit).as<float>()[0], tensor::to_float(*delta).as<float>()[0]));
  }
  node.result(0, range<std::int64_t>(node, node.integer_list(0)[0], node.integer_list(1)[0],
                                     node.integer_list(2)[0]));
}

}  // namespace bitline::onnx
