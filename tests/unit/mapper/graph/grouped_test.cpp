// SPDX-License-Identifier: Apache-2.0
#include "mapper/graph/grouped.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/base/errors.h"

namespace bitline::graph {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// A convolution of 4 channels in 2 groups with 2 outputs each, 1x1, weights 1, 2, ..., 8.
Graph grouped() {
  Graph g;
  g.values = {{"x", {1, 4, 3, 3}, -1}, {"y", {1, 4, 3, 3}, 0}};
  ConvAttributes conv{{1, 1}, {1, 1}, {0, 0, 0, 0}, {1, 1}, 2, nullptr, nullptr};
  conv.weight =
      std::make_shared<const Tensor>(Tensor{{4, 2, 1, 1}, std::vector<float>{1, 2, 3, 4, 5, 6, 7, 8}});
  g.nodes = {{"conv", "Conv", Op::conv, conv, {0}, {1}}};
  g.inputs = {0};
  g.outputs = {1};
  return g;
}

TEST(Grouped, SpreadPutsZerosWhereAnOutputReadsNoChannel) {
  const Graph g = grouped();
  const Graph dense = spread_groups(g);
  const auto& conv = std::get<ConvAttributes>(dense.nodes[0].attributes);
  EXPECT_EQ(conv.group, 1);
  EXPECT_THAT(conv.weight->shape, ElementsAre(4, 4, 1, 1));
  EXPECT_THAT(conv.weight->as<float>(), ElementsAre(1, 2, 0, 0, 3, 4, 0, 0, 0, 0, 5, 6, 0, 0, 7, 8));
  EXPECT_TRUE(on_crossbars(dense.nodes[0]));
}

TEST(Grouped, WeightsThatAreNotReadAreSpreadAsShapes) {
  Graph g = grouped();
  std::get<ConvAttributes>(g.nodes[0].attributes).weight =
      std::make_shared<const Tensor>(Tensor{{4, 2, 1, 1}, std::vector<float>()});
  const Graph dense = spread_groups(g);
  const auto& conv = std::get<ConvAttributes>(dense.nodes[0].attributes);
  EXPECT_THAT(conv.weight->shape, ElementsAre(4, 4, 1, 1));
  EXPECT_TRUE(conv.weight->as<float>().empty());
}

TEST(Grouped, ZerosAreNoWork) {
  const Graph g = grouped();
  for (const Graph& other : {spread_groups(g), digital_groups(g)}) {
    EXPECT_EQ(macs(other, other.nodes[0]), 4 * 9 * 2);
    EXPECT_EQ(parameters(other), 8);
  }
}

TEST(Grouped, DigitalLeavesTheCrossbars) {
  const Graph digital = digital_groups(grouped());
  EXPECT_FALSE(on_crossbars(digital.nodes[0]));
  EXPECT_TRUE(is_dense(digital.nodes[0]));
}

TEST(Grouped, AConvolutionOfOneGroupStays) {
  Graph g = grouped();
  std::get<ConvAttributes>(g.nodes[0].attributes).group = 1;
  EXPECT_FALSE(is_grouped(g.nodes[0]));
  EXPECT_TRUE(on_crossbars(digital_groups(g).nodes[0]));
  EXPECT_EQ(std::get<ConvAttributes>(spread_groups(g).nodes[0].attributes).weight->size(), 8);
}

TEST(Grouped, AMatrixBeyondAllLimitsIsRefused) {
  Graph g = grouped();
  auto& conv = std::get<ConvAttributes>(g.nodes[0].attributes);
  conv.group = 1 << 20;
  conv.weight = std::make_shared<const Tensor>(Tensor{{1 << 20, 1, 1, 1}, std::vector<float>(1 << 20)});
  try {
    (void)spread_groups(g);
    FAIL();
  } catch (const base::MappingError& error) {
    EXPECT_THAT(error.problems().at(0).str(),
                AllOf(HasSubstr("conv"), HasSubstr("mapping.depthwise: packed")));
  }
}

}  // namespace
}  // namespace bitline::graph
