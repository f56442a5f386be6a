// SPDX-License-Identifier: Apache-2.0
#include "mapper/graph/signs.h"

#include <gtest/gtest.h>

#include <utility>

namespace bitline::graph {
namespace {

/// A chain of nodes, each on the value before it; `clip_min` of the clips.
Graph chain(const std::vector<Op>& ops, float clip_min = 0) {
  Graph g;
  g.values.resize(ops.size() + 1);
  g.inputs = {0};
  for (std::size_t n = 0; n < ops.size(); ++n) {
    Node node;
    node.op = ops[n];
    if (node.op == Op::clip) node.attributes = ClipAttributes{clip_min, 6};
    node.inputs = {static_cast<ValueId>(n)};
    node.outputs = {static_cast<ValueId>(n + 1)};
    g.nodes.push_back(std::move(node));
  }
  return g;
}

using Can = std::vector<bool>;

TEST(Signs, ReluEndsNegativeValues) {
  EXPECT_EQ(can_be_negative(chain({Op::conv, Op::relu, Op::max_pool, Op::linear}), false),
            (Can{false, true, false, false, true}));
}

TEST(Signs, WhatMovesValuesKeepsTheirSign) {
  const Graph g = chain({Op::average_pool, Op::flatten});
  EXPECT_EQ(can_be_negative(g, false), (Can{false, false, false}));
  EXPECT_EQ(can_be_negative(g, true), (Can{true, true, true}));
}

TEST(Signs, AClipFromZeroIsAsGoodAsARelu) {
  EXPECT_EQ(can_be_negative(chain({Op::clip}, 0), true), (Can{true, false}));
  EXPECT_EQ(can_be_negative(chain({Op::clip}, -1), true), (Can{true, true}));
}

TEST(Signs, ASumIsNegativeWhereOneOperandIs) {
  Graph g = chain({Op::relu, Op::conv, Op::add});
  g.nodes[2].inputs = {1, 2};
  EXPECT_EQ(can_be_negative(g, true), (Can{true, false, true, true}));
  g.nodes[2].inputs = {1, 1};
  EXPECT_EQ(can_be_negative(g, true), (Can{true, false, true, false}));
}

}  // namespace
}  // namespace bitline::graph
