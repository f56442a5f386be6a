// SPDX-License-Identifier: Apache-2.0
#include "mapper/onnx/importer.h"

#include <onnx/onnx_pb.h>

#include <algorithm>
#include <optional>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "mapper/graph/order.h"
#include "mapper/onnx/functions.h"
#include "mapper/onnx/network_builder.h"
#include "mapper/onnx/node_context.h"
#include "mapper/onnx/node_names.h"
#include "mapper/onnx/operators.h"
#include "mapper/onnx/tensor_proto.h"
#include "mapper/onnx/unread.h"
#include "mapper/tensor/operations.h"
#include "models/base/errors.h"

namespace bitline::onnx {

namespace {

using ::onnx::GraphProto;
using ::onnx::ModelProto;
using ::onnx::NodeProto;
using ::onnx::TensorProto;
using ::onnx::ValueInfoProto;

constexpr int kLastOpset = 23;
/// Bytes per element that data in other files are counted with towards the limit on all values.
constexpr std::int64_t kSmallestElement = 4;

class Importer {
 public:
  Importer(ModelProto& model, TensorBytes bytes, const std::string& file, const ImportOptions& options)
      : model_(model),
        graph_(*model.mutable_graph()),
        bytes_(bytes),
        file_(file),
        options_(options),
        network_(graph_.name().empty() ? file : graph_.name(),
                 {options.max_value_elements, options.max_total_elements, options.max_folded_operations}) {}

  graph::Graph run() {
    if (!model_.has_graph() || graph_.node_size() + graph_.output_size() == 0) {
      report("", "contains no network", "an ONNX model", "");
      throw_problems();
    }
    read_opset();
    throw_problems();
    inline_calls();
    name_nodes();
    check_operators();
    define_names();
    check_reads();
    throw_problems();
    const std::vector<int> order = node_order();
    throw_problems();
    add_constants();
    add_inputs();
    throw_problems();
    for (const int n : order) translate(n);
    throw_problems();
    return finish();
  }

 private:
  void report(const std::string& element, const std::string& given, const std::string& allowed,
              const std::string& remedy) {
    problems_.push_back({element.empty() ? file_ : file_ + ": " + element, given, allowed, remedy});
  }
  void throw_problems() {
    if (!problems_.empty()) throw base::NetworkError(std::move(problems_));
  }
  [[nodiscard]] std::string describe(int n) const {
    return "node '" + names_[static_cast<std::size_t>(n)] + "' (" + graph_.node(n).op_type() + ")";
  }

  static bool default_domain(const std::string& domain) { return domain.empty() || domain == "ai.onnx"; }
  static Handler handler_of(const NodeProto& node) {
    if (default_domain(node.domain())) return find_operator(node.op_type());
    return node.domain() == "com.microsoft" ? find_contributed_operator(node.op_type()) : nullptr;
  }

  static bool is_real(int type) {
    return type == TensorProto::FLOAT || type == TensorProto::FLOAT16 || type == TensorProto::DOUBLE ||
           type == TensorProto::BFLOAT16;
  }
  static bool is_whole(int type) {
    return (type >= TensorProto::UINT8 && type <= TensorProto::INT64) || type == TensorProto::BOOL ||
           type == TensorProto::UINT32 || type == TensorProto::UINT64;
  }

  void read_opset() {
    for (const auto& import : model_.opset_import()) {
      if (default_domain(import.domain()))
        opset_ = std::clamp<std::int64_t>(import.version(), -1, kLastOpset + 1);
    }
    // Files of the first IR versions name no operator set; it was the first.
    if (opset_ == 0 && model_.opset_import_size() == 0 && model_.ir_version() < 3) opset_ = 1;
    if (opset_ < 1 || opset_ > kLastOpset) {
      report("", opset_ == 0 ? "names no operator set" : "an operator set that is not known",
             "1 to " + std::to_string(kLastOpset), "convert it with onnx.version_converter");
    }
  }

  void inline_calls() {
    for (base::Problem& problem : inline_functions(model_)) {
      problem.where = file_ + ": " + problem.where;
      problems_.push_back(std::move(problem));
    }
    throw_problems();
    for (NodeProto& node : *graph_.mutable_node()) {
      for (auto& attribute : *node.mutable_attribute()) {
        if (attribute.has_t()) load_external("node '" + node.name() + "'", *attribute.mutable_t());
      }
    }
  }

