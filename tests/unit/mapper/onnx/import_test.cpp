// SPDX-License-Identifier: Apache-2.0
// What the importer makes of a file, beyond what the conformance suite shows.
#include "mapper/onnx/import.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "mapper/onnx/export.h"
#include "mapper/reference/executor.h"
#include "mapper/tensor/operations.h"
#include "text_model.h"

namespace bitline::onnx {
namespace {

using graph::Graph;
using graph::Op;
using tensor::Tensor;
using ::testing::ElementsAre;
using ::testing::FloatEq;
using ::testing::HasSubstr;
using ::testing::Pointwise;

std::vector<Op> operators(const Graph& g) {
  std::vector<Op> ops;
  for (const graph::Node& node : g.nodes) ops.push_back(node.op);
  return ops;
}

std::vector<float> run(const Graph& g, const std::vector<float>& x) {
  const auto shared = std::make_shared<const Graph>(g);
  return reference::Executor(shared).run({Tensor{g.shape(g.inputs[0]), x}}).at(0).as<float>();
}

std::string vector_of(const std::string& name, const std::vector<float>& values,
                      const std::string& dims = "") {
  std::string text = "initializer { name: '" + name + "' data_type: 1 ";
  text += dims.empty() ? std::string("dims: ") + std::to_string(values.size()) + " " : dims + " ";
  for (const float value : values) text += std::string("float_data: ") + std::to_string(value) + " ";
  return text + "} ";
}

const std::string kBatchNorm =
    vector_of("s", {2, 4}) + vector_of("b", {1, -1}) + vector_of("m", {3, 5}) + vector_of("v", {3, 15}) +
    "node { op_type: 'BatchNormalization' name: 'bn' input: 'a' input: 's' input: 'b' input: 'm' "
    "input: 'v' output: 'y' attribute { name: 'epsilon' type: FLOAT f: 1 } } ";
// 1x1 convolution of one channel into two: a = {1, 2} * x + {10, 20}
const std::string kConv =
    input("x", {0, 1, 1, 2}) + vector_of("w", {1, 2}, "dims: 2 dims: 1 dims: 1 dims: 1") +
    vector_of("c", {10, 20}) +
    "node { op_type: 'Conv' name: 'conv' input: 'x' input: 'w' input: 'c' output: 'a' } ";
// scale 2/sqrt(4), 4/sqrt(16): y0 = (a0 - 3) + 1, y1 = (a1 - 5) - 1, at x = 1, 2
const std::vector<float> kNormalised = {11 - 2, 12 - 2, 22 - 6, 24 - 6};

TEST(Import, BatchNormalizationGoesIntoTheConvolution) {
  const Graph g = import_text(kConv + kBatchNorm + output("y"));
  EXPECT_THAT(operators(g), ElementsAre(Op::conv));
  EXPECT_EQ(g.nodes[0].name, "conv");
  EXPECT_EQ(g.values[static_cast<std::size_t>(g.outputs[0])].name, "y");
  EXPECT_EQ(g.shape(g.inputs[0]), (tensor::Shape{1, 1, 1, 2})) << "the symbolic batch is 1";
  EXPECT_THAT(run(g, {1, 2}), Pointwise(FloatEq(), kNormalised));
}

TEST(Import, BatchNormalizationStaysWhereTheConvolutionIsReadTwiceOrShown) {
  for (const std::string& more :
       {output("a"), "node { op_type: 'Relu' input: 'a' output: 'z' } " + output("z")}) {
    const Graph g = import_text(kConv + kBatchNorm + output("y") + more);
    EXPECT_EQ(operators(g)[1], Op::scale_shift);
    EXPECT_THAT(run(g, {1, 2}), Pointwise(FloatEq(), kNormalised));
  }
}

TEST(Import, BatchNormalizationGoesThroughIdentityAndDropout) {
  std::string renamed = kConv;
  renamed.replace(renamed.find("output: 'a'"), 11, "output: 'q'");
  const Graph g = import_text(renamed +
                              "node { op_type: 'Identity' input: 'q' output: 'p' } "
                              "node { op_type: 'Dropout' input: 'p' output: 'a' } " +
                              kBatchNorm + output("y"));
  EXPECT_THAT(operators(g), ElementsAre(Op::conv));
  EXPECT_THAT(run(g, {1, 2}), Pointwise(FloatEq(), kNormalised));
}

TEST(Import, AChannelConstantGoesIntoTheBias) {
  const std::string matmul = input("x", {1, 2}) + vector_of("w", {1, 2, 3, 4}, "dims: 2 dims: 2") +
                             "node { op_type: 'MatMul' name: 'fc' input: 'x' input: 'w' output: 'a' } ";
  const Graph g = import_text(matmul + vector_of("k", {10, 20}) +
                              "node { op_type: 'Add' input: 'k' input: 'a' output: 'y' } " + output("y"));
  EXPECT_THAT(operators(g), ElementsAre(Op::linear));
  EXPECT_THAT(run(g, {1, 1}), ElementsAre(14, 26));  // x * W + k, W by rows 1 2 / 3 4
  const Graph image = import_text(kConv + vector_of("k", {5, 6}, "dims: 1 dims: 1 dims: 2") +
                                  "node { op_type: 'Add' input: 'a' input: 'k' output: 'y' } " + output("y"));
  EXPECT_THAT(operators(image), ElementsAre(Op::conv, Op::add)) << "one number per column is no bias";
  EXPECT_THAT(run(image, {1, 2}), ElementsAre(16, 18, 27, 30));
}

TEST(Import, GemmTakesAllItsAttributes) {
  const std::string gemm =
      input("x", {1, 2}) + vector_of("w", {1, 2, 3, 4, 5, 6}, "dims: 3 dims: 2") + vector_of("c", {7}) +
      "node { op_type: 'Gemm' input: 'x' input: 'w' input: 'c' output: 'y' attribute { name: 'alpha' type: "
      "FLOAT f: 2 } "
      "attribute { name: 'beta' type: FLOAT f: 10 } attribute { name: 'transB' type: INT i: 1 } } ";
  EXPECT_THAT(run(import_text(gemm + output("y")), {1, 10}),
              ElementsAre(2 * 21 + 70, 2 * 43 + 70, 2 * 65 + 70));
}

TEST(Import, TransposedVectorIsAReshapeAndATransposedMatrixIsRefused) {
  const auto gemm = [](int columns) {
    return input("x", {2, columns}) + vector_of("w", {1, 2, 3, 4}, "dims: 2 dims: 2") + output("y") +
           "node { op_type: 'Gemm' name: 'g' input: 'x' input: 'w' output: 'y' attribute { name: 'transA' "
           "type: INT i: 1 } } ";
  };
  EXPECT_THAT(run(import_text(gemm(1)), {1, 1}), ElementsAre(4, 6));
  EXPECT_THAT(error_of(model(gemm(3))), HasSubstr("transA of a computed matrix of shape 2x3"));
}

TEST(Import, OldSoftmaxTakesTheDimensionsFromTheAxisOnTogether) {
  const std::string softmax =
      input("x", {1, 2, 2}) + output("y") +
      "node { op_type: 'Softmax' input: 'x' output: 'y' attribute { name: 'axis' type: INT i: 1 } } ";
  const Graph old = import_text(softmax, 12);
  EXPECT_THAT(operators(old), ElementsAre(Op::reshape, Op::softmax, Op::reshape));
  EXPECT_THAT(run(old, {0, 0, 0, 0}), ElementsAre(0.25F, 0.25F, 0.25F, 0.25F));
  EXPECT_THAT(run(import_text(softmax, 13), {0, 0, 0, 0}), ElementsAre(0.5F, 0.5F, 0.5F, 0.5F));
}

TEST(Import, ConstantsAreEvaluatedAndDeadNodesLeftOut) {
  const Graph g = import_text(
      input("x", {1, 4}) + integers("one", {1}) + output("y") +
      "node { op_type: 'Constant' output: 'rest' attribute { name: 'value_ints' type: INTS ints: -1 } } "
      "node { op_type: 'Concat' input: 'one' input: 'rest' output: 'shape' attribute { name: 'axis' type: "
      "INT i: 0 } } "
      "node { op_type: 'Sigmoid' input: 'x' output: 'unused' } " +
      vector_of("k", {-3, 4}, "dims: 2 dims: 1") +
      "node { op_type: 'Relu' input: 'k' output: 'k2' } "
      "node { op_type: 'Reshape' input: 'x' input: 'shape' output: 'r' } "
      "node { op_type: 'Add' input: 'r' input: 'k2' output: 'y' } ");
  EXPECT_THAT(operators(g), ElementsAre(Op::reshape, Op::add));
  EXPECT_EQ(g.shape(g.outputs[0]), (tensor::Shape{2, 4}));
  EXPECT_THAT(run(g, {1, 2, 3, 4}), ElementsAre(1, 2, 3, 4, 5, 6, 7, 8));
}

TEST(Import, NodesMayComeInAnyOrderAndInitializersMayBeInputs) {
  const Graph g = import_text(input("w", {2, 2}) + output("y") +
                              "node { op_type: 'Relu' input: 'a' output: 'y' } "
                              "node { op_type: 'MatMul' input: 'x' input: 'w' output: 'a' } " +
                              input("x", {1, 2}) + vector_of("w", {1, 0, 0, -1}, "dims: 2 dims: 2"));
  EXPECT_THAT(operators(g), ElementsAre(Op::linear, Op::relu));
  EXPECT_EQ(g.inputs.size(), 1U);
  EXPECT_THAT(run(g, {3, 4}), ElementsAre(3, 0));
}

TEST(Import, OutputsKeepTheirNamesEvenIfTheyAreTheInputOrEqual) {
  const Graph g = import_text(
      input("x", {1, 2}) + output("y") + output("z") + output("r1") + output("r2") +
      "node { op_type: 'Identity' input: 'x' output: 'y' } node { op_type: 'Relu' input: 'x' output: 'r1' } "
      "node { op_type: 'Identity' input: 'r1' output: 'r2' } node { op_type: 'Identity' input: 'r1' output: "
      "'z' } ");
  const auto outputs =
      reference::Executor(std::make_shared<const Graph>(g)).run({Tensor{{1, 2}, std::vector<float>{-1, 2}}});
  const std::vector<std::string> names = {"y", "z", "r1", "r2"};
  for (std::size_t i = 0; i < 4; ++i)
    EXPECT_EQ(g.values[static_cast<std::size_t>(g.outputs[i])].name, names[i]);
  EXPECT_THAT(outputs[0].as<float>(), ElementsAre(-1, 2));
  for (std::size_t i = 1; i < 4; ++i) EXPECT_THAT(outputs[i].as<float>(), ElementsAre(0, 2));
}

TEST(Import, NamelessNodesGetNamesOfTheirOwn) {
  const Graph g = import_text(input("x", {1, 2}) + output("y") +
                              "node { op_type: 'Relu' input: 'x' output: 'a' } "
                              "node { op_type: 'Relu' name: 'Relu_0' input: 'a' output: 'y' } ");
  EXPECT_EQ(g.nodes[0].name, "Relu_0_");
  EXPECT_EQ(g.nodes[1].name, "Relu_0");
}

TEST(Import, AFixedBatchIsKeptOrRefusedAsAsked) {
  const std::string graph =
      input("x", {5, 2}) + output("y") + "node { op_type: 'Relu' input: 'x' output: 'y' } ";
  EXPECT_EQ(import_text(graph).shape(0), (tensor::Shape{5, 2}));
  ImportOptions options;
  options.allow_fixed_batch = false;
  EXPECT_THAT(error_of(model(graph), options),
              HasSubstr("has a fixed batch of 5; allowed: 1 or a symbolic batch"));
}

TEST(Import, NamedInputsCanBeBoundToConstants) {
  ImportOptions options;
  options.constants["z"] = Tensor{{1, 2}, std::vector<float>{5, 6}};
  const Graph g = import_text(input("x", {1, 2}) + input("z", {1, 2}) + output("y") +
                                  "node { op_type: 'Add' input: 'x' input: 'z' output: 'y' } ",
                              13, options);
  EXPECT_EQ(g.inputs.size(), 1U);
  EXPECT_THAT(run(g, {1, 1}), ElementsAre(6, 7));
}

TEST(Export, WhatIsBuiltIsImported) {
  OnnxBuilder builder("small");
  builder.input("x", {-1, 1, 2, 2});
  const std::span<float> weights = builder.weights("w", {1, 1, 2, 2});
  for (std::size_t i = 0; i < 4; ++i) weights[i] = static_cast<float>(i + 1);
  builder.integers("shape", {-1, 1});
  const std::string y =
      builder.node("Conv", "conv", {"x", "w"},
                   {{"strides", std::vector<std::int64_t>{1, 1}}, {"auto_pad", std::string("VALID")}});
  builder.node("Reshape", "out", {y, "shape"}, {}, "y");
  builder.output("y", {-1, 1});
  const std::string path = ::testing::TempDir() + "/built.onnx";
  builder.write(path);
  const Graph g = import_onnx(path);
  EXPECT_EQ(g.name, "small");
  EXPECT_THAT(run(g, {1, 10, 100, 1000}), ElementsAre(4321));
  EXPECT_EQ(builder.bytes(), builder.bytes());
  EXPECT_THROW(builder.write("/nonexistent/folder/x.onnx"), base::UsageError);
  std::filesystem::remove(path);
}

const std::string kLookup =
    "input { name: 'i' type { tensor_type { elem_type: 7 shape { dim { dim_value: 3 } } } } } " +
    vector_of("table", {1, 2, 3, 4, 5, 6, 7, 8}, "dims: 4 dims: 2") +
    "node { op_type: 'Gather' name: 'look' input: 'table' input: 'i' output: 'y' } " + output("y");

TEST(Import, GatherTakesIndicesThatComeWithTheInput) {
  const Graph g = import_text(kLookup);
  EXPECT_THAT(operators(g), ElementsAre(Op::gather));
  EXPECT_THAT(g.shape(g.outputs[0]), ElementsAre(3, 2));
  EXPECT_THAT(run(g, {3, 0, -2}), ElementsAre(7, 8, 1, 2, 5, 6));
  for (const float wrong : {4.0F, -5.0F, 0.5F}) {
    try {
      run(g, {0, wrong, 0});
      ADD_FAILURE() << wrong;
    } catch (const base::UsageError& error) {
      EXPECT_THAT(error.what(), HasSubstr("node 'look': index"));
      EXPECT_THAT(error.what(), HasSubstr("allowed: whole numbers from -4 to 3"));
    }
  }
}

}  // namespace
}  // namespace bitline::onnx
