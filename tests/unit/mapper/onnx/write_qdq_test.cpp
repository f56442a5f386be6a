// SPDX-License-Identifier: Apache-2.0
#include "mapper/onnx/write_qdq.h"

#include <gmock/gmock.h>

#include "mapper/graph/given_grid.h"
#include "tests/support/refusal.h"
#include "tests/unit/mapper/onnx/text_model.h"

namespace bitline::onnx {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing_support::refusal;

const std::string kValues = input("x", {0, 4}) + output("y");
/// x [N,4] -> MatMul with w [4,2] -> Add c -> y
const std::string kProduct = kValues + filled("w", {4, 2}, 0.5F) + filled("c", {2}, 3.0F) +
                             "node { op_type: 'MatMul' name: 'product' input: 'x' input: 'w' output: 'p' } "
                             "node { op_type: 'Add' name: 'add' input: 'p' input: 'c' output: 'y' } ";

graph::Grid grid(float scale, std::int64_t low, std::int64_t high) {
  return {.scale = {scale}, .zero_point = {0}, .axis = 0, .low = low, .high = high};
}

/// The layer of kProduct with weights 1 ... 8, 4 of each output.
QdqLayer product_layer() {
  QdqLayer layer;
  layer.node = "product";
  layer.output = "y";
  layer.shape = {2, 4};
  layer.input = grid(0.25F, 0, 63);
  layer.weights = grid(0.5F, -15, 15);
  layer.codes = {1, 2, 3, 4, 5, 6, 7, 8};
  layer.bias = std::make_shared<const tensor::Tensor>(tensor::Tensor{{2}, std::vector<float>{3, 3}});
  return layer;
}

::onnx::ModelProto written(const std::string& model, const std::vector<QdqLayer>& layers) {
  ::onnx::ModelProto proto;
  EXPECT_TRUE(proto.ParseFromString(write_qdq(model, "m.onnx", {}, layers)));
  return proto;
}

std::vector<std::string> types(const ::onnx::ModelProto& model) {
  std::vector<std::string> types;
  for (const auto& node : model.graph().node()) types.push_back(node.op_type());
  return types;
}

TEST(WriteQdq, HoldsNarrowCodesByClipsAndKeepsTheFoldedBias) {
  const std::string bytes = write_qdq(model(kProduct), "m.onnx", {}, std::vector{product_layer()});
  ::onnx::ModelProto proto;
  ASSERT_TRUE(proto.ParseFromString(bytes));
  EXPECT_THAT(types(proto), ElementsAre("QuantizeLinear", "Clip", "DequantizeLinear", "Clip",
                                        "DequantizeLinear", "MatMul", "Add"));
  const graph::Graph read = import_onnx_bytes(bytes, "m.onnx", {});
  const auto found = std::find_if(read.nodes.begin(), read.nodes.end(), graph::on_crossbars);
  ASSERT_NE(found, read.nodes.end());
  EXPECT_EQ(found->name, "product");
  const auto& linear = std::get<graph::LinearAttributes>(found->attributes);
  EXPECT_THAT(linear.weight->as<float>(), ElementsAre(0.5F, 1, 1.5F, 2, 2.5F, 3, 3.5F, 4));
  EXPECT_THAT(linear.bias->as<float>(), ElementsAre(3, 3));
  EXPECT_EQ(linear.grid->high, 15);
  const graph::Grid* input = graph::given_grid(read, found->inputs.front());
  ASSERT_NE(input, nullptr);
  EXPECT_EQ(input->high, 63);
  EXPECT_EQ(input->low, 0);
}

TEST(WriteQdq, TheFullTypeNeedsNoClip) {
  QdqLayer layer = product_layer();
  layer.input = grid(0.25F, 0, 255);
  layer.weights = grid(0.5F, -127, 127);
  EXPECT_THAT(types(written(model(kProduct), {layer})),
              ElementsAre("QuantizeLinear", "DequantizeLinear", "DequantizeLinear", "MatMul", "Add"));
}

TEST(WriteQdq, InputsOnOneGridAreQuantisedOnce) {
  const std::string two = kValues + output("z") + filled("w", {4, 2}, 0.5F) +
                          "node { op_type: 'MatMul' name: 'a' input: 'x' input: 'w' output: 'y' } "
                          "node { op_type: 'MatMul' name: 'b' input: 'x' input: 'w' output: 'z' } ";
  QdqLayer a = product_layer();
  a.node = "a";
  a.bias = nullptr;
  a.input = grid(0.25F, 0, 255);
  QdqLayer b = a;
  b.node = "b";
  b.output = "z";
  const auto quantisers = [&] {
    const std::vector<std::string> all = types(written(model(two), {a, b}));
    return std::count(all.begin(), all.end(), "QuantizeLinear");
  };
  EXPECT_EQ(quantisers(), 1);
  b.input = grid(0.25F, 0, 15);
  EXPECT_EQ(quantisers(), 2);
}

TEST(WriteQdq, WideActivationsLiftTheOperatorSet) {
  QdqLayer layer = product_layer();
  layer.input = grid(0.25F, 0, 65535);
  EXPECT_EQ(written(model(kProduct), {layer}).opset_import(0).version(), 21);
  const std::string other = kProduct + "node { op_type: 'ReduceMean' name: 'mean' input: 'x' output: 'm' } ";
  EXPECT_THAT(
      refusal<base::NetworkError>([&] { return write_qdq(model(other), "m.onnx", {}, std::vector{layer}); }),
      HasSubstr("m.onnx: operator set 13 with a ReduceMean; allowed: 21 or newer"));
}

TEST(WriteQdq, RefusesWhatItCannotWrite) {
  const auto message = [](const std::string& bytes, std::vector<QdqLayer> layers) {
    return refusal<base::NetworkError>([&] { return write_qdq(bytes, "m.onnx", {}, layers); });
  };
  EXPECT_THAT(message(model(kProduct, 11), {product_layer()}),
              HasSubstr("operator set 11; allowed: 13 or newer"));
  EXPECT_THAT(message("no model", {}), HasSubstr("m.onnx: is not an ONNX model"));
  QdqLayer unknown = product_layer();
  unknown.node = "inside";
  QdqLayer addition = product_layer();
  addition.node = "add";
  addition.input = std::nullopt;
  const std::string both = message(model(kProduct), {unknown, addition});
  EXPECT_THAT(both, HasSubstr("node 'inside': is no node of the file's main graph"));
  EXPECT_THAT(both,
              HasSubstr("node 'add': a layer with weights of type Add; allowed: Conv, ConvTranspose, Gemm"));
  const std::string shared = kProduct + output("p");
  EXPECT_THAT(message(model(shared), {product_layer()}),
              HasSubstr("what is folded into it is read elsewhere"));
}

}  // namespace
}  // namespace bitline::onnx
