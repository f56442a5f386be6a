// SPDX-License-Identifier: Apache-2.0
#include "mapper/onnx/write_qdq.h"

#include <fmt/format.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/stubs/logging.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <tuple>
#include <unordered_map>

#include "mapper/onnx/code_type.h"
#include "mapper/onnx/external_data.h"
#include "mapper/onnx/functions.h"
#include "mapper/onnx/node_names.h"
#include "mapper/onnx/qdq_opset.h"
#include "mapper/onnx/weight_layout.h"
#include "models/base/errors.h"

namespace bitline::onnx {
namespace {

using ::onnx::AttributeProto;
using ::onnx::GraphProto;
using ::onnx::ModelProto;
using ::onnx::NodeProto;
using ::onnx::TensorProto;

constexpr std::array kLayers{"Conv", "ConvTranspose", "Gemm", "MatMul"};
constexpr const char* kLayerNames = "Conv, ConvTranspose, Gemm and MatMul nodes";

std::int64_t group_of(const NodeProto& node) {
  for (const AttributeProto& attribute : node.attribute())
    if (attribute.name() == "group") return attribute.i();
  return 1;
}

void set_integer(NodeProto& node, const std::string& name, std::int64_t value) {
  for (AttributeProto& attribute : *node.mutable_attribute()) {
    if (attribute.name() != name) continue;
    attribute.set_i(value);
    return;
  }
  AttributeProto* attribute = node.add_attribute();
  attribute->set_name(name);
  attribute->set_type(AttributeProto::INT);
  attribute->set_i(value);
}

void drop_attribute(NodeProto& node, const std::string& name) {
  for (int a = node.attribute_size(); a-- > 0;)
    if (node.attribute(a).name() == name) node.mutable_attribute()->DeleteSubrange(a, 1);
}

class QdqWriter {
 public:
  QdqWriter(ModelProto& model, const std::string& file)
      : model_(model), graph_(*model.mutable_graph()), file_(file) {
    const std::vector<std::string> names = node_names(graph_);
    for (int n = 0; n < graph_.node_size(); ++n) {
      by_name_[names[static_cast<std::size_t>(n)]] = n;
      for (const std::string& output : graph_.node(n).output()) take(output);
      for (const std::string& input : graph_.node(n).input()) readers_[input].push_back(n);
    }
    for (const TensorProto& tensor : graph_.initializer()) {
      take(tensor.name());
      constants_[tensor.name()] = &tensor;
    }
    for (const auto& input : graph_.input()) take(input.name());
    for (const auto& output : graph_.output()) outputs_.insert(output.name());
    before_.resize(static_cast<std::size_t>(graph_.node_size()));
    after_.resize(before_.size());
    removed_.resize(before_.size());
  }

  void write(std::span<const QdqLayer> layers) {
    require_types(layers);
    require_opset(layers);
    for (const QdqLayer& layer : layers) write_layer(layer);
    if (!problems_.empty()) throw base::NetworkError(std::move(problems_));
    reorder();
    drop_unused();
  }

 private:
  void report(const QdqLayer& layer, const std::string& given, const std::string& allowed,
              const std::string& remedy) {
    problems_.push_back({file_ + ": node '" + layer.node + "'", given, allowed, remedy});
  }
  void take(const std::string& name) { taken_.insert(name); }
  std::string unique(std::string wanted) {
    while (!taken_.insert(wanted).second) wanted += "_";
    return wanted;
  }

  static CodeType type_of(const graph::Grid& grid) { return code_type(grid).value(); }

  void require_types(std::span<const QdqLayer> layers) {
    for (const QdqLayer& layer : layers)
      for (const std::optional<graph::Grid>& grid : {layer.input, layer.weights})
        if (grid && !code_type(*grid))
          report(layer, "codes from " + std::to_string(grid->low) + " to " + std::to_string(grid->high),
                 "codes of 16 bits with their sign", "use fewer bits");
    if (!problems_.empty()) throw base::NetworkError(std::move(problems_));
  }

