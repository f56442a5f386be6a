// SPDX-License-Identifier: Apache-2.0
#include "tools/sweep/sampling.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "models/base/errors.h"

namespace bitline::sweep {
namespace {

constexpr std::size_t kAxes = 5;

/// How many points lie in each of `strips` equal strips of an axis.
std::vector<int> counts(const std::vector<UnitPoint>& points, std::size_t axis, std::size_t strips) {
  std::vector<int> found(strips);
  for (const UnitPoint& point : points)
    ++found.at(static_cast<std::size_t>(point[axis] * static_cast<double>(strips)));
  return found;
}

TEST(Sampling, PointsAreInTheUnitCubeAndFollowTheSeed) {
  for (const auto& draw : {random_points, latin_hypercube, sobol_points}) {
    const std::vector<UnitPoint> points = draw(100, kAxes, 3);
    ASSERT_EQ(points.size(), 100);
    for (const UnitPoint& point : points)
      for (const double x : point) EXPECT_TRUE(x >= 0 && x < 1) << x;
    EXPECT_EQ(draw(100, kAxes, 3), points);
    EXPECT_NE(draw(100, kAxes, 4), points);
  }
}

TEST(Sampling, RandomPointsAreUniform) {
  const std::vector<UnitPoint> points = random_points(10'000, 2, 1);
  for (std::size_t axis = 0; axis < 2; ++axis) {
    double chi2 = 0;  // 9 degrees of freedom: above 27.9 in one case of a thousand
    for (const int n : counts(points, axis, 10)) chi2 += (n - 1000.0) * (n - 1000.0) / 1000;
    EXPECT_LT(chi2, 27.9);
  }
}

TEST(Sampling, ALatinHypercubeHasOnePointInEachStrip) {
  for (const std::int64_t n : {1, 7, 100}) {
    const std::vector<UnitPoint> points = latin_hypercube(n, kAxes, 11);
    for (std::size_t axis = 0; axis < kAxes; ++axis)
      for (const int in_strip : counts(points, axis, static_cast<std::size_t>(n))) EXPECT_EQ(in_strip, 1);
  }
}

TEST(Sampling, SobolPointsFillTheStripsOfEachAxisAndTheSquaresOfThePlane) {
  const std::vector<UnitPoint> points = sobol_points(64, kAxes, 5);
  for (std::size_t axis = 0; axis < kAxes; ++axis)
    for (const int in_strip : counts(points, axis, 64)) EXPECT_EQ(in_strip, 1);
  // The first two dimensions are a (0, 2)-sequence: one point in every box of area 1/64.
  for (const int bits : {1, 2, 3, 4, 5}) {
    std::set<std::pair<int, int>> boxes;
    for (const UnitPoint& point : points)
      boxes.emplace(static_cast<int>(std::ldexp(point[0], bits)),
                    static_cast<int>(std::ldexp(point[1], 6 - bits)));
    EXPECT_EQ(boxes.size(), 64) << bits;
  }
}

Axis whole(double low, double high, bool logarithmic) {
  return {.name = "crossbar.rows",
          .where = "",
          .kind = {.type = "integer"},
          .choices = {},
          .range = Range{low, high, logarithmic, 0}};
}

TEST(Axis, WholeNumbersOfARangeAreEquallyLikely) {
  const Axis axis = whole(3, 6, false);
  std::vector<double> values;
  for (const double share : {0.0, 0.2499, 0.25, 0.5, 0.75, 0.9999}) values.push_back(*axis.at(share)->number);
  EXPECT_THAT(values, ::testing::ElementsAre(3, 3, 4, 5, 6, 6));
}

TEST(Axis, ALogarithmicRangeIsEvenInItsLogarithm) {
  Axis axis{.name = "crossbar.read_latency",
            .where = "",
            .kind = {"time", base::Dimension::time},
            .choices = {},
            .range = Range{10e-9, 1000e-9, true, 3}};
  EXPECT_EQ(axis.at(0.5)->text, "100 ns");
  EXPECT_EQ(axis.at(0.0)->keys,
            (std::vector<std::pair<std::string, std::string>>{{"crossbar.read_latency", "10 ns"}}));
  std::vector<std::string> texts;
  for (const SettingPtr& setting : axis.grid()) texts.push_back(setting->text);
  EXPECT_THAT(texts, ::testing::ElementsAre("10 ns", "100 ns", "1 us"));
  EXPECT_EQ(axis.column(), "crossbar.read_latency_s");
  EXPECT_EQ(*whole(1, 100, true).at(0.5)->number, 10);
}

TEST(Sampling, AGridsLastAxisChangesFastest) {
  Spec spec;
  for (const char* name : {"a", "b"}) {
    Axis axis{.name = name};
    for (const char* value : {"1", "2", "3"})
      axis.choices.push_back(std::make_shared<const Setting>(Setting{.text = std::string(name) + value}));
    spec.axes.push_back(axis);
  }
  const auto points = sample(spec, 9);
  ASSERT_EQ(points.size(), 9);
  EXPECT_EQ(points[1][0]->text + points[1][1]->text, "a1b2");
  EXPECT_EQ(points[3][0]->text + points[3][1]->text, "a2b1");
  EXPECT_THROW((void)sample(spec, 8), base::ConfigError);
}

TEST(Sampling, AGridTooLargeToCountIsRefused) {
  Spec spec;
  for (int a = 0; a < 40; ++a) {
    spec.axes.push_back(whole(0, 1000, false));
    spec.axes.back().range->steps = 1001;
  }
  EXPECT_THROW((void)sample(spec, INT64_MAX - 1), base::ConfigError);
}

}  // namespace
}  // namespace bitline::sweep
