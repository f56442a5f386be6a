// SPDX-License-Identifier: Apache-2.0
#include "mapper/onnx/functions.h"

#include <onnx/onnx_pb.h>

#include <algorithm>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>

namespace bitline::onnx {

namespace {

using ::onnx::AttributeProto;
using ::onnx::FunctionProto;
using ::onnx::ModelProto;
using ::onnx::NodeProto;

constexpr std::int64_t kMostNodes = std::int64_t{1} << 20;
constexpr std::size_t kMostBytes = std::size_t{1} << 30;

using Identifier = std::pair<std::string, std::string>;  ///< domain, name

std::string domain_of(const std::string& domain) {
  return domain == "ai.onnx" ? "" : domain;
}

template <class Model>
std::int64_t opset(const Model& model) {
  for (const auto& import : model.opset_import()) {
    if (domain_of(import.domain()).empty()) return import.version();
  }
  return 0;
}

class Inliner {
 public:
  explicit Inliner(ModelProto& model) : model_(model) {
    for (const FunctionProto& function : model.functions())
      functions_[{domain_of(function.domain()), function.name()}] = &function;
  }

  std::vector<base::Problem> run() {
    if (functions_.empty()) return {};
    google::protobuf::RepeatedPtrField<NodeProto> old;
    old.Swap(model_.mutable_graph()->mutable_node());
    for (int n = 0; n < old.size() && problems_.empty(); ++n) {
      NodeProto& node = *old.Mutable(n);
      if (node.name().empty()) node.set_name(node.op_type() + "_" + std::to_string(n));
      add(node);
    }
    return std::move(problems_);
  }

 private:
  void report(const NodeProto& call, const std::string& given, const std::string& allowed) {
    problems_.push_back({"node '" + call.name() + "' (" + call.op_type() + ")", given, allowed, ""});
  }

  void add(NodeProto& node) {
    const auto found = functions_.find({domain_of(node.domain()), node.op_type()});
    bytes_ += node.ByteSizeLong();
    if (++nodes_ > kMostNodes || (!open_.empty() && bytes_ > kMostBytes)) {
      return report(node, "one of more than 2^20 nodes, or 1 GiB of nodes, once functions are inlined",
                    "less than that");
    }
    if (found != functions_.end()) return expand(node, *found->second);
    model_.mutable_graph()->add_node()->Swap(&node);
  }

  void expand(const NodeProto& call, const FunctionProto& function) {
    if (std::find(open_.begin(), open_.end(), &function) != open_.end())
      return report(call, "function " + function.name() + " calls itself", "functions that do not");
    const std::int64_t own = opset(function);
    if (own != 0 && own != opset(model_)) {
      return report(call, "function " + function.name() + " of operator set " + std::to_string(own),
                    "the model's, " + std::to_string(opset(model_)));
    }
    if (call.input_size() > function.input_size() || call.output_size() > function.output_size()) {
      return report(call,
                    std::to_string(call.input_size()) + " inputs and " + std::to_string(call.output_size()) +
                        " outputs",
                    std::to_string(function.input_size()) + " and " + std::to_string(function.output_size()));
    }
    open_.push_back(&function);
    std::unordered_map<std::string, std::string> names;
    for (int i = 0; i < function.input_size(); ++i)
      names[function.input(i)] = i < call.input_size() ? call.input(i) : "";
    for (int i = 0; i < function.output_size(); ++i) {
      if (i < call.output_size() && !call.output(i).empty()) names[function.output(i)] = call.output(i);
    }
    for (int n = 0; n < function.node_size() && problems_.empty(); ++n) {
      NodeProto node = function.node(n);
      const std::string own_name =
          node.name().empty() ? node.op_type() + "_" + std::to_string(n) : node.name();
      node.set_name(call.name() + "/" + own_name);
      for (std::string& input : *node.mutable_input()) rename(input, call, names);
      for (std::string& output : *node.mutable_output()) rename(output, call, names);
      bind_attributes(node, call);
      add(node);
    }
    open_.pop_back();
  }

  static void rename(std::string& name, const NodeProto& call,
                     const std::unordered_map<std::string, std::string>& names) {
    if (name.empty()) return;
    const auto known = names.find(name);
    name = known != names.end() ? known->second : call.name() + "/" + name;
  }

  /// Attributes that refer to one of the call get its value, or go where the call has none.
  static void bind_attributes(NodeProto& node, const NodeProto& call) {
    auto& attributes = *node.mutable_attribute();
    for (int i = attributes.size() - 1; i >= 0; --i) {
      const std::string reference = attributes.Get(i).ref_attr_name();
      if (reference.empty()) continue;
      const auto given = std::find_if(call.attribute().begin(), call.attribute().end(),
                                      [&](const AttributeProto& a) { return a.name() == reference; });
      if (given == call.attribute().end()) {
        attributes.DeleteSubrange(i, 1);
        continue;
      }
      const std::string name = attributes.Get(i).name();
      *attributes.Mutable(i) = *given;
      attributes.Mutable(i)->set_name(name);
    }
  }

  ModelProto& model_;
  std::map<Identifier, const FunctionProto*> functions_;
  std::vector<const FunctionProto*> open_;  ///< being expanded
  std::int64_t nodes_ = 0;                  ///< calls too
  std::size_t bytes_ = 0;
  std::vector<base::Problem> problems_;
};

}  // namespace

std::vector<base::Problem> inline_functions(ModelProto& model) {
  return Inliner(model).run();
}

}  // namespace bitline::onnx