  void require_opset(std::span<const QdqLayer> layers) {
    const bool wide = std::any_of(layers.begin(), layers.end(), [](const QdqLayer& layer) {
      return (layer.input && type_of(*layer.input).is_wide()) ||
             (layer.weights && type_of(*layer.weights).is_wide());
    });
    require_qdq_opset(model_, file_, wide);
  }

  void write_layer(const QdqLayer& layer) {
    const auto found = by_name_.find(layer.node);
    if (found == by_name_.end()) {
      return report(layer, "is no node of the file's main graph", kLayerNames,
                    "convert other layers with weights to these");
    }
    NodeProto& node = *graph_.mutable_node(found->second);
    if (std::find(kLayers.begin(), kLayers.end(), node.op_type()) == kLayers.end())
      return report(layer, "a layer with weights of type " + node.op_type(), kLayerNames, "");
    if (node.op_type() == "ConvTranspose" && group_of(node) > 1 && layer.weights &&
        !layer.weights->per_tensor())
      return report(layer, "a scale for each output of a ConvTranspose with groups",
                    "one scale, or one for each output of a group", "give --per-tensor");
    if (layer.input) node.set_input(0, quantised(found->second, node.input(0), *layer.input));
    if (!layer.weights) return;
    if (!close_fold(found->second, layer)) {
      return report(layer, "what is folded into it is read elsewhere",
                    "a chain from its output to '" + layer.output + "'", "simplify the model before");
    }
    node.set_input(1, weights(found->second, layer));
    if (node.op_type() == "Gemm") {
      set_integer(node, "transB", 1);
      drop_attribute(node, "alpha");
      if (layer.bias) drop_attribute(node, "beta");
    }
    if (layer.bias) add_bias(found->second, layer);
  }

  /// Gives the node the name of the folded result and removes what was folded.
  bool close_fold(int n, const QdqLayer& layer) {
    NodeProto& node = *graph_.mutable_node(n);
    std::vector<int> folded;
    std::string value = node.output(0);
    while (value != layer.output) {
      const auto readers = readers_.find(value);
      if (readers == readers_.end() || readers->second.size() != 1 || outputs_.contains(value)) return false;
      folded.push_back(readers->second.front());
      value = graph_.node(folded.back()).output(0);
    }
    for (const int f : folded) removed_[static_cast<std::size_t>(f)] = true;
    node.set_output(0, layer.output);
    return true;
  }

  TensorProto& constant(const std::string& name, int type, const std::vector<std::int64_t>& shape) {
    TensorProto* tensor = graph_.add_initializer();
    tensor->set_name(name);
    tensor->set_data_type(type);
    for (const std::int64_t dimension : shape) tensor->add_dims(dimension);
    return *tensor;
  }
  std::string float_constant(const std::string& name, const std::vector<float>& values, bool scalar) {
    std::string taken = unique(name);
    TensorProto& tensor = constant(
        taken, TensorProto::FLOAT,
        scalar ? std::vector<std::int64_t>{} : std::vector{static_cast<std::int64_t>(values.size())});
    tensor.set_raw_data(values.data(), values.size() * sizeof(float));
    return taken;
  }
  std::string code_constant(const std::string& name, int type, const std::vector<std::int64_t>& codes,
                            bool scalar) {
    std::string taken = unique(name);
    TensorProto& tensor =
        constant(taken, type,
                 scalar ? std::vector<std::int64_t>{} : std::vector{static_cast<std::int64_t>(codes.size())});
    for (const std::int64_t code : codes) append_code(*tensor.mutable_raw_data(), type, code);
    return taken;
  }

  std::string add_node(std::vector<NodeProto>& nodes, const std::string& type, const std::string& name,
                       const std::vector<std::string>& inputs) {
    NodeProto node;
    node.set_op_type(type);
    node.set_name(unique(name));
    for (const std::string& input : inputs) node.add_input(input);
    node.add_output(unique(name + "_out"));
    nodes.push_back(node);
    return node.output(0);
  }

