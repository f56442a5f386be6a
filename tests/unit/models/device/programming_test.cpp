// SPDX-License-Identifier: Apache-2.0
#include "models/device/programming.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace bitline::device {
namespace {

constexpr int kCells = 200'000;

DeviceParams cell() {
  DeviceParams device;
  device.r_on = base::Resistance(25e3);  // 40 uS
  device.r_off = base::Resistance(1e6);  // 1 uS
  return device;
}

/// Conductances of many cells of one level.
std::vector<double> programmed_cells(const DeviceParams& device, double level) {
  std::vector<double> siemens;
  for (std::uint32_t i = 0; i < kCells; ++i) {
    const Words draws = philox({i, 1, 2, 3}, key_of(5));
    siemens.push_back(programmed(device, level, drawn_fault(device.effects, draws), draws));
  }
  return siemens;
}

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

double deviation(const std::vector<double>& values) {
  const double m = mean(values);
  double sum = 0;
  for (const double value : values) sum += (value - m) * (value - m);
  return std::sqrt(sum / static_cast<double>(values.size()));
}

/// Means within 5 standard errors, deviations within 5 of theirs (of normal values).
void expect_normal(const std::vector<double>& values, double expected_mean, double expected_deviation) {
  const double n = kCells;
  EXPECT_NEAR(mean(values), expected_mean, 5 * expected_deviation / std::sqrt(n));
  EXPECT_NEAR(deviation(values), expected_deviation, 5 * expected_deviation / std::sqrt(2 * n));
}

TEST(Programming, LevelsAreEquidistant) {
  DeviceParams device = cell();
  for (int level = 0; level < 4; ++level) EXPECT_NEAR(target(device, level), level * 40e-6 / 3, 1e-18);
  device.effects.off_state = OffState::finite;
  for (int level = 0; level < 4; ++level) EXPECT_NEAR(target(device, level), 1e-6 + level * 13e-6, 1e-18);
  EXPECT_NEAR(level_step(device), 13e-6, 1e-18);
}

TEST(Programming, AnIdealCellHasItsTarget) {
  EXPECT_EQ(programmed(cell(), 2, Stuck::no, philox({1, 2, 3, 4}, {5, 6})), target(cell(), 2));
}

TEST(Programming, NormalVariationIsRelativeToTheConductance) {
  DeviceParams device = cell();
  device.effects.variation = Variation::normal;
  device.effects.variation_sigma = 0.05;
  const double g = target(device, 2);
  expect_normal(programmed_cells(device, 2), g, 0.05 * g);
  EXPECT_EQ(mean(programmed_cells(device, 0)), 0.0);
}

TEST(Programming, NormalVariationOfTheRangeIsTheSameAtEveryLevel) {
  DeviceParams device = cell();
  device.effects.variation = Variation::normal_of_range;
  device.effects.variation_sigma = 0.02;
  for (const int level : {1, 3})
    expect_normal(programmed_cells(device, level), target(device, level), 0.8e-6);
  // Level 0 cannot go below 0: half of a normal distribution, of mean sigma / sqrt(2 pi).
  EXPECT_NEAR(mean(programmed_cells(device, 0)), 0.8e-6 / std::sqrt(2 * M_PI),
              5 * 0.8e-6 / std::sqrt(kCells));
}

/// G exp(sigma z): median G, mean G exp(sigma^2 / 2).
TEST(Programming, LognormalVariationKeepsTheMedian) {
  DeviceParams device = cell();
  device.effects.variation = Variation::lognormal;
  device.effects.variation_sigma = 0.1;
  std::vector<double> siemens = programmed_cells(device, 3);
  const double g = target(device, 3);
  EXPECT_NEAR(mean(siemens), g * std::exp(0.005), 5 * 0.1 * g / std::sqrt(kCells));
  std::nth_element(siemens.begin(), siemens.begin() + kCells / 2, siemens.end());
  EXPECT_NEAR(siemens[kCells / 2], g, 5 * 1.2533 * 0.1 * g / std::sqrt(kCells));
}

/// The published polynomial, evaluated by hand at x = 0, 0.5 and 1 for a chip of 40 uS.
TEST(Programming, MeasuredVariationIsThePublishedPolynomial) {
  DeviceParams device = cell();
  EXPECT_NEAR(measured_deviation(device, 0.0), 0.348e-6, 1e-15);
  EXPECT_NEAR(measured_deviation(device, 20e-6), (0.348 + 8.015 - 10.96325 + 5.674125 - 1.0509375) * 1e-6,
              1e-12);
  EXPECT_NEAR(measured_deviation(device, 40e-6), 1.103e-6, 1e-12);
  device.effects.variation = Variation::measured;
  expect_normal(programmed_cells(device, 3), 40e-6, 1.103e-6);
  device.r_on = base::Resistance(2.5e3);  // ten times the conductance
  EXPECT_NEAR(measured_deviation(device, 400e-6), 11.03e-6, 1e-11);
}

TEST(Programming, StuckCellsComeAtTheirRates) {
  DeviceParams device = cell();
  device.effects.off_state = OffState::finite;
  device.effects.stuck_off = 0.02;
  device.effects.stuck_on = 0.05;
  const std::vector<double> siemens = programmed_cells(device, 1);
  const auto share = [&](double g) {
    return static_cast<double>(std::count(siemens.begin(), siemens.end(), g)) / kCells;
  };
  EXPECT_NEAR(share(target(device, 0)), 0.02, 5 * std::sqrt(0.02 * 0.98 / kCells));
  EXPECT_NEAR(share(1.0 / 25e3), 0.05, 5 * std::sqrt(0.05 * 0.95 / kCells));
  EXPECT_NEAR(share(target(device, 1)), 0.93, 5 * std::sqrt(0.93 * 0.07 / kCells));
}

TEST(Programming, DriftFollowsThePowerLaw) {
  DeviceParams device = cell();
  device.effects.drift_exponent = 0.01;
  device.effects.drift_time_s = 1e6;
  device.effects.drift_reference_s = 10.0;
  const Words draws = philox({1, 2, 3, 4}, {5, 6});
  EXPECT_NEAR(programmed(device, 3, Stuck::no, draws) / 40e-6, std::pow(1e5, -0.01), 1e-12);
  EXPECT_EQ(programmed(device, 3, Stuck::on, draws), 40e-6) << "stuck cells do not drift";
}

/// With a spread, ln G is normal: mean ln G0 - nu ln(t/t0), deviation spread x ln(t/t0).
TEST(Programming, TheDriftsExponentSpreads) {
  DeviceParams device = cell();
  device.effects.drift_exponent = 0.02;
  device.effects.drift_spread = 0.005;
  device.effects.drift_time_s = 1e4;
  std::vector<double> logarithms = programmed_cells(device, 3);
  for (double& g : logarithms) g = std::log(g / 40e-6);
  expect_normal(logarithms, -0.02 * std::log(1e4), 0.005 * std::log(1e4));
}

TEST(Effects, AreOffByDefaultAndNamedWhenOn) {
  EffectParams effects;
  EXPECT_TRUE(acting(effects).empty());
  EXPECT_FALSE(is_random(effects));
  effects.drift_exponent = 0.1;
  EXPECT_EQ(acting(effects), std::vector<std::string>{"device.drift"});
  EXPECT_FALSE(is_random(effects)) << "all cells drift alike";
  effects.variation = Variation::lognormal;
  EXPECT_TRUE(is_random(effects));
  effects.variation_sigma = 0.0;
  EXPECT_FALSE(is_random(effects));
}

}  // namespace
}  // namespace bitline::device
