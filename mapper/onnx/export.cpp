// SPDX-License-Identifier: Apache-2.0
#include "mapper/onnx/export.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <onnx/onnx_pb.h>

#include "models/base/errors.h"
#include "models/base/files.h"

namespace bitline::onnx {

namespace {

using ::onnx::AttributeProto;
using ::onnx::TensorProto;

void describe(::onnx::ValueInfoProto& info, const std::string& name, const tensor::Shape& shape) {
  info.set_name(name);
  auto* type = info.mutable_type()->mutable_tensor_type();
  type->set_elem_type(TensorProto::FLOAT);
  for (const std::int64_t dimension : shape) {
    auto* written = type->mutable_shape()->add_dim();
    if (dimension < 0) {
      written->set_dim_param("batch");
    } else {
      written->set_dim_value(dimension);
    }
  }
}

struct AttributeWriter {
  AttributeProto& proto;
  void operator()(std::int64_t value) const {
    proto.set_type(AttributeProto::INT);
    proto.set_i(value);
  }
  void operator()(float value) const {
    proto.set_type(AttributeProto::FLOAT);
    proto.set_f(value);
  }
  void operator()(const std::vector<std::int64_t>& values) const {
    proto.set_type(AttributeProto::INTS);
    for (const std::int64_t value : values) proto.add_ints(value);
  }
  void operator()(const std::string& value) const {
    proto.set_type(AttributeProto::STRING);
    proto.set_s(value);
  }
};

}  // namespace

struct OnnxBuilder::Model {
  ::onnx::ModelProto proto;
};

OnnxBuilder::OnnxBuilder(const std::string& graph_name) : model_(std::make_unique<Model>()) {
  model_->proto.set_ir_version(7);
  model_->proto.set_producer_name("bitline");
  auto* opset = model_->proto.add_opset_import();
  opset->set_domain("");
  opset->set_version(13);
  model_->proto.mutable_graph()->set_name(graph_name);
}
OnnxBuilder::~OnnxBuilder() = default;
OnnxBuilder::OnnxBuilder(OnnxBuilder&&) noexcept = default;
OnnxBuilder& OnnxBuilder::operator=(OnnxBuilder&&) noexcept = default;

void OnnxBuilder::input(const std::string& name, const tensor::Shape& shape) {
  describe(*model_->proto.mutable_graph()->add_input(), name, shape);
}

void OnnxBuilder::output(const std::string& name, const tensor::Shape& shape) {
  describe(*model_->proto.mutable_graph()->add_output(), name, shape);
}

void OnnxBuilder::shape(const std::string& name, const tensor::Shape& shape) {
  TensorProto* tensor = model_->proto.mutable_graph()->add_initializer();
  tensor->set_name(name);
  tensor->set_data_type(TensorProto::FLOAT);
  for (const std::int64_t dimension : shape) tensor->add_dims(dimension);
}

std::span<float> OnnxBuilder::weights(const std::string& name, const tensor::Shape& shape) {
  const auto count = static_cast<std::size_t>(tensor::element_count(shape));
  this->shape(name, shape);
  ::onnx::GraphProto* graph = model_->proto.mutable_graph();
  std::string* raw = graph->mutable_initializer(graph->initializer_size() - 1)->mutable_raw_data();
  raw->reserve(sizeof(std::max_align_t) + count * sizeof(float));  // on the heap, so aligned for floats
  raw->resize(count * sizeof(float));
  return {reinterpret_cast<float*>(raw->data()), count};
}

void OnnxBuilder::integers(const std::string& name, const std::vector<std::int64_t>& values) {
  TensorProto* tensor = model_->proto.mutable_graph()->add_initializer();
  tensor->set_name(name);
  tensor->set_data_type(TensorProto::INT64);
  tensor->add_dims(static_cast<std::int64_t>(values.size()));
  tensor->set_raw_data(values.data(), values.size() * sizeof(values[0]));
}

std::string OnnxBuilder::node(const std::string& type, const std::string& name,
                              const std::vector<std::string>& inputs,
                              const std::vector<Attribute>& attributes, const std::string& output) {
  ::onnx::NodeProto* node = model_->proto.mutable_graph()->add_node();
  node->set_op_type(type);
  node->set_name(name);
  for (const std::string& input : inputs) node->add_input(input);
  for (const Attribute& attribute : attributes) {
    AttributeProto* written = node->add_attribute();
    written->set_name(attribute.name);
    std::visit(AttributeWriter{*written}, attribute.value);
  }
  node->add_output(output.empty() ? name + "_out" : output);
  return node->output(0);
}

std::string OnnxBuilder::bytes() const {
  std::string bytes;
  bytes.reserve(model_->proto.ByteSizeLong());
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  BITLINE_CHECK(model_->proto.SerializeToCodedStream(&coded));
  coded.Trim();
  return bytes;
}

void OnnxBuilder::write(const std::string& path) const {
  base::write_file_atomically(path, bytes());
}

}  // namespace bitline::onnx