  /// `codes` held at the grid's limits where the type has more.
  std::string clipped(std::vector<NodeProto>& nodes, const std::string& codes, const std::string& stem,
                      const graph::Grid& grid, const CodeType& type) {
    if (grid.low == type.low && grid.high == type.high) return codes;
    return add_node(nodes, "Clip", stem + "_clip",
                    {codes, code_constant(stem + "_low", type.type, {grid.low}, true),
                     code_constant(stem + "_high", type.type, {grid.high}, true)});
  }

  /// The value `x` on a grid, before node `n`; made once for all nodes that take it on the same.
  std::string quantised(int n, const std::string& x, const graph::Grid& grid) {
    auto& known = quantised_[{x, grid.scale.front(), grid.low, grid.high}];
    if (!known.empty()) return known;
    const CodeType type = type_of(grid);
    std::vector<NodeProto>& nodes = before_[static_cast<std::size_t>(n)];
    const std::string scale = float_constant(x + "_scale", grid.scale, true);
    const std::string zero = code_constant(x + "_zero_point", type.type, {grid.zero_point.front()}, true);
    std::string codes = add_node(nodes, "QuantizeLinear", x + "_quantize", {x, scale, zero});
    codes = clipped(nodes, codes, x, grid, type);
    known = add_node(nodes, "DequantizeLinear", x + "_dequantize", {codes, scale, zero});
    return known;
  }

  /// The integer weights of a layer in the file's layout, dequantised.
  std::string weights(int n, const QdqLayer& layer) {
    const NodeProto& node = graph_.node(n);
    const CodeType type = type_of(*layer.weights);
    WeightLayout layout = weight_layout(node.op_type(), layer.shape, group_of(node));
    const auto old = constants_.find(node.input(1));
    if (layout.shape.size() == 4 && old != constants_.end() && old->second->dims_size() == 3)
      layout.shape.erase(layout.shape.begin() + 2);  // one-dimensional: an image of height 1 in the network
    const std::string codes_name = unique(layer.node + "_weight_codes");
    TensorProto& codes = constant(codes_name, type.type, layout.shape);
    for (const std::int64_t from : layout.source)
      append_code(*codes.mutable_raw_data(), type.type, layer.codes[static_cast<std::size_t>(from)]);
    const graph::Grid& grid = *layer.weights;
    std::vector<NodeProto>& nodes = before_[static_cast<std::size_t>(n)];
    // int8 of 8 bits has nothing to hold; of wider codes the largest tells the bits, and few runtimes clip
    // int16.
    const bool plain = type.is_wide() || grid.low == -127;
    const std::string held =
        plain ? codes_name : clipped(nodes, codes_name, layer.node + "_weight", grid, type);
    const std::string scale = float_constant(layer.node + "_weight_scale", grid.scale, grid.per_tensor());
    const std::string zero =
        code_constant(layer.node + "_weight_zero_point", type.type,
                      std::vector<std::int64_t>(grid.scale.size(), 0), grid.per_tensor());
    std::string real =
        add_node(nodes, "DequantizeLinear", layer.node + "_weight_dequantize", {held, scale, zero});
    if (!grid.per_tensor()) set_integer(nodes.back(), "axis", layout.output_axis);
    return real;
  }

  void add_bias(int n, const QdqLayer& layer) {
    NodeProto& node = *graph_.mutable_node(n);
    const std::string bias = float_constant(layer.node + "_bias", layer.bias->as<float>(), false);
    if (node.op_type() != "MatMul") {
      while (node.input_size() < 3) node.add_input("");
      node.set_input(2, bias);
      return;
    }
    const std::string product = unique(layer.node + "_product");
    node.set_output(0, product);
    std::vector<NodeProto>& nodes = after_[static_cast<std::size_t>(n)];
    add_node(nodes, "Add", layer.node + "_add_bias", {product, bias});
    nodes.back().set_output(0, layer.output);
  }

  /// The nodes with those that belong before and after each.
  void reorder() {
    google::protobuf::RepeatedPtrField<NodeProto> nodes;
    for (int n = 0; n < graph_.node_size(); ++n) {
      const auto at = static_cast<std::size_t>(n);
      for (NodeProto& node : before_[at]) *nodes.Add() = std::move(node);
      if (!removed_[at]) *nodes.Add() = std::move(*graph_.mutable_node(n));
      for (NodeProto& node : after_[at]) *nodes.Add() = std::move(node);
    }
    graph_.mutable_node()->Swap(&nodes);
  }

