// SPDX-License-Identifier: Apache-2.0
#include "mapper/graph/graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "mapper/graph/order.h"
#include "mapper/graph/shapes.h"
#include "mapper/tensor/operations.h"

namespace bitline::graph {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::ThrowsMessage;

std::shared_ptr<const Tensor> weight(const Shape& shape) {
  return std::make_shared<const Tensor>(tensor::zeros(shape));
}

/// x [1,4,6,6] -> conv 8 of 2 groups, 3x3 -> relu -> linear on the flattened image.
Graph small_graph() {
  Graph g;
  g.values = {{"x", {1, 4, 6, 6}},
              {"a", {1, 8, 4, 4}, 0},
              {"b", {1, 8, 4, 4}, 1},
              {"c", {1, 128}, 2},
              {"y", {1, 10}, 3}};
  ConvAttributes conv{{3, 3}, {1, 1}, {0, 0, 0, 0}, {1, 1}, 2, weight({8, 2, 3, 3}), weight({8})};
  LinearAttributes linear{weight({10, 128}), nullptr};
  g.nodes = {{"conv", "Conv", Op::conv, conv, {0}, {1}},
             {"relu", "Relu", Op::relu, {}, {1}, {2}},
             {"flat", "Flatten", Op::flatten, AxisAttributes{1}, {2}, {3}},
             {"fc", "Gemm", Op::linear, linear, {3}, {4}}};
  g.inputs = {0};
  g.outputs = {4};
  return g;
}

TEST(Graph, CountsMultiplicationsAndParameters) {
  const Graph g = small_graph();
  EXPECT_EQ(macs(g, g.node(0)), 8 * 4 * 4 * (2 * 3 * 3));
  EXPECT_EQ(macs(g, g.node(1)), 0);
  EXPECT_EQ(macs(g, g.node(3)), 10 * 128);
  EXPECT_EQ(parameters(g), 8 * 2 * 9 + 8 + 1280);
}

TEST(Graph, CountsTheMultiplicationsOfComputedMatrices) {
  Graph g;
  g.values = {{"a", {2, 3, 5}, -1}, {"b", {2, 5, 7}, -1}, {"y", {2, 3, 7}, 0}};
  g.nodes = {{"matmul", "MatMul", Op::matmul, {}, {0, 1}, {2}}};
  EXPECT_EQ(macs(g, g.node(0)), 2 * 3 * 5 * 7);
}

TEST(Graph, FindsConsumersInOrder) {
  Graph g = small_graph();
  g.nodes.push_back({"sum", "Add", Op::add, {}, {1, 1}, {2}});
  EXPECT_THAT(g.consumers(1), ElementsAre(1, 4));
  EXPECT_THAT(g.consumers(4), IsEmpty());
}

TEST(Graph, EveryOperatorHasAName) {
  for (int op = 0; op <= static_cast<int>(Op::reshape); ++op)
    EXPECT_STRNE(to_string(static_cast<Op>(op)), "");
  EXPECT_STREQ(to_string(Op::global_average_pool), "global_average_pool");
}

/// Counts positions one by one, by the definition of a sliding window.
std::int64_t positions_by_counting(const Axis& a, bool ceil_mode) {
  const std::int64_t extent = a.dilation * (a.kernel - 1) + 1;
  const std::int64_t end = a.in + a.pad_begin + a.pad_end;
  std::int64_t count = 0;
  for (std::int64_t start = 0;; start += a.stride, ++count) {
    const bool whole = start + extent <= end;
    // With ceil, one window may reach over the end, if it starts on the input and something of the line is
    // left.
    const bool last = ceil_mode && start < a.in + a.pad_begin && start - a.stride + extent < end;
    if (!whole && !last) return count;
  }
}

TEST(Shapes, WindowPositionsAgreeWithCounting) {
  for (std::int64_t in = 1; in <= 9; ++in) {
    for (std::int64_t kernel = 1; kernel <= 4; ++kernel) {
      for (std::int64_t stride = 1; stride <= 4; ++stride) {
        for (std::int64_t pad = 0; pad < kernel; ++pad) {
          for (std::int64_t dilation = 1; dilation <= 2; ++dilation) {
            const Axis axis{in, kernel, stride, pad, pad / 2, dilation};
            if (axis.in + axis.pad_begin + axis.pad_end < dilation * (kernel - 1) + 1) continue;
            for (const bool ceil_mode : {false, true}) {
              EXPECT_EQ(window_positions(axis, ceil_mode), positions_by_counting(axis, ceil_mode))
                  << in << " kernel " << kernel << " stride " << stride << " pad " << pad << " dilation "
                  << dilation << " " << ceil_mode;
            }
          }
        }
      }
    }
  }
}

TEST(Shapes, SamePaddingKeepsTheSizeDividedByTheStride) {
  for (std::int64_t in = 1; in <= 12; ++in) {
    for (std::int64_t stride = 1; stride <= 3; ++stride) {
      for (std::int64_t kernel = 1; kernel <= 5; ++kernel) {
        Axis axis{in, kernel, stride};
        const auto upper = same_padding(axis, true);
        const auto lower = same_padding(axis, false);
        EXPECT_EQ(upper[0], lower[1]);
        EXPECT_EQ(upper[1], lower[0]);
        EXPECT_GE(upper[1], upper[0]);
        axis.pad_begin = upper[0];
        axis.pad_end = upper[1];
        EXPECT_EQ(window_positions(axis), (in + stride - 1) / stride);
      }
    }
  }
}

TEST(Shapes, ConvChecksChannelsAndGroups) {
  ConvAttributes conv{{3, 3}, {2, 2}, {1, 1, 1, 1}, {1, 1}, 2, weight({8, 2, 3, 3}), nullptr};
  EXPECT_EQ(conv_shape({1, 4, 7, 8}, conv), (Shape{1, 8, 4, 4}));
  EXPECT_THROW(static_cast<void>(conv_shape({1, 5, 7, 8}, conv)), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(conv_shape({1, 4, 7}, conv)), std::invalid_argument);
  conv.bias = weight({7});
  EXPECT_THAT(
      [&] {
        static_cast<void>(conv_shape({1, 4, 7, 8}, conv));
      },
      ThrowsMessage<std::invalid_argument>(HasSubstr("bias of shape 7 for 8 output channels")));
  conv.bias = nullptr;
  conv.group = 0;
  EXPECT_THROW(static_cast<void>(conv_shape({1, 4, 7, 8}, conv)), std::invalid_argument);
  conv.group = 2;
  conv.pads = {-1, 0, 0, 0};
  EXPECT_THROW(static_cast<void>(conv_shape({1, 4, 7, 8}, conv)), std::invalid_argument);
  conv.pads = {0, 0, 0, 0};
  EXPECT_THAT(
      [&] {
        static_cast<void>(conv_shape({1, 4, 2, 8}, conv));
      },
      ThrowsMessage<std::invalid_argument>(HasSubstr("a window of 3 pixels on a padded input of 2")));
}

TEST(Shapes, ReshapeResolvesZeroAndMinusOne) {
  EXPECT_EQ(reshape_shape({2, 3, 4}, {0, -1}), (Shape{2, 12}));
  EXPECT_EQ(reshape_shape({2, 3, 4}, {4, 0, 2}), (Shape{4, 3, 2}));
  for (const Shape& wrong : {Shape{5, -1}, Shape{-1, -1}, Shape{2, 3}, Shape{2, 3, 4, 0}, Shape{-2, 12}}) {
    EXPECT_THROW(static_cast<void>(reshape_shape({2, 3, 4}, wrong)), std::invalid_argument)
        << tensor::to_string(wrong);
  }
  EXPECT_THROW(static_cast<void>(reshape_shape({2, 3}, {0, 6}, true)), std::invalid_argument);
}

TEST(Shapes, FlattenAndAxes) {
  EXPECT_EQ(flatten_shape({2, 3, 4}, 0), (Shape{1, 24}));
  EXPECT_EQ(flatten_shape({2, 3, 4}, 3), (Shape{24, 1}));
  EXPECT_EQ(normalise_axis(-1, 4, 3), 3);
  EXPECT_THROW(static_cast<void>(normalise_axis(-5, 4, 3)), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(normalise_axis(4, 4, 3)), std::invalid_argument);
}

TEST(Order, KeepsAnOrderThatIsGood) {
  EXPECT_THAT(topological_order(4, {{0, 2}, {1, 2}, {2, 3}}), ElementsAre(0, 1, 2, 3));
}

TEST(Order, PutsEveryVertexAfterItsPredecessors) {
  const std::vector<Precedence> edges = {{4, 0}, {0, 3}, {3, 1}, {4, 1}, {2, 0}};
  const std::vector<int> order = topological_order(5, edges);
  ASSERT_EQ(order.size(), 5U);
  const auto place = [&](int v) { return std::find(order.begin(), order.end(), v) - order.begin(); };
  for (const auto& [from, to] : edges) EXPECT_LT(place(from), place(to));
}

TEST(Order, NamesTheCycle) {
  const std::vector<Precedence> edges = {{0, 1}, {1, 2}, {2, 3}, {3, 1}, {3, 4}};
  EXPECT_THAT(topological_order(5, edges), IsEmpty());
  EXPECT_THAT(find_cycle(5, edges), ElementsAre(1, 2, 3));
  EXPECT_THAT(find_cycle(2, {{1, 1}}), ElementsAre(1));
  EXPECT_THAT(find_cycle(2, {{1, 0}}), IsEmpty());
}

TEST(Order, AChainOfAHundredThousandNeedsNoDeepStack) {
  std::vector<Precedence> edges;
  for (int v = 99'999; v > 0; --v) edges.emplace_back(v, v - 1);
  EXPECT_EQ(topological_order(100'000, edges).front(), 99'999);
  edges.emplace_back(0, 99'999);
  EXPECT_EQ(find_cycle(100'000, edges).size(), 100'000U);
}

}  // namespace
}  // namespace bitline::graph