  /// Where the data of a tensor lie whose data are in another file; none: they are not.
  std::optional<RawData> external_data(TensorProto& tensor, const std::string& name) {
    std::optional<RawData> raw = bytes_.external.find(tensor);
    if (raw) network_.charge(static_cast<std::int64_t>(raw->size()) / kSmallestElement, name);
    return raw;
  }

  /// The same for a tensor in an attribute, which gets its data.
  void load_external(const std::string& element, TensorProto& tensor) {
    try {
      const std::optional<RawData> raw = external_data(tensor, element);
      if (!raw) return;
      std::string data(raw->size(), '\0');
      raw->read(0, data.data(), data.size());
      tensor.set_raw_data(std::move(data));
    } catch (const std::invalid_argument& error) {
      report(element, error.what(), "", "");
    }
  }

  void name_nodes() {
    std::unordered_set<std::string> taken;
    for (const NodeProto& node : graph_.node()) {
      if (!node.name().empty() && !taken.insert(node.name()).second) {
        report("node '" + node.name() + "'", "the name is used more than once", "",
               "give each node its own name");
      }
    }
    names_ = node_names(graph_);
  }

  /// Every operator that cannot be imported, in one go.
  void check_operators() {
    std::string supported;
    for (const std::string& name : operator_names()) supported += (supported.empty() ? "" : ", ") + name;
    for (int n = 0; n < graph_.node_size(); ++n) {
      const NodeProto& node = graph_.node(n);
      if (handler_of(node) != nullptr) continue;
      const std::string domain = default_domain(node.domain()) ? "" : " of domain '" + node.domain() + "'";
      // The list once is enough.
      report(describe(n), "unsupported operator " + node.op_type() + domain,
             problems_.empty() ? supported : "", "");
    }
  }

  void define(const std::string& name, const std::string& kind) {
    if (!defined_.insert(name).second)
      report(kind + " '" + name + "'", "the name is used more than once", "", "");
  }

  void define_names() {
    std::unordered_set<std::string> initializers;
    for (const TensorProto& tensor : graph_.initializer()) {
      define(tensor.name(), "initializer");
      initializers.insert(tensor.name());
    }
    for (const auto& sparse : graph_.sparse_initializer()) {
      report("initializer '" + sparse.values().name() + "'", "is sparse", "dense tensors", "");
    }
    for (int i = 0; i < graph_.input_size(); ++i) {
      // An input that is also an initializer is a constant: its default is what we know.
      if (initializers.contains(graph_.input(i).name())) continue;
      define(graph_.input(i).name(), "network input");
      inputs_.push_back(i);
    }
    for (int n = 0; n < graph_.node_size(); ++n) {
      const NodeProto& node = graph_.node(n);
      const bool first_needed = !has_optional_first_output(node.op_type());
      if (node.output_size() == 0 || (first_needed && node.output(0).empty()))
        report(describe(n), "has no output", "", "");
      for (int i = 0; i < node.output_size(); ++i) {
        if (node.output(i).empty()) continue;
        define(node.output(i), "output of " + describe(n) + ",");
        producer_[node.output(i)] = n;
      }
    }
  }

  void check_reads() {
    for (int n = 0; n < graph_.node_size(); ++n) {
      for (const std::string& name : graph_.node(n).input()) {
        if (name.empty()) continue;
        network_.expect_reads(name, 1);
        if (!defined_.contains(name)) {
          report(describe(n), "its input '" + name + "' is missing", "",
                 "no node, initializer or network input has that name");
        }
      }
    }
    std::unordered_set<std::string> outputs;
    for (const ValueInfoProto& output : graph_.output()) {
      network_.expect_reads(output.name(), 1);
      if (!defined_.contains(output.name()))
        report("network output '" + output.name() + "'", "is computed by no node", "", "");
      if (!outputs.insert(output.name()).second) {
        report("network output '" + output.name() + "'", "the name is used more than once", "", "");
      }
    }
    if (graph_.output_size() == 0) report("", "has no outputs", "", "");
  }

