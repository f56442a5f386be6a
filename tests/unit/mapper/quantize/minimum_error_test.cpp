// SPDX-License-Identifier: Apache-2.0
#include "mapper/quantize/minimum_error.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "mapper/quantize/quantize.h"

namespace bitline::quantize {
namespace {

double squared_error(const std::vector<float>& values, double magnitude, int limit) {
  const double scale = magnitude / limit;
  double sum = 0.0;
  for (const float v : values) {
    double code = std::round(v / scale);
    if (code > limit) code = limit;
    if (code < -limit) code = -limit;
    sum += (v - scale * code) * (v - scale * code);
  }
  return sum;
}

std::vector<float> normal_with_outlier(std::size_t count) {
  std::mt19937 random(7);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float& v : values) v = normal(random);
  values.back() = 12.0F;
  return values;
}

TEST(LeastError, OfWeightsIsTheBestOfAFineSearch) {
  const std::vector<float> values = normal_with_outlier(4000);
  const double found = least_error_magnitude(values, 7);
  double best = squared_error(values, 12.0, 7);
  for (int i = 25; i <= 1000; ++i) best = std::min(best, squared_error(values, 12.0 * i / 1000, 7));
  EXPECT_LT(found, 6.0);  // four bits of a normal distribution: about three deviations
  EXPECT_LE(squared_error(values, found, 7), 1.02 * best);
  EXPECT_LT(squared_error(values, found, 7), 0.5 * squared_error(values, 12.0, 7));
}

TEST(LeastError, KeepsTheRangeWhereEveryValueIsACode) {
  EXPECT_EQ(least_error_magnitude(std::vector<float>{7, -3, 1, 0, 5}, 7), 7.0);
  EXPECT_EQ(least_error_magnitude(std::vector<float>{0, 0}, 7), 0.0);
}

TEST(LeastError, OfAHistogramIsNearTheBestOfTheValues) {
  const std::vector<float> values = normal_with_outlier(200000);
  std::vector<std::int64_t> counts(4096);
  for (const float v : values)
    ++counts[std::min<std::size_t>(4095, static_cast<std::size_t>(std::abs(v) / 12.0F * 4096))];
  const double found = least_error_magnitude(counts, 12.0, 127);
  double best = squared_error(values, 12.0, 127);
  for (int i = 100; i <= 1000; ++i) best = std::min(best, squared_error(values, 12.0 * i / 1000, 127));
  EXPECT_LE(squared_error(values, found, 127), 1.05 * best);
  EXPECT_LT(found, 12.0);
}

TEST(LeastError, WeightsByTheConfig) {
  const std::vector<float> values = normal_with_outlier(1000);
  const tensor::Tensor weight{{1, 1000}, values};
  const WeightQuant whole = quantize_weights(weight, {.bits = 4});
  const WeightQuant least = quantize_weights(weight, {.bits = 4, .calibration = arch::WeightRange::mse});
  EXPECT_EQ(whole.scale.front(), 12.0 / 7);
  EXPECT_EQ(whole.saturated, 0);
  EXPECT_EQ(least.scale.front(), least_error_magnitude(values, 7) / 7);
  EXPECT_GE(least.saturated, 1);
  EXPECT_EQ(least.codes.back(), 7);
}

}  // namespace
}  // namespace bitline::quantize
