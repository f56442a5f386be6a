// SPDX-License-Identifier: Apache-2.0
#include "models/device/random.h"

#include <gtest/gtest.h>

#include <boost/math/distributions/normal.hpp>
#include <cmath>

namespace bitline::device {
namespace {

// The vectors that the authors publish with Random123 (kat_vectors, philox4x32 10).
TEST(Philox, GivesThePublishedVectors) {
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr std::uint32_t kAll = 0xffffffff;
  EXPECT_EQ(philox({kAll, kAll, kAll, kAll}, {kAll, kAll}),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(NormalQuantile, EqualsThatOfBoost) {
  const boost::math::normal normal_distribution;
  for (double p = 1.2e-10; p < 1.0; p = p < 1e-3 ? p * 1.7 : p + 1.3e-4) {
    const double expected = boost::math::quantile(normal_distribution, p);
    EXPECT_NEAR(normal_quantile(p), expected, 1e-14 + 2e-14 * std::abs(expected)) << p;
    if (p > 1e-6) {  // 1 - p has lost digits below
      EXPECT_NEAR(normal_quantile(1.0 - p), -expected, 1e-9) << p;
    }
  }
}

TEST(Normal, ExtremeWordsStayFinite) {
  EXPECT_NEAR(normal(0), -6.3379, 1e-3);  // quantile of 2^-33
  EXPECT_EQ(normal(0xffffffff), -normal(0));
}

/// Mean, variance and fourth moment of 400 000 draws against those of a standard normal, each within 5 of its
/// own standard deviations: 1/sqrt(n), sqrt(2/n), sqrt(96/n).
TEST(Normal, HasTheMomentsOfAStandardNormal) {
  constexpr std::uint32_t kCounters = 100'000;
  double sum = 0;
  double squares = 0;
  double fourth = 0;
  for (std::uint32_t i = 0; i < kCounters; ++i) {
    for (const std::uint32_t word : philox({i, 7, 0, 0}, key_of(42))) {
      const double z = normal(word);
      sum += z;
      squares += z * z;
      fourth += z * z * z * z;
    }
  }
  const double n = 4.0 * kCounters;
  EXPECT_NEAR(sum / n, 0.0, 5.0 / std::sqrt(n));
  EXPECT_NEAR(squares / n, 1.0, 5.0 * std::sqrt(2.0 / n));
  EXPECT_NEAR(fourth / n, 3.0, 5.0 * std::sqrt(96.0 / n));
}

}  // namespace
}  // namespace bitline::device