  std::vector<int> node_order() {
    std::vector<graph::Precedence> edges;
    for (int n = 0; n < graph_.node_size(); ++n) {
      for (const std::string& name : graph_.node(n).input()) {
        const auto found = producer_.find(name);
        if (found != producer_.end()) edges.emplace_back(found->second, n);
      }
    }
    std::vector<int> order = graph::topological_order(graph_.node_size(), edges);
    if (order.empty() && graph_.node_size() > 0) {
      constexpr std::size_t kShown = 8;
      const std::vector<int> cycle = graph::find_cycle(graph_.node_size(), edges);
      std::string path;
      for (std::size_t i = 0; i < std::min(cycle.size(), kShown); ++i)
        path += names_[static_cast<std::size_t>(cycle[i])] + " -> ";
      if (cycle.size() > kShown) path += "... -> ";
      report(describe(cycle[0]), "is part of a cycle: " + path + names_[static_cast<std::size_t>(cycle[0])],
             "", "");
    }
    return order;
  }

  /// Input `i` of a node is weights of which only the shape decides what the network is.
  static bool only_shape_matters(const NodeProto& node, int i) {
    if (!default_domain(node.domain())) return false;
    const std::string& type = node.op_type();
    if (type == "Conv") return i == 1 || i == 2;
    if (type == "Gemm") return i == 1 || i == 2;
    if (type == "MatMul") return i == 1;
    return type == "BatchNormalization" && i >= 1;
  }

  /// Names of values that are read only as such weights.
  std::unordered_set<std::string> weights() const {
    std::unordered_set<std::string> weights, others;
    for (const NodeProto& node : graph_.node()) {
      for (int i = 0; i < node.input_size(); ++i)
        (only_shape_matters(node, i) ? weights : others).insert(node.input(i));
    }
    for (const ValueInfoProto& output : graph_.output()) others.insert(output.name());
    for (const std::string& name : others) weights.erase(name);
    return weights;
  }

  /// The shape of float weights of which no more is read; null: to be read.
  std::shared_ptr<const tensor::Tensor> unread_weights(const TensorProto& proto,
                                                       const std::optional<RawData>& raw) const {
    if (proto.data_type() != TensorProto::FLOAT || proto.dims_size() < 1 || proto.dims_size() > 4)
      return nullptr;
    const bool elsewhere = proto.data_location() == TensorProto::EXTERNAL || proto.external_data_size() > 0;
    if (elsewhere || proto.has_segment() || proto.has_raw_data() || proto.float_data_size() > 0)
      return nullptr;
    // Scalars and vectors of one element may be broadcast.
    std::int64_t count = 1;
    for (const std::int64_t dimension : proto.dims()) {
      if (dimension < 1 || dimension > INT32_MAX / count) return nullptr;
      count *= dimension;
    }
    if (count == 1 || (raw && raw->size() != static_cast<std::size_t>(count) * sizeof(float))) return nullptr;
    return unread_tensor({proto.dims().begin(), proto.dims().end()});
  }

  void add_constants() {
    const std::unordered_set<std::string> left =
        options_.shapes_only ? weights() : std::unordered_set<std::string>();
    for (int i = 0; i < graph_.initializer_size(); ++i) {
      TensorProto& proto = *graph_.mutable_initializer(i);
      const std::string name = proto.name();
      try {
        const std::optional<RawData> external = external_data(proto, name);
        const std::optional<RawData>& raw = external ? external : bytes_.raw[static_cast<std::size_t>(i)];
        auto unread = left.contains(name) ? unread_weights(proto, raw) : nullptr;
        if (unread) {
          network_.add_constant(name, std::move(unread));
          continue;
        }
        auto range = code_range(proto.data_type());
        network_.add_constant(name, std::make_shared<const tensor::Tensor>(take_tensor(proto, raw)), range);
      } catch (const std::invalid_argument& error) {
        report("initializer '" + name + "'", error.what(), "", "");
      }
    }
  }

  void add_inputs() {
    for (const int i : inputs_) {
      const ValueInfoProto& input = graph_.input(i);
      const auto bound = options_.constants.find(input.name());
      if (bound != options_.constants.end()) {
        network_.add_constant(input.name(), std::make_shared<const tensor::Tensor>(bound->second));
        continue;
      }
      const std::size_t before = problems_.size();
      const graph::Shape shape = input_shape(input);
      if (problems_.size() != before) continue;
      try {
        network_.add_input(input.name(), shape, is_whole(input.type().tensor_type().elem_type()));
      } catch (const std::invalid_argument& error) {
        report("network input '" + input.name() + "'", error.what(), "", "");
      }
    }
    check_dimensions();
  }

