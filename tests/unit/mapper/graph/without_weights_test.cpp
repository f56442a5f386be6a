// SPDX-License-Identifier: Apache-2.0
#include "mapper/graph/without_weights.h"

#include <gmock/gmock.h>

#include "mapper/graph/shared_weights.h"

namespace bitline::graph {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(WithoutWeights, LeavesShapesSharesAndWhatIsNotOnCrossbars) {
  const auto matrix = std::make_shared<const Tensor>(Tensor{{2, 2}, std::vector<float>{1, 2, 3, 4}});
  const auto kernel = std::make_shared<const Tensor>(Tensor{{2, 1, 1, 1}, std::vector<float>{5, 6}});
  const auto bias = std::make_shared<const Tensor>(Tensor{{2}, std::vector<float>{7, 8}});
  ConvAttributes digital{{1, 1}, {1, 1}, {0, 0, 0, 0}, {1, 1}, 2, kernel, nullptr};
  digital.digital = true;
  Graph g;
  g.values = {{"x", {1, 2, 1, 1}}, {"a", {1, 2}}, {"b", {1, 2}}, {"c", {1, 2}}, {"y", {1, 2, 1, 1}}};
  g.nodes = {{"first", "Gemm", Op::linear, LinearAttributes{matrix, bias, nullptr}, {1}, {2}},
             {"second", "Gemm", Op::linear, LinearAttributes{matrix, nullptr, nullptr}, {2}, {3}},
             {"depthwise", "Conv", Op::conv, digital, {0}, {4}}};
  const Graph left = without_weights(g);
  const auto& first = std::get<LinearAttributes>(left.nodes[0].attributes);
  EXPECT_THAT(first.weight->shape, ElementsAre(2, 2));
  EXPECT_THAT(first.weight->as<float>(), IsEmpty());
  EXPECT_EQ(first.bias, bias);
  EXPECT_EQ(std::get<LinearAttributes>(left.nodes[1].attributes).weight, first.weight);
  EXPECT_EQ(first_with_weights(left), first_with_weights(g));
  EXPECT_EQ(std::get<ConvAttributes>(left.nodes[2].attributes).weight, kernel);
  EXPECT_THAT(matrix->as<float>(), ElementsAre(1, 2, 3, 4));
}

}  // namespace
}  // namespace bitline::graph
