// SPDX-License-Identifier: Apache-2.0
// What quantised operators are refused for, and 4-bit codes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mapper/reference/executor.h"
#include "text_model.h"

namespace bitline::onnx {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// An initializer of 8-bit codes (data type 3: signed, 2: unsigned), or of int32 (6).
std::string codes(const std::string& name, int type, const std::vector<int>& values,
                  const std::string& dims = "") {
  std::string text = "initializer { name: '" + name + "' data_type: " + std::to_string(type) + " ";
  text += dims.empty() ? std::string("dims: ") + std::to_string(values.size()) + " " : dims + " ";
  for (const int value : values) text += std::string("int32_data: ") + std::to_string(value) + " ";
  return text + "} ";
}

std::string scalar(const std::string& name, float value) {
  return "initializer { name: '" + name + "' data_type: 1 float_data: " + std::to_string(value) + " } ";
}

std::string node(const std::string& type, const std::vector<std::string>& inputs,
                 const std::string& attributes = "") {
  std::string text = "node { op_type: '" + type + "' name: 'q' ";
  for (const std::string& name : inputs) text += "input: '" + name + "' ";
  return text + "output: 'y' " + attributes + "} " + output("y");
}

std::string number(const std::string& name, int value) {
  return "attribute { name: '" + name + "' type: INT i: " + std::to_string(value) + " } ";
}

TEST(QuantisedImport, ScalesArePositive) {
  for (const float scale : {0.0F, -1.0F}) {
    EXPECT_THAT(error_of(model(input("x", {1, 2}) + scalar("s", scale) + node("QuantizeLinear", {"x", "s"}))),
                HasSubstr("node 'q' (QuantizeLinear): scale " + std::to_string(scale) +
                          "; allowed: a positive number"));
  }
}

TEST(QuantisedImport, ScalesAreOneOrOneForEachIndexOfTheAxis) {
  EXPECT_THAT(
      error_of(model(input("x", {1, 2}) + filled("s", {3}, 1) + node("QuantizeLinear", {"x", "s"}))),
      HasSubstr(
          "scale or zero point of shape 3 for a tensor of shape 1x2; allowed: one, or one for each index "
          "of dimension 1"));
  EXPECT_EQ(error_of(model(input("x", {1, 2}) + filled("s", {2}, 1) + node("QuantizeLinear", {"x", "s"}))),
            "");
}

TEST(QuantisedImport, BlocksAndOtherOutputTypesAreRefused) {
  const std::string x = input("x", {1, 2}) + scalar("s", 1);
  EXPECT_THAT(error_of(model(x + node("QuantizeLinear", {"x", "s"}, number("block_size", 2)), 21)),
              HasSubstr("block_size (a scale per block); allowed: one scale per tensor or channel"));
  EXPECT_THAT(error_of(model(x + node("QuantizeLinear", {"x", "s"}, number("output_dtype", 17)), 21)),
              HasSubstr("output_dtype 17; allowed: an integer type of 4, 8 or 16 bits"));
}

TEST(QuantisedImport, WeightsHaveOneScaleForEachOutput) {
  const std::string text = input("x", {1, 2}) + codes("w", 3, {1, 2, 3, 4}, "dims: 2 dims: 2") +
                           filled("s", {2}, 1) +
                           "node { op_type: 'DequantizeLinear' input: 'w' input: 's' output: 'r' " +
                           number("axis", 0) + "} " + node("MatMul", {"x", "r"});
  EXPECT_THAT(
      error_of(model(text)),
      HasSubstr(
          "node 'q' (MatMul): weights 'r' quantised along dimension 0; allowed: one scale for the tensor, or "
          "one for each output (dimension 1); the columns of a crossbar have one scale each"));
}

TEST(QuantisedImport, WeightsOfIntegerOperatorsHaveEightBits) {
  EXPECT_THAT(error_of(model(input("x", {1, 2}) + codes("w", 6, {1, 2, 3, 4}, "dims: 2 dims: 2 ") +
                             node("MatMulInteger", {"x", "w"}))),
              HasSubstr("weights of another type than 8-bit integers; allowed: int8 or uint8"));
}

TEST(QuantisedImport, BiasesAreOneForEachOutput) {
  const std::string text = input("x", {1, 1, 2, 2}) + scalar("xs", 1) + codes("xz", 2, {0}) +
                           codes("w", 3, {1, 2}, "dims: 2 dims: 1 dims: 1 dims: 1") + scalar("ws", 1) +
                           codes("wz", 3, {0}) + scalar("ys", 1) + codes("yz", 2, {0}) +
                           codes("b", 6, {1, 2, 3});
  EXPECT_THAT(
      error_of(model(text + node("QLinearConv", {"x", "xs", "xz", "w", "ws", "wz", "ys", "yz", "b"}))),
      HasSubstr("node 'q' (QLinearConv): bias of shape 3; allowed: 2 int32 values, one for each output"));
}

TEST(QuantisedImport, FourBitCodesLieTwoInAByteTheFirstInItsLowHalf) {
  // 0x9e: codes 14 and 9 unsigned, -2 and -7 signed; 0x05: 5, and half a byte that is not used.
  for (const auto& [type, expected] : {std::pair{21, std::vector<float>{28, 18, 10}}, {22, {-4, -14, 10}}}) {
    for (const std::string& data :
         {std::string("raw_data: '\\236\\005'"), std::string("int32_data: 158 int32_data: 5")}) {
      const auto graph = std::make_shared<const graph::Graph>(
          import_text(input("x", {3}) + "initializer { name: 'c' data_type: " + std::to_string(type) +
                          " dims: 3 " + data + " } " + scalar("s", 2) +
                          "node { op_type: 'DequantizeLinear' input: 'c' input: 's' output: 'r' } " +
                          node("Add", {"x", "r"}),
                      21));
      EXPECT_EQ(reference::Executor(graph).run({{{3}, std::vector<float>(3, 0.0F)}}).at(0).as<float>(),
                expected);
    }
  }
  EXPECT_THAT(
      error_of(model("initializer { name: 'c' data_type: 22 dims: 3 raw_data: 'abc' } " + output("c"), 21)),
      HasSubstr("shape 3 needs 2 bytes of two values, but the file holds 3"));
}

}  // namespace
}  // namespace bitline::onnx
