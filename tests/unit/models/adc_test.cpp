// SPDX-License-Identifier: Apache-2.0
#include "models/periphery/adc.h"

#include <gmock/gmock.h>

#include <cmath>
#include <cstdlib>

#include "models/base/actions.h"

namespace bitline::periphery {
namespace {

using base::Time;
using testing::HasSubstr;
using testing::ThrowsMessage;

/// ISAAC's: 8 SAR ADCs of 8 bits at 1.28 GS/s, 16 mW and 0.0096 mm2 together.
AdcParams isaac() {
  AdcParams adc;
  adc.cost = {base::Power(16e-3), base::Power(0.0), base::Area(0.0096), 8};
  return adc;
}

double pj(base::Energy energy) {
  return energy.value() * 1e12;
}
double um2(base::Area area) {
  return area.value() * 1e6;
}

TEST(ConversionTime, SarTakesItsBitsOfTheBitClock) {
  const AdcParams adc = isaac();
  EXPECT_EQ(conversion_time(adc, 8).fs(), 781250);
  EXPECT_EQ(conversion_time(adc, 1).fs(), 97657);  // 781250 / 8 = 97656.25, rounded up
  EXPECT_EQ(conversion_time(adc, 3).fs(), 292969);
  EXPECT_EQ(conversion_time(adc, 16).fs(), 1562500);
  EXPECT_EQ(conversion_time(adc, 0).fs(), 0);
}

TEST(ConversionTime, FlashTakesOneSampleAndRampOneStepPerCode) {
  AdcParams adc = isaac();
  adc.kind = AdcKind::flash;
  EXPECT_EQ(conversion_time(adc, 3).fs(), 781250);
  EXPECT_EQ(conversion_time(adc, 10).fs(), 781250);
  adc.kind = AdcKind::ramp;
  EXPECT_EQ(conversion_time(adc, 8).fs(), 781250);
  EXPECT_EQ(conversion_time(adc, 7).fs(), 390625);
  EXPECT_EQ(conversion_time(adc, 6).fs(), 195313);  // 195312.5
  EXPECT_EQ(conversion_time(adc, 10).fs(), 3125000);
}

TEST(ConversionTime, TheSlowestRateAndTheMostBitsDoNotOverflow) {
  AdcParams adc = isaac();
  adc.rate = base::Frequency(1e4);
  adc.rated_bits = 1;
  adc.kind = AdcKind::ramp;
  EXPECT_EQ(conversion_time(adc, base::kMaxAdcBits).fs(), 100'000'000'000 * (std::int64_t{1} << 23));
  adc.kind = AdcKind::sar;
  EXPECT_EQ(conversion_time(adc, base::kMaxAdcBits).fs(), 100'000'000'000 * 24);
}

TEST(ConversionTime, TheTableGivesItsOwnRates) {
  AdcParams adc = isaac();
  adc.model = AdcModel::table;
  adc.table = {{6, base::Energy(1.26e-12), base::Area(580e-6), base::Frequency(1e9)}};
  EXPECT_EQ(conversion_time(adc, 6).fs(), 1'000'000);
  EXPECT_THAT([&] { (void)conversion_time(adc, 5); },
              ThrowsMessage<base::ConfigError>(HasSubstr("no row for 5 bits")));
}

TEST(Convert, ClipHoldsAtTheTopCode) {
  EXPECT_EQ(convert_clip(7, 3).value, 7);
  EXPECT_FALSE(convert_clip(7, 3).clipped);
  EXPECT_EQ(convert_clip(8, 3).value, 7);
  EXPECT_TRUE(convert_clip(8, 3).clipped);
  EXPECT_EQ(convert_clip(5, 0).value, 0);
}

TEST(Convert, TruncateRoundsHalfToEvenLikeTheDefinition) {
  for (int bits = 1; bits <= 4; ++bits) {
    for (int shift = 0; shift <= 3; ++shift) {
      const double step = std::ldexp(1.0, shift);
      const double limit = std::ldexp(1.0, bits) - 1;
      for (int sum = 0; sum < 200; ++sum) {
        const double code = std::nearbyint(sum / step);  // the default rounding mode is half to even
        const Converted got = convert_truncate(sum, bits, shift);
        EXPECT_EQ(got.value, std::min(code, limit) * step) << sum << " " << bits << " " << shift;
        EXPECT_EQ(got.clipped, code > limit);
      }
    }
  }
}

TEST(Convert, SignedClipIsSymmetric) {
  EXPECT_EQ(convert_signed_clip(3, 3).value, 3);
  EXPECT_EQ(convert_signed_clip(4, 3).value, 3);
  EXPECT_EQ(convert_signed_clip(-4, 3).value, -3);
  EXPECT_TRUE(convert_signed_clip(-4, 3).clipped);
  EXPECT_FALSE(convert_signed_clip(-3, 3).clipped);
  EXPECT_EQ(convert_signed_clip(1, 1).value, 0);
}

TEST(IsaacFit, MeetsThePointsItWasFittedTo) {
  AdcParams adc = isaac();
  adc.anchored = false;
  const double energies[] = {0.79, 0.99, 1.20, 1.42, 1.67, 1.969, 2.379};
  const double areas[] = {361, 477, 627, 845, 1200, 1828, 3002};
  for (int bits = 4; bits <= 10; ++bits) {
    EXPECT_NEAR(pj(conversion_energy(adc, bits)), energies[bits - 4], 0.0051) << bits;
    EXPECT_NEAR(um2(adc_area(adc, bits)), areas[bits - 4], 0.51) << bits;
  }
}

TEST(IsaacFit, AnchoredMeetsThePublishedPart) {
  const AdcParams adc = isaac();
  EXPECT_NEAR(pj(conversion_energy(adc, 8)), 1.5625, 1e-9);
  EXPECT_NEAR(um2(adc_area(adc, 8)), 1200.0, 1e-9);
  EXPECT_NEAR(full_rate_power(adc, 8).value(), 2e-3, 1e-12);
  // 1.5625 pJ x (0.1955*4 + 4.12e-4*16) / (0.1955*8 + 4.12e-4*256)
  EXPECT_NEAR(pj(conversion_energy(adc, 4)), 1.5625 * 0.788592 / 1.669472, 1e-9);
  EXPECT_EQ(conversion_energy(adc, 0).value(), 0.0);
  EXPECT_EQ(adc_area(adc, 0).value(), 0.0);
}

TEST(Regression, MeetsThePluginsValues) {
  AdcParams adc = isaac();
  adc.model = AdcModel::regression;
  adc.anchored = false;
  const struct {
    int bits;
    double energy, area;
  } points[] = {{4, 0.9237, 5190}, {6, 1.0651, 5416}, {8, 1.9292, 6469}, {10, 16.418, 12275}};
  for (const auto& point : points) {
    EXPECT_NEAR(pj(conversion_energy(adc, point.bits)), point.energy, 1.5e-4 * point.energy) << point.bits;
    EXPECT_NEAR(um2(adc_area(adc, point.bits)), point.area, 0.51) << point.bits;
  }
  adc.technology_nm = 16.0;
  EXPECT_LT(conversion_energy(adc, 8).value(), 1.9e-12 / 2);
}

TEST(Regression, DoesNotHoldBelowFourBits) {
  AdcParams adc = isaac();
  adc.model = AdcModel::regression;
  EXPECT_THAT([&] { (void)conversion_energy(adc, 3); },
              ThrowsMessage<base::ConfigError>(
                  HasSubstr("regression does not hold at 3 bits; allowed: 4 bits and more")));
}

TEST(PowerLaw, ReproducesTheTableOfBitSliceL1) {
  AdcParams adc = isaac();
  adc.model = AdcModel::power_law;
  const double full = full_rate_power(adc, 8).value();
  const double time = conversion_time(adc, 8).seconds();
  EXPECT_NEAR(full / full_rate_power(adc, 1).value(), 28.44, 0.005);
  EXPECT_NEAR(time / conversion_time(adc, 1).seconds(), 8.0, 1e-4);
  EXPECT_NEAR(full / full_rate_power(adc, 3).value(), 14.22, 0.005);
  EXPECT_NEAR(time / conversion_time(adc, 3).seconds(), 2.67, 0.005);
  EXPECT_EQ(adc_area(adc, 1), adc_area(adc, 8));
}

TEST(Table, GivesItsRowsAndNothingBetween) {
  AdcParams adc = isaac();
  adc.model = AdcModel::table;
  adc.anchored = false;
  adc.table = {{8, base::Energy(1.5e-12), base::Area(1200e-6), base::Frequency(1.28e9)},
               {6, base::Energy(1.2e-12), base::Area(580e-6), base::Frequency(1e9)}};
  EXPECT_EQ(conversion_energy(adc, 6).value(), 1.2e-12);
  EXPECT_EQ(adc_area(adc, 6).value(), 580e-6);
  EXPECT_EQ(conversion_energy(adc, 6, 8).value(), 1.2e-12);
  EXPECT_THAT([&] { (void)conversion_energy(adc, 7); },
              ThrowsMessage<base::ConfigError>(HasSubstr("adc.table: no row for 7 bits (rows: 8, 6)")));
  EXPECT_THAT([&] { (void)adc_area(adc, 1); },
              ThrowsMessage<base::ConfigError>(HasSubstr("no row for 1 bits")));
  EXPECT_EQ(resolution_problems(adc, {0, 6, 8}).size(), 0u);
  EXPECT_THAT(resolution_problems(adc, {9, 1, 9, 6}).at(0).str(), HasSubstr("no row for 1, 9 bits"));
  adc.anchored = true;  // 8 bits: 1.5625 pJ and 1200 um2 published
  EXPECT_NEAR(pj(conversion_energy(adc, 6)), 1.5625 * 1.2 / 1.5, 1e-9);
}

TEST(ConversionEnergy, AnAdcBuiltForMoreBitsBurnsItsPowerForTheTimeOfTheConversion) {
  AdcParams adc = isaac();
  EXPECT_NEAR(pj(conversion_energy(adc, 4, 8)), 1.5625 / 2, 1e-6);
  EXPECT_NEAR(pj(conversion_energy(adc, 8, 8)), 1.5625, 1e-9);
  adc.kind = AdcKind::flash;
  EXPECT_NEAR(pj(conversion_energy(adc, 4, 8)), 1.5625, 1e-9);
  adc.kind = AdcKind::ramp;
  EXPECT_NEAR(pj(conversion_energy(adc, 6, 8)), 1.5625 / 4, 1e-5);
  EXPECT_EQ(conversion_energy(adc, 0, 8).value(), 0.0);
}

TEST(ConversionEnergy, FollowsTheNumberOfAdcsOnlyThroughCostParts) {
  AdcParams adc = isaac();
  adc.per_ima = 16;
  EXPECT_NEAR(pj(conversion_energy(adc, 8)), 1.5625, 1e-9);
  EXPECT_NEAR(um2(adc_area(adc, 8)), 1200.0, 1e-9);
  adc.cost.parts = 0;  // the group as it is: 16 ADCs share 16 mW
  EXPECT_NEAR(pj(conversion_energy(adc, 8)), 1.5625 / 2, 1e-9);
  EXPECT_NEAR(um2(adc_area(adc, 8)), 600.0, 1e-9);
}

}  // namespace
}  // namespace bitline::periphery
