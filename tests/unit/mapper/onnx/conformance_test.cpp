// SPDX-License-Identifier: Apache-2.0
// The ONNX backend test suite (Debian's libonnx-testdata): every model all of whose operators we import must
// give the suite's outputs at the suite's tolerance, or stand in conformance_exceptions.txt with the reason.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <set>

#include "mapper/onnx/import.h"
#include "mapper/onnx/operators.h"
#include "mapper/reference/executor.h"
#include "mapper/tensor/half.h"
#include "mapper/tensor/operations.h"
#include "models/base/errors.h"

namespace bitline {
namespace {

namespace fs = std::filesystem;
using tensor::Tensor;

const fs::path kSuite = "/usr/share/libonnx-testdata/data";

::onnx::ModelProto read_model(const fs::path& folder) {
  ::onnx::ModelProto model;
  std::ifstream file(folder / "model.onnx", std::ios::binary);
  EXPECT_TRUE(model.ParseFromIstream(&file)) << folder;
  return model;
}

bool only_our_operators(const ::onnx::ModelProto& model) {
  const auto& nodes = model.graph().node();
  return !nodes.empty() && std::all_of(nodes.begin(), nodes.end(), [](const auto& node) {
    return node.domain().empty() && onnx::find_operator(node.op_type()) != nullptr;
  });
}

/// The inputs from this one on are parameters of the operator: constants in any exported network.
const std::map<std::string, int> kFirstParameter = {{"Conv", 1},
                                                    {"ConvTranspose", 1},
                                                    {"Gemm", 1},
                                                    {"BatchNormalization", 1},
                                                    {"InstanceNormalization", 1},
                                                    {"Clip", 1},
                                                    {"Reshape", 1},
                                                    {"Dropout", 1},
                                                    {"Slice", 1},
                                                    {"Pad", 1},
                                                    {"Squeeze", 1},
                                                    {"Unsqueeze", 1},
                                                    {"Split", 1},
                                                    {"Gather", 1},
                                                    {"Expand", 1},
                                                    {"Tile", 1},
                                                    {"ReduceSum", 1},
                                                    {"ReduceMean", 1},
                                                    {"ReduceMax", 1},
                                                    {"ReduceMin", 1},
                                                    {"Resize", 1},
                                                    {"Upsample", 1},
                                                    {"ConstantOfShape", 0},
                                                    {"Range", 0},
                                                    {"ConvInteger", 1},
                                                    {"MatMulInteger", 1},
                                                    {"QLinearConv", 1},
                                                    {"QLinearMatMul", 1},
                                                    {"QuantizeLinear", 1},
                                                    {"DequantizeLinear", 1},
                                                    {"GRU", 1},
                                                    {"LSTM", 1},
                                                    {"RNN", 1}};

/// Names of network inputs that we need as constants: everything that is a parameter of a layer.
std::set<std::string> parameters(const ::onnx::ModelProto& model) {
  std::set<std::string> names;
  for (const auto& node : model.graph().node()) {
    const auto first = kFirstParameter.find(node.op_type());
    if (first == kFirstParameter.end()) continue;
    for (int i = first->second; i < node.input_size(); ++i) names.insert(node.input(i));
    for (const auto& attribute : node.attribute()) {
      if (attribute.name() == "transA" && attribute.i() != 0) names.insert(node.input(0));
    }
  }
  return names;
}

bool is_read(const ::onnx::ModelProto& model, const std::string& name) {
  const auto& nodes = model.graph().node();
  return std::any_of(nodes.begin(), nodes.end(), [&](const auto& node) {
    return std::find(node.input().begin(), node.input().end(), name) != node.input().end();
  });
}

std::vector<::onnx::ValueInfoProto> inputs_of(const ::onnx::ModelProto& model) {
  std::set<std::string> initializers;
  for (const auto& tensor : model.graph().initializer()) initializers.insert(tensor.name());
  std::vector<::onnx::ValueInfoProto> inputs;
  for (const auto& input : model.graph().input()) {
    if (!initializers.contains(input.name())) inputs.push_back(input);
  }
  return inputs;
}

/// A tensor of the suite as float. It stores bfloat16 data as the integers of their bits.
Tensor read_values(const std::string& file, const ::onnx::ValueInfoProto& declared) {
  Tensor values = onnx::load_tensor_pb(file);
  const bool bits = declared.type().tensor_type().elem_type() == ::onnx::TensorProto::BFLOAT16 &&
                    values.holds<std::int32_t>();
  if (!bits) return tensor::to_float(std::move(values));
  std::vector<float> floats;
  for (const std::int32_t stored : values.as<std::int32_t>())
    floats.push_back(tensor::bfloat16_to_float(static_cast<std::uint16_t>(stored)));
  return {values.shape, std::move(floats)};
}

/// Empty if all values agree within the suite's tolerance.
std::string difference(const Tensor& found, const Tensor& expected) {
  if (found.shape != expected.shape) {
    return "shape " + tensor::to_string(found.shape) + " instead of " + tensor::to_string(expected.shape);
  }
  const Tensor a = tensor::to_float(found);
  const Tensor b = tensor::to_float(expected);
  for (std::size_t i = 0; i < a.as<float>().size(); ++i) {
    const float x = a.as<float>()[i];
    const float y = b.as<float>()[i];
    const bool same = x == y || (std::isnan(x) && std::isnan(y));  // infinities
    if (!same && !(std::fabs(x - y) <= 1e-7F + 1e-3F * std::fabs(y))) {
      return "element " + std::to_string(i) + " is " + std::to_string(x) + " instead of " + std::to_string(y);
    }
  }
  return "";
}

/// Runs one data set; returns what is wrong with the outputs. Throws base::NetworkError if the model is
/// refused.
std::string run_model(const fs::path& folder, const ::onnx::ModelProto& model, const fs::path& data) {
  onnx::ImportOptions options;
  const std::vector<::onnx::ValueInfoProto> declared = inputs_of(model);
  const std::set<std::string> bound = parameters(model);
  const auto file = [&](const char* kind, std::size_t i) {
    return (data / (kind + std::to_string(i) + ".pb")).string();
  };
  for (std::size_t i = 0; i < declared.size(); ++i) {
    if (bound.contains(declared[i].name()))
      options.constants[declared[i].name()] = onnx::load_tensor_pb(file("input_", i));
  }
  const auto graph =
      std::make_shared<graph::Graph>(onnx::import_onnx((folder / "model.onnx").string(), options));
  std::vector<Tensor> inputs;
  for (std::size_t i = 0; i < declared.size(); ++i) {
    if (bound.contains(declared[i].name())) continue;
    // An input that nothing reads (the data type of an expanded CastLike) has a value of another type in the
    // suite.
    inputs.push_back(is_read(model, declared[i].name())
                         ? read_values(file("input_", i), declared[i])
                         : tensor::zeros(graph->shape(graph->inputs[inputs.size()])));
  }
  const std::vector<Tensor> outputs = reference::Executor(graph).run(inputs);
  if (outputs.size() != static_cast<std::size_t>(model.graph().output_size()))
    return "wrong number of outputs";
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const std::string wrong =
        difference(outputs[i], read_values(file("output_", i), model.graph().output(static_cast<int>(i))));
    if (!wrong.empty()) return "output " + std::to_string(i) + ": " + wrong;
  }
  return "";
}

/// Empty if the model gives what the suite expects for all its data sets; else why not.
std::string run_data_sets(const fs::path& folder, const ::onnx::ModelProto& model) {
  int data_sets = 0;
  try {
    for (const auto& data : fs::directory_iterator(folder)) {
      if (!data.is_directory()) continue;
      ++data_sets;
      const std::string wrong = run_model(folder, model, data.path());
      if (!wrong.empty()) return wrong;
    }
  } catch (const std::exception& error) {
    return error.what();
  }
  return data_sets > 0 ? "" : "no data sets";
}

std::map<std::string, std::string> read_exceptions() {
  std::ifstream file(BITLINE_SOURCE_DIR "/tests/unit/mapper/onnx/conformance_exceptions.txt");
  std::map<std::string, std::string> reasons;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    const std::size_t colon = line.find(": ");
    EXPECT_NE(colon, std::string::npos) << "no reason: " << line;
    EXPECT_TRUE(reasons.emplace(line.substr(0, colon), line.substr(colon + 2)).second) << "twice: " << line;
  }
  return reasons;
}