  /// Sizes that were given for dimensions that no input has.
  void check_dimensions() {
    std::string known;
    for (const std::set<std::string>* names : {&bound_, &symbolic_}) {
      for (const std::string& name : *names) known += (known.empty() || name.empty() ? "" : ", ") + name;
    }
    for (const auto& [name, size] : options_.dimensions) {
      if (bound_.contains(name)) continue;
      report("--dim " + name + "=" + std::to_string(size), "no network input has that dimension",
             known.empty() ? "none: all dimensions are fixed" : known, "");
    }
  }

  graph::Shape input_shape(const ValueInfoProto& input) {
    const std::string where = "network input '" + input.name() + "'";
    const auto& type = input.type().tensor_type();
    if (!input.type().has_tensor_type()) {
      report(where, "is not a tensor", "a float tensor", "");
      return {};
    }
    if (!is_real(type.elem_type()) && !is_whole(type.elem_type())) {
      report(where, "is not of a numeric type", "float, float16, bfloat16, double, integers, bool", "");
    }
    if (!type.has_shape())
      report(where, "has no shape", "all dimensions but the batch fixed", "export it with its input shape");
    graph::Shape shape;
    for (int d = 0; d < type.shape().dim_size(); ++d)
      shape.push_back(input_dimension(where, type.shape().dim(d), d));
    return shape;
  }

  std::int64_t input_dimension(const std::string& where, const ::onnx::TensorShapeProto_Dimension& dimension,
                               int d) {
    if (dimension.has_dim_value()) {
      const std::int64_t size = dimension.dim_value();
      if (size < 1)
        report(where, "dimension " + std::to_string(d) + " is " + std::to_string(size), "1 or more", "");
      if (d == 0 && size > 1 && !options_.allow_fixed_batch) {
        report(where, "has a fixed batch of " + std::to_string(size), "1 or a symbolic batch",
               "export it with batch 1 or a symbolic batch (dynamic_axes)");
      }
      return size;
    }
    const auto bound = options_.dimensions.find(dimension.dim_param());
    if (!dimension.dim_param().empty() && bound != options_.dimensions.end()) {
      bound_.insert(bound->first);
      return bound->second;
    }
    symbolic_.insert(dimension.dim_param());
    if (d > 0) {
      const std::string name = dimension.dim_param().empty() ? "?" : dimension.dim_param();
      report(where, "dimension " + std::to_string(d) + " is symbolic ('" + name + "')",
             "a number; only the batch (dimension 0) is 1 where nothing is said",
             dimension.dim_param().empty() ? "export it with that dimension fixed"
                                           : "give it, --dim " + name + "=...");
    }
    return 1;
  }

  void translate(int n) {
    NodeProto& node = *graph_.mutable_node(n);
    // What follows from a reported node is not a problem of its own.
    const bool fed = std::all_of(node.input().begin(), node.input().end(), [&](const std::string& name) {
      return name.empty() || network_.find(name) >= 0;
    });
    if (!fed) return;
    try {
      NodeContext context(node, names_[static_cast<std::size_t>(n)], static_cast<int>(opset_), network_);
      handler_of(node)(context);
      context.finish();
    } catch (const NodeFault& fault) {
      report(describe(n), fault.given, fault.allowed, fault.remedy);
    } catch (const std::invalid_argument& error) {
      report(describe(n), error.what(), "", "");
    } catch (const std::overflow_error& error) {
      report(describe(n), error.what(), "", "");
    }
  }

  graph::Graph finish() {
    std::vector<std::string> outputs;
    for (const ValueInfoProto& output : graph_.output()) outputs.push_back(output.name());
    try {
      return std::move(network_).finish(outputs);
    } catch (const std::invalid_argument& error) {
      throw base::NetworkError({file_, error.what(), "", ""});
    }
  }

  ModelProto& model_;
  GraphProto& graph_;
  TensorBytes bytes_;
  const std::string& file_;
  const ImportOptions& options_;
  std::set<std::string> bound_, symbolic_;  ///< names of dimensions: given a size; without one
  NetworkBuilder network_;
  std::int64_t opset_ = 0;
  std::vector<std::string> names_;  ///< of the nodes, all different
  std::vector<int> inputs_;         ///< those that are no initializers
  std::unordered_set<std::string> defined_;
  std::unordered_map<std::string, int> producer_;
  std::vector<base::Problem> problems_;
};

}  // namespace

graph::Graph import_model(ModelProto& model, TensorBytes bytes, const std::string& file,
                          const ImportOptions& options) {
  return Importer(model, bytes, file, options).run();
}

}  // namespace bitline::onnx