  /// Constants that nothing reads any more, and nodes that only made such.
  void drop_unused() {
    std::set<std::string> read(outputs_.begin(), outputs_.end());
    google::protobuf::RepeatedPtrField<NodeProto> kept;
    std::vector<bool> needed(static_cast<std::size_t>(graph_.node_size()));
    for (int n = graph_.node_size(); n-- > 0;) {
      const NodeProto& node = graph_.node(n);
      const bool used = std::any_of(node.output().begin(), node.output().end(),
                                    [&](const std::string& output) { return read.contains(output); });
      needed[static_cast<std::size_t>(n)] = used || node.op_type() != "Constant";
      if (needed[static_cast<std::size_t>(n)]) read.insert(node.input().begin(), node.input().end());
    }
    for (int n = 0; n < graph_.node_size(); ++n)
      if (needed[static_cast<std::size_t>(n)]) *kept.Add() = std::move(*graph_.mutable_node(n));
    graph_.mutable_node()->Swap(&kept);
    auto* constants = graph_.mutable_initializer();
    for (int i = constants->size(); i-- > 0;)
      if (!read.contains(constants->Get(i).name())) constants->DeleteSubrange(i, 1);
    graph_.clear_value_info();
  }

  ModelProto& model_;
  GraphProto& graph_;
  const std::string& file_;
  std::unordered_map<std::string, int> by_name_;
  std::unordered_map<std::string, std::vector<int>> readers_;
  std::unordered_map<std::string, const TensorProto*> constants_;
  std::set<std::string> taken_, outputs_;
  std::map<std::tuple<std::string, float, std::int64_t, std::int64_t>, std::string> quantised_;
  std::vector<std::vector<NodeProto>> before_, after_;
  std::vector<bool> removed_;
  std::vector<base::Problem> problems_;
};

/// Takes what the file keeps elsewhere into it: the written file may lie in another folder.
void embed_external_data(ModelProto& model, const std::string& file, const std::filesystem::path& folder) {
  ExternalData external(folder);
  const auto embed = [&](TensorProto& tensor) {
    try {
      const std::optional<RawData> data = external.find(tensor);
      if (!data) return;
      std::string& bytes = *tensor.mutable_raw_data();
      bytes.resize(data->size());
      data->read(0, bytes.data(), bytes.size());
    } catch (const std::invalid_argument& error) {
      throw base::NetworkError({file + ": tensor '" + tensor.name() + "'", error.what(), "", ""});
    }
  };
  for (TensorProto& tensor : *model.mutable_graph()->mutable_initializer()) embed(tensor);
  for (NodeProto& node : *model.mutable_graph()->mutable_node())
    for (AttributeProto& attribute : *node.mutable_attribute())
      if (attribute.has_t()) embed(*attribute.mutable_t());
}

}  // namespace

std::string write_qdq(std::string_view model, const std::string& name, const std::filesystem::path& folder,
                      std::span<const QdqLayer> layers) {
  const google::protobuf::LogSilencer quiet;
  ModelProto proto;
  if (!proto.ParseFromArray(model.data(), static_cast<int>(model.size())))
    throw base::NetworkError({name, "is not an ONNX model, or is truncated or damaged", "an ONNX model", ""});
  if (std::vector<base::Problem> problems = inline_functions(proto); !problems.empty())
    throw base::NetworkError(std::move(problems));
  proto.clear_functions();
  QdqWriter(proto, name).write(layers);
  embed_external_data(proto, name, folder);
  if (proto.ByteSizeLong() > static_cast<std::size_t>(MappedFile::kLargestMessage))
    throw base::NetworkError({name, fmt::format("{} bytes with its quantised layers", proto.ByteSizeLong()),
                              "2 GiB, the most that an ONNX file can have", ""});
  proto.set_producer_name("bitline");
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  BITLINE_CHECK(proto.SerializeToCodedStream(&coded));
  coded.Trim();
  return bytes;
}

}  // namespace bitline::onnx
