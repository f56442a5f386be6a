// SPDX-License-Identifier: Apache-2.0
#include "mapper/prune/compact.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <random>

namespace bitline::prune {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Compact, RowsAndColumnsWithoutAWeightLeave) {
  // Outputs 0..2, rows 0..3; row 2 and output 1 are empty.
  const std::vector<std::int32_t> codes{5, 0,  0, 1,  //
                                        0, 0,  0, 0,  //
                                        0, -7, 0, 0};
  const Compaction c = compact({.groups = 1, .outputs_per_group = 3, .rows_per_group = 4}, codes);
  EXPECT_EQ(c.shape.outputs_per_group, 2);
  EXPECT_EQ(c.shape.rows_per_group, 3);
  EXPECT_THAT(c.rows, ElementsAre(0, 1, 3));
  EXPECT_THAT(c.outputs, ElementsAre(0, 2));
  EXPECT_THAT(c.codes, ElementsAre(5, 0, 1, 0, -7, 0));
}

TEST(Compact, WhatIsFullStaysAsItIs) {
  const std::vector<std::int32_t> codes{1, 2, 3, 4};
  const Compaction c = compact({.groups = 1, .outputs_per_group = 2, .rows_per_group = 2}, codes);
  EXPECT_THAT(c.rows, IsEmpty());
  EXPECT_THAT(c.outputs, IsEmpty());
  EXPECT_EQ(c.codes, codes);
}

TEST(Compact, OneRowAndOneColumnAreLeftOfNothing) {
  const std::vector<std::int32_t> codes(24, 0);
  const Compaction c = compact({.groups = 2, .outputs_per_group = 3, .rows_per_group = 4}, codes);
  EXPECT_EQ(c.shape.groups, 1);
  EXPECT_THAT(c.rows, ElementsAre(0));
  EXPECT_THAT(c.outputs, ElementsAre(0));
  EXPECT_THAT(c.codes, ElementsAre(0));
}

TEST(Compact, GroupsKeepEqualSizes) {
  // Three groups of two outputs and three rows: the first needs rows 1 and 2, the second none, the third row
  // 0.
  const std::vector<std::int32_t> codes{0, 1, 2, 0, 3, 0,  //
                                        0, 0, 0, 0, 0, 0,  //
                                        4, 0, 0, 0, 0, 0};
  const Compaction c = compact({.groups = 3, .outputs_per_group = 2, .rows_per_group = 3}, codes);
  EXPECT_EQ(c.shape.groups, 2);
  EXPECT_THAT(c.rows, ElementsAre(1, 2, 6, 7));     // the third group keeps row 1 beside its own
  EXPECT_THAT(c.outputs, ElementsAre(0, 1, 4, 5));  // and an empty output
  EXPECT_THAT(c.codes, ElementsAre(1, 2, 3, 0, 4, 0, 0, 0));
}

/// Every weight of the matrix is where the maps say, and every other one is zero.
TEST(Compact, RandomMatrices) {
  std::mt19937 random(3);
  const auto below = [&random](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  for (int round = 0; round < 200; ++round) {
    const slice::LayerShape shape{1 + below(4), 1 + below(5), 1 + below(6)};
    const int rows = shape.rows_per_group;
    std::vector<std::int32_t> codes(static_cast<std::size_t>(shape.groups * shape.outputs_per_group * rows),
                                    0);
    for (std::int32_t& code : codes) code = below(4) == 0 ? below(9) - 4 : 0;
    const Compaction c = compact(shape, codes);
    std::vector<std::int32_t> rebuilt(codes.size(), 0);
    std::size_t next = 0;
    for (int g = 0; g < c.shape.groups; ++g) {
      for (int o = 0; o < c.shape.outputs_per_group; ++o) {
        for (int r = 0; r < c.shape.rows_per_group; ++r) {
          const int output = g * c.shape.outputs_per_group + o;
          const int row = g * c.shape.rows_per_group + r;
          const int of_node = c.outputs.empty() ? output : c.outputs[static_cast<std::size_t>(output)];
          const int of_window = c.rows.empty() ? row : c.rows[static_cast<std::size_t>(row)];
          ASSERT_EQ(of_node / shape.outputs_per_group, of_window / rows);  // of the same group
          rebuilt[static_cast<std::size_t>(of_node * rows + of_window % rows)] = c.codes[next++];
        }
      }
    }
    EXPECT_EQ(rebuilt, codes);
    EXPECT_TRUE(std::is_sorted(c.rows.begin(), c.rows.end()));
    EXPECT_TRUE(std::is_sorted(c.outputs.begin(), c.outputs.end()));
  }
}

TEST(NearlyEmpty, FewWeightsButNotNone) {
  // Ten outputs of ten rows, full but for: row 0 with one weight, row 1 with none, output 9 with two.
  std::vector<std::int32_t> codes(100, 1);
  for (std::size_t o = 0; o < 10; ++o) codes[o * 10] = codes[o * 10 + 1] = 0;
  codes[0] = 1;
  for (std::size_t r = 2; r < 8; ++r) codes[90 + r] = 0;
  const slice::LayerShape shape{.groups = 1, .outputs_per_group = 10, .rows_per_group = 10};
  const NearlyEmpty none = nearly_empty(shape, codes, 5.0);
  EXPECT_EQ(none.rows + none.columns + none.weights, 0);
  EXPECT_EQ(none.shape.rows_per_group, 9);  // the empty row is not counted, but is not there
  const NearlyEmpty row = nearly_empty(shape, codes, 10.0);
  EXPECT_EQ(row.rows, 1);
  EXPECT_EQ(row.columns, 0);
  EXPECT_EQ(row.weights, 1);
  EXPECT_EQ(row.shape.rows_per_group, 8);
  const NearlyEmpty both = nearly_empty(shape, codes, 20.0);
  EXPECT_EQ(both.columns, 1);
  EXPECT_EQ(both.weights, 3);
  EXPECT_EQ(both.shape.outputs_per_group, 9);
}

}  // namespace
}  // namespace bitline::prune