TEST(OnnxConformance, EveryModelOfOurOperatorsPassesOrIsListedWithItsReason) {
  ASSERT_TRUE(fs::exists(kSuite)) << "install the package libonnx-testdata";
  std::map<std::string, std::string> exceptions = read_exceptions();
  int passed = 0;
  int not_passed = 0;
  for (const char* part : {"node", "pytorch-converted", "pytorch-operator", "simple"}) {
    for (const auto& entry : fs::directory_iterator(kSuite / part)) {
      if (!fs::exists(entry.path() / "model.onnx")) continue;
      const ::onnx::ModelProto model = read_model(entry.path());
      if (!only_our_operators(model)) continue;
      const std::string name = std::string(part) + "/" + entry.path().filename().string();
      const std::string wrong = run_data_sets(entry.path(), model);
      if (wrong.empty()) {
        EXPECT_FALSE(exceptions.contains(name)) << name << " is listed as an exception but passes";
        ++passed;
      } else {
        EXPECT_EQ(exceptions.erase(name), 1U) << name << ": " << wrong;
        ++not_passed;
      }
    }
  }
  for (const auto& [name, reason] : exceptions) ADD_FAILURE() << "stale exception " << name << ": " << reason;
  std::cout << "ONNX conformance: " << passed << " models pass, " << not_passed
            << " do not for a listed reason\n";
  EXPECT_GE(passed, 525);
  EXPECT_GE(passed, 0.95 * (passed + not_passed));
}

}  // namespace
}  // namespace bitline
