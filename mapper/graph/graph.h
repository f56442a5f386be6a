// SPDX-License-Identifier: Apache-2.0
// The typed network that everything after the importer works on: constants folded, shapes known (batch bound
// to 1), BatchNormalization folded into the convolution before it, Dropout/Identity removed, nodes in
// topological order.
#pragma once

#include <array>
#include <boost/container/small_vector.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "mapper/graph/digital_attributes.h"
#include "mapper/graph/grid.h"
#include "mapper/tensor/tensor.h"

namespace bitline::graph {

using tensor::Shape;
using tensor::Tensor;

/// Index of a value / node in Graph::values / Graph::nodes.
using ValueId = int;
using NodeId = int;
/// Most operators read one or two values and have one result: these take nothing from the heap.
using ValueIds = boost::container::small_vector<ValueId, 2>;

enum class Op {
  conv,         ///< inputs: x [N,C,H,W]; weight [O,C/g,kh,kw] and bias [O] in ConvAttributes. On crossbars.
  linear,       ///< inputs: x [..., I]; weight [O,I], bias [O]: Gemm and MatMul with constant weights. On
                ///< crossbars.
  scale_shift,  ///< y = x * scale[c] + shift[c]: BatchNormalization that could not be folded
  relu,
  clip,
  sigmoid,
  elementwise,  ///< a Function of its inputs, broadcast together
  gather,       ///< inputs: a table, computed indices along its AxisAttributes
  rearrange,    ///< elements in another order (Transpose, Slice, Pad, ...)
  reduce,       ///< sum, mean, largest or smallest over some dimensions
  resample,     ///< interpolation along one axis
  normalise,    ///< (x - mean) / deviation over the last dimensions
  matmul,       ///< inputs: a [..., M, K], b [..., K, N], both computed: on the digital unit
  softmax,
  max_pool,
  average_pool,
  global_average_pool,
  add,
  concat,
  flatten,
  reshape,
  quantize,            ///< inputs: x, and where the Grid's scale is empty scale and zero point; result: codes
  dequantize,          ///< the same from codes to scale * (code - zero point)
  dynamic_scale,       ///< the scale that DynamicQuantizeLinear gives x
  dynamic_zero_point,  ///< its zero point; inputs: x, that scale
};

/// [h, w]
using Pair = std::array<std::int64_t, 2>;
/// [top, left, bottom, right]
using Pads = std::array<std::int64_t, 4>;

struct ConvAttributes {
  Pair kernel{}, strides{};
  Pads pads{};
  Pair dilations{};
  std::int64_t group = 1;
  std::shared_ptr<const Tensor> weight;  ///< float [O, C/group, kh, kw]
  std::shared_ptr<const Tensor> bias;    ///< float [O]; null: none
  std::shared_ptr<const Grid> grid;  ///< given by the network, of the tensor or of each output; null: none
  bool digital = false;              ///< computed by the digital units, not on crossbars
  std::int64_t spread_groups = 1;    ///< groups that one matrix holds, zeros between them (grouped.h)
};
struct LinearAttributes {
  std::shared_ptr<const Tensor> weight;  ///< float [O, I]
  std::shared_ptr<const Tensor> bias;    ///< float [O]; null: none
  std::shared_ptr<const Grid> grid;      ///< as of ConvAttributes
};
struct ScaleShiftAttributes {
  std::vector<float> scale, shift;
};
struct ClipAttributes {
  float min, max;
};
struct PoolAttributes {
  Pair kernel{}, strides{};
  Pads pads{};
  Pair dilations{};
  bool count_include_pad = false;
  bool ceil_mode = false;
};
struct AxisAttributes {
  std::int64_t axis = 0;
};  ///< softmax, concat, flatten, gather (non-negative)
using Attributes =
    std::variant<std::monostate, ConvAttributes, LinearAttributes, ScaleShiftAttributes, ClipAttributes,
                 PoolAttributes, AxisAttributes, FunctionAttributes, RearrangeAttributes, ReduceAttributes,
                 ResampleAttributes, NormaliseAttributes, Grid>;

struct Value {
  std::string name;
  Shape shape;
  NodeId producer = -1;                    ///< -1: a network input or a constant
  std::shared_ptr<const Tensor> constant;  ///< null: computed
  std::shared_ptr<const Grid> grid;  ///< of a constant of the file: its codes' range, scale where dequantised
};

struct Node {
  std::string name;       ///< unique; the ONNX name, or "<type>_<index>" where it had none
  std::string onnx_type;  ///< "Conv", "Gemm", ... as in the file
  Op op;
  Attributes attributes;
  ValueIds inputs;  ///< activations only (weights are in the attributes)
  ValueIds outputs;
};

struct Graph {
  std::string name;
  std::vector<Value> values;
  std::vector<Node> nodes;      ///< in topological order
  std::vector<ValueId> inputs;  ///< network inputs
  std::vector<ValueId> outputs;

  [[nodiscard]] const Shape& shape(ValueId v) const { return values[static_cast<std::size_t>(v)].shape; }
  [[nodiscard]] const Node& node(NodeId n) const { return nodes[static_cast<std::size_t>(n)]; }
  /// Nodes that read `v`, in order.
  [[nodiscard]] std::vector<NodeId> consumers(ValueId v) const;
};

/// Conv and linear: the nodes with a weight matrix.
[[nodiscard]] inline bool is_dense(const Node& node) {
  return node.op == Op::conv || node.op == Op::linear;
}
/// Of these, the ones whose weights lie on crossbars.
[[nodiscard]] inline bool on_crossbars(const Node& node) {
  const auto* conv = std::get_if<ConvAttributes>(&node.attributes);
  return is_dense(node) && (conv == nullptr || !conv->digital);
}
[[nodiscard]] const char* to_string(Op op);
/// Multiply-accumulates of a node for one image (conv, linear and matmul; 0 otherwise).
[[nodiscard]] std::int64_t macs(const Graph& graph, const Node& node);
/// Stored weights and biases.
[[nodiscard]] std::int64_t parameters(const Graph& graph);

}  // namespace bitline::graph
