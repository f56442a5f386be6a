// SPDX-License-Identifier: Apache-2.0
// Functions of the model: their nodes take the place of the nodes that call them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mapper/reference/executor.h"
#include "text_model.h"

namespace bitline::onnx {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::FloatEq;
using ::testing::HasSubstr;

/// A model with functions in text format.
std::string with_functions(const std::string& graph, const std::string& functions, int opset = 13) {
  ::onnx::ModelProto proto;
  const std::string text = "ir_version: 8 opset_import { version: " + std::to_string(opset) +
                           " } opset_import { domain: 'mine' version: 1 } graph { name: 'g' " + graph + "} " +
                           functions;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &proto)) << text;
  return proto.SerializeAsString();
}

const std::string kScaled =
    "functions { domain: 'mine' name: 'Scaled' input: 'a' input: 'b' output: 'c' attribute: 'slope' "
    "opset_import { version: 13 } "
    "node { op_type: 'LeakyRelu' input: 'a' output: 'inner' attribute { name: 'alpha' type: FLOAT "
    "ref_attr_name: 'slope' } } "
    "node { op_type: 'Mul' name: 'product' input: 'inner' input: 'b' output: 'c' } } ";

std::string call(const std::string& name, const std::string& x, const std::string& y,
                 const std::string& slope = "") {
  return "node { domain: 'mine' op_type: 'Scaled' name: '" + name + "' input: '" + x +
         "' input: 'two' output: '" + y + "' " +
         (slope.empty() ? "" : "attribute { name: 'slope' type: FLOAT f: " + slope + " } ") + "} ";
}

TEST(Functions, AreInlinedWithTheirAttributes) {
  const std::string bytes =
      with_functions(input("x", {1, 2}) + filled("two", {2}, 2) + call("first", "x", "h", "0.5") +
                         call("second", "h", "y") + output("y"),
                     kScaled);
  const auto graph = std::make_shared<const graph::Graph>(import_onnx_bytes(bytes, "test.onnx"));
  ASSERT_EQ(graph->nodes.size(), 4U);
  EXPECT_EQ(graph->nodes[0].name, "first/LeakyRelu_0");
  EXPECT_EQ(graph->nodes[3].name, "second/product");
  const auto y = reference::Executor(graph).run({{{1, 2}, std::vector<float>{3, -4}}});
  // -4: 0.5 * -4 * 2 = -4, then with the operator's own slope 0.01 * -4 * 2
  EXPECT_THAT(y.at(0).as<float>(), ElementsAre(FloatEq(12), FloatEq(-0.08F)));
}

TEST(Functions, MayCallOthers) {
  const std::string twice =
      "functions { domain: 'mine' name: 'Twice' input: 'x' output: 'z' opset_import { version: 13 } "
      "node { op_type: 'Add' input: 'x' input: 'x' output: 'z' } } "
      "functions { domain: 'mine' name: 'Four' input: 'x' output: 'z' opset_import { version: 13 } "
      "node { domain: 'mine' op_type: 'Twice' name: 't' input: 'x' output: 'u' } "
      "node { domain: 'mine' op_type: 'Twice' name: 't2' input: 'u' output: 'z' } } ";
  const std::string bytes =
      with_functions(input("x", {1}) + output("y") +
                         "node { domain: 'mine' op_type: 'Four' name: 'f' input: 'x' output: 'y' } ",
                     twice);
  const auto graph = std::make_shared<const graph::Graph>(import_onnx_bytes(bytes, "test.onnx"));
  EXPECT_THAT(reference::Executor(graph).run({{{1}, std::vector<float>{3}}}).at(0).as<float>(),
              ElementsAre(12));
  EXPECT_EQ(graph->nodes[0].name, "f/t/Add_0");
}

TEST(Functions, ThatCallThemselvesAreRefused) {
  const std::string graph = input("x", {1}) + output("y") +
                            "node { domain: 'mine' op_type: 'A' name: 'f' input: 'x' output: 'y' } ";
  const auto calls = [](const std::string& name, const std::string& other) {
    return "functions { domain: 'mine' name: '" + name +
           "' input: 'x' output: 'z' opset_import { version: 13 } node { domain: 'mine' op_type: '" + other +
           "' name: 'n' input: 'x' output: 'z' } } ";
  };
  EXPECT_THAT(error_of(with_functions(graph, calls("A", "B") + calls("B", "A"))),
              HasSubstr("node 'f/n/n' (A): function A calls itself"));
}

TEST(Functions, DoNotGrowWithoutBound) {
  // Each calls the next twice: 2^40 nodes.
  std::string functions;
  for (int i = 0; i < 40; ++i) {
    const std::string next =
        i == 39 ? "op_type: 'Neg' " : "domain: 'mine' op_type: 'F" + std::to_string(i + 1) + "' ";
    functions += "functions { domain: 'mine' name: 'F" + std::to_string(i) +
                 "' input: 'x' output: 'z' opset_import { version: 13 } node { " + next +
                 "input: 'x' output: 'u' } node { " + next + "input: 'u' output: 'z' } } ";
  }
  const std::string graph = input("x", {1}) + output("y") +
                            "node { domain: 'mine' op_type: 'F0' name: 'f' input: 'x' output: 'y' } ";
  EXPECT_THAT(error_of(with_functions(graph, functions)), HasSubstr("once functions are inlined"));
}

TEST(Functions, OfAnotherOperatorSetOrWithOtherArgumentsAreRefused) {
  const std::string graph =
      input("x", {1, 2}) + filled("two", {2}, 2) + call("first", "x", "y") + output("y");
  EXPECT_THAT(
      error_of(with_functions(graph, kScaled, 14)),
      HasSubstr("node 'first' (Scaled): function Scaled of operator set 13; allowed: the model's, 14"));
  const std::string three =
      input("x", {1, 2}) + output("y") +
      "node { domain: 'mine' op_type: 'Scaled' name: 'f' input: 'x' input: 'x' input: 'x' output: 'y' } ";
  EXPECT_THAT(error_of(with_functions(three, kScaled)),
              HasSubstr("node 'f' (Scaled): 3 inputs and 1 outputs; allowed: 2 and 1"));
}

}  // namespace
}  // namespace bitline::onnx
