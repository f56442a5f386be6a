// SPDX-License-Identifier: Apache-2.0
// The ADC table of bit-slice L1 (arXiv 1909.08496): 8-bit ADCs against 1-bit (most significant slice) and
// 3-bit ones.
#include <gtest/gtest.h>

#include "models/arch/arch_loader.h"
#include "models/arch/costs.h"
#include "models/periphery/adc.h"

namespace bitline::arch {
namespace {

TEST(BitSliceL1, AdcPowerAndSpeedAgainstEightBits) {
  const Arch arch = load_arch(BITLINE_SOURCE_DIR "/configs/bitslice-l1.yaml").arch;
  const auto power = [&](int bits) { return periphery::full_rate_power(arch.adc, bits); };
  const auto time = [&](int bits) { return periphery::conversion_time(arch.adc, bits).seconds(); };
  EXPECT_NEAR(power(8) / power(1), 28.44, 0.005);
  EXPECT_NEAR(time(8) / time(1), 8.0, 0.001);
  EXPECT_NEAR(power(8) / power(3), 14.22, 0.005);
  EXPECT_NEAR(time(8) / time(3), 2.67, 0.005);
}

TEST(BitSliceL1, TheImaHasOneAdcInFourBuiltForOneBit) {
  const Arch arch = load_arch(BITLINE_SOURCE_DIR "/configs/bitslice-l1.yaml").arch;
  const CostModel costs(arch, *built_adc_bits(arch));
  // 8 ADCs of 2 mW at 8 bits: two at 1/28.44 of it, six at 1/14.22
  EXPECT_NEAR(costs.ima_power()[Component::adc].value(), 2e-3 * (2 / 28.4444 + 6 / 14.2222), 1e-7);
}

}  // namespace
}  // namespace bitline::arch
