// SPDX-License-Identifier: Apache-2.0
#include "tools/sweep/pareto.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace bitline::sweep {
namespace {

using Values = std::vector<std::vector<double>>;
using ::testing::ElementsAre;

/// By the definition: every pair.
std::vector<bool> brute_force(const Values& values) {
  std::vector<bool> front;
  for (const auto& mine : values)
    front.push_back(std::none_of(values.begin(), values.end(), [&](const auto& other) {
      bool no_worse = true, better = false;
      for (std::size_t i = 0; i < mine.size(); ++i) {
        no_worse = no_worse && other[i] <= mine[i];
        better = better || other[i] < mine[i];
      }
      return no_worse && better;
    }));
  return front;
}

TEST(Pareto, TellsTheFrontOfAFewPoints) {
  EXPECT_THAT(pareto_front({{1, 5}, {2, 3}, {2, 4}, {4, 1}, {4, 2}, {5, 5}}),
              ElementsAre(true, true, false, true, false, false));
  EXPECT_TRUE(pareto_front({}).empty());
}

TEST(Pareto, EqualPointsAreOnItTogether) {
  EXPECT_THAT(pareto_front({{1, 1}, {1, 1}, {2, 1}, {2, 1}}), ElementsAre(true, true, false, false));
}

class ParetoOf : public ::testing::TestWithParam<int> {};

TEST_P(ParetoOf, IsThatOfTheDefinition) {
  std::mt19937 random(7);
  for (int trial = 0; trial < 60; ++trial) {
    // Few different values give ties, many give long fronts.
    std::uniform_int_distribution<int> value(0, trial % 2 == 0 ? 4 : 1000);
    Values values(static_cast<std::size_t>(1 + trial * 3));
    for (auto& point : values)
      for (int i = 0; i < GetParam(); ++i) point.push_back(value(random));
    EXPECT_EQ(pareto_front(values), brute_force(values)) << "trial " << trial;
  }
}
INSTANTIATE_TEST_SUITE_P(Objectives, ParetoOf, ::testing::Values(1, 2, 3, 4, 6));

}  // namespace
}  // namespace bitline::sweep
