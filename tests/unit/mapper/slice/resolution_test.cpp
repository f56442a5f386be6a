// SPDX-License-Identifier: Apache-2.0
#include "mapper/slice/resolution.h"

#include <gmock/gmock.h>

#include <random>

#include "mapper/slice/slicer.h"
#include "slice_helpers.h"

namespace bitline::slice {
namespace {

using arch::WeightEncoding;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(Resolution, IsaacRule) {
  arch::Arch arch;  // 128 rows, 2-bit cells, 1-bit DAC
  arch.encoding.weights = WeightEncoding::offset;
  arch.adc.resolution.policy = periphery::AdcPolicy::isaac;
  const LayerShape shape{.groups = 1, .outputs_per_group = 1, .rows_per_group = 3};
  const auto bits = [&] { return slice_layer(shape, quant_of({1, 2, 3}, 8), arch).adc_bits[0].back(); };
  EXPECT_EQ(bits(), 9);  // 7 + 2 + 1, less one for the 1-bit DAC
  arch.encoding.flip = true;
  EXPECT_EQ(bits(), 8);  // as published
  arch.encoding.flip = false;
  arch.dac.bits = 2;
  EXPECT_EQ(bits(), 11);  // 7 + 2 + 2
  arch.crossbar.active_rows = 100;
  EXPECT_EQ(bits(), 11);  // ceil(log2(100)) = 7
  arch.crossbar.active_rows = 64;
  EXPECT_EQ(bits(), 10);
}

TEST(Resolution, IsaacWithFlipNeverClipsOnFullCrossbars) {
  arch::Arch arch;
  arch.encoding.weights = WeightEncoding::offset;
  arch.encoding.flip = true;
  std::mt19937 random(11);
  std::vector<std::int32_t> codes;
  for (int i = 0; i < 128 * 32; ++i) codes.push_back(static_cast<int>(random() % 65535u) - 32767);
  const SlicedLayer layer =
      slice_layer({.groups = 1, .outputs_per_group = 32, .rows_per_group = 128}, quant_of(codes, 16), arch);
  for (std::size_t s = 0; s < layer.slices.size(); ++s) {
    EXPECT_LE(layer.max_column_sum[0][s], adc_limit(layer.adc_bits[0][s], false));
  }
}

TEST(Resolution, LosslessTakesTheLargestSumOfTheWeights) {
  EXPECT_EQ(lossless_bits(0, false), 0);
  EXPECT_EQ(lossless_bits(1, false), 1);
  EXPECT_EQ(lossless_bits(3, false), 2);
  EXPECT_EQ(lossless_bits(4, false), 3);
  EXPECT_EQ(lossless_bits(384, false), 9);  // 128 rows of 2-bit cells, all full
  EXPECT_EQ(lossless_bits(3, true), 3);     // and a sign

  arch::Arch arch;
  arch.encoding.weights = WeightEncoding::differential;
  arch.adc.resolution.policy = periphery::AdcPolicy::lossless;
  arch.device.bits_per_cell = 2;
  arch.crossbar.rows = arch.crossbar.active_rows = 2;
  const LayerShape shape{.groups = 1, .outputs_per_group = 2, .rows_per_group = 4};
  // 7-bit magnitudes in slices of 1, 2, 2, 2 bits. Block 0: positive sums 3+1 and 0; block 1: negative 2+2
  const auto codes = quant_of({3, 1, 0, 0, 0, 0, -2, -2}, 8);
  SlicedLayer layer = slice_layer(shape, codes, arch);
  EXPECT_THAT(layer.adc_bits[0], ElementsAre(0, 0, 0, 3));
  EXPECT_THAT(layer.adc_bits[1], ElementsAre(0, 0, 0, 3));
  EXPECT_EQ(layer.max_column_sum[0][3], 4);
  arch.dac.bits = 2;  // inputs up to 3: sums up to 12
  layer = slice_layer(shape, codes, arch);
  EXPECT_EQ(layer.max_column_sum[0][3], 12);
  EXPECT_EQ(layer.adc_bits[0][3], 4);
  arch.encoding.subtraction = arch::Subtraction::analog;
  layer = slice_layer(shape, codes, arch);
  EXPECT_EQ(layer.adc_bits[0][3], 5);
}

TEST(Resolution, FixedOneOrOnePerSlice) {
  arch::Arch arch;
  arch.encoding.weights = WeightEncoding::differential;
  arch.adc.resolution = {.policy = periphery::AdcPolicy::fixed, .bits = {1, 3, 3, 3}};
  const LayerShape shape{.groups = 1, .outputs_per_group = 1, .rows_per_group = 2};
  const auto quant = quant_of({200, -3}, 8, arch::WeightScheme::dynamic_fixed_point);
  EXPECT_THAT(slice_layer(shape, quant, arch).adc_bits[0], ElementsAre(1, 3, 3, 3));
  const auto narrow = quant_of({9, -3}, 4, arch::WeightScheme::dynamic_fixed_point);
  EXPECT_THAT(slice_layer(shape, narrow, arch).adc_bits[0], ElementsAre(3, 3));  // the lowest two slices'
  arch.adc.resolution.bits = {5};
  EXPECT_THAT(slice_layer(shape, quant, arch).adc_bits[0], ElementsAre(5, 5, 5, 5));
  arch.adc.resolution.bits = {5, 4};
  EXPECT_THAT(
      refusal<base::ConfigError>([&] { return slice_layer(shape, quant, arch); }),
      HasSubstr(
          "adc.resolution.bits: a list of 2 numbers; allowed: one number, or one for each of the 4 slices"));
}

TEST(Resolution, BeyondTheLargestAdc) {
  arch::Arch arch;
  arch.encoding.weights = WeightEncoding::differential;
  arch.device.bits_per_cell = arch.dac.bits = 8;
  arch.crossbar.rows = arch.crossbar.active_rows = 4096;
  arch.adc.resolution.policy = periphery::AdcPolicy::isaac;
  const LayerShape shape{.groups = 1, .outputs_per_group = 1, .rows_per_group = 1};
  EXPECT_THAT(refusal<base::ConfigError>([&] {
                return slice_layer(shape, quant_of({200}, 8, arch::WeightScheme::dynamic_fixed_point), arch);
              }),
              HasSubstr("a conversion of 28 bits; allowed: 1 to 24 bits"));
}

TEST(Resolution, TruncationDropsTheFewestBitsThatFit) {
  arch::Arch arch;
  arch.encoding.weights = WeightEncoding::differential;
  arch.device.bits_per_cell = 2;
  arch.adc.conversion = periphery::AdcConversion::truncate;
  arch.adc.resolution = {.policy = periphery::AdcPolicy::fixed, .bits = {6}};
  const auto quant = quant_of(std::vector<std::int32_t>(128, 3), 3);
  const SlicedLayer layer =
      slice_layer({.groups = 1, .outputs_per_group = 1, .rows_per_group = 128}, quant, arch);
  EXPECT_EQ(truncated_bits(layer, 0, 0), 3);  // 128 x 3 = 384 <= 63 x 8, > 63 x 4
  SlicedLayer clipping = layer;
  clipping.conversion = periphery::AdcConversion::clip;
  EXPECT_EQ(truncated_bits(clipping, 0, 0), 0);
}

}  // namespace
}  // namespace bitline::slice
