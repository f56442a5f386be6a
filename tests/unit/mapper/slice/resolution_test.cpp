// SPDX-License-Identifier: Apache-2.0
#include "mapper/slice/resolution.h"

#include <gmock/gmock.h>

#include <algorithm>
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

/// Nearest rank, from the definition: the smallest value that at least `percentile` percent do not exceed.
int slow_width(std::vector<std::int64_t> sums, double percentile) {
  std::sort(sums.begin(), sums.end());
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const double beyond = static_cast<double>(sums.size() - i - 1);
    if (beyond <= (100.0 - percentile) / 100.0 * static_cast<double>(sums.size()) + 1e-9) {
      int bits = 0;
      while ((std::int64_t{1} << bits) <= sums[i]) ++bits;
      return bits;
    }
  }
  return 0;
}

TEST(Resolution, PercentileIsTheNearestRank) {
  WidthCounts counts{};
  counts[3] = 999;
  counts[9] = 1;
  EXPECT_EQ(percentile_width(counts, 99.9), 3);  // one in a thousand is beyond
  EXPECT_EQ(percentile_width(counts, 99.91), 9);
  EXPECT_EQ(percentile_width(counts, 100.0), 9);
  EXPECT_EQ(percentile_width(WidthCounts{}, 50.0), 0);

  std::mt19937 random(5);
  for (int round = 0; round < 300; ++round) {
    std::vector<std::int64_t> sums(1 + random() % 60);
    WidthCounts widths{};
    for (std::int64_t& sum : sums) {
      sum = static_cast<std::int64_t>(random() % (1u << (random() % 11u)));
      ++widths[static_cast<std::size_t>(lossless_bits(sum, false))];
    }
    const double percentile = 50.0 + static_cast<double>(random() % 501u) / 10.0;
    EXPECT_EQ(percentile_width(widths, percentile), slow_width(sums, percentile)) << percentile;
  }
}

/// Ten columns of one 2-bit slice and two blocks of two rows. Block 0: sums 1 (nine times) and 6; block 1:
/// all 2.
SlicedLayer ten_columns(const periphery::AdcResolution& resolution, const SumWidths* seen = nullptr) {
  arch::Arch arch;
  arch.encoding.weights = WeightEncoding::differential;
  arch.encoding.flip = false;
  arch.crossbar.rows = arch.crossbar.active_rows = 2;
  arch.adc.resolution = resolution;
  std::vector<std::int32_t> codes;
  for (int column = 0; column < 10; ++column) {
    const std::int32_t first = column == 9 ? 3 : 1;
    const std::int32_t second = column == 9 ? 3 : 0;
    codes.insert(codes.end(), {first, second, 1, 1});
  }
  const auto quant = quant_of(codes, 2, arch::WeightScheme::dynamic_fixed_point);
  SlicedLayer layer = slice_layer({.groups = 1, .outputs_per_group = 10, .rows_per_group = 4}, quant, arch);
  if (seen != nullptr) resolve_adc_bits(layer, arch, seen);
  return layer;
}

TEST(Resolution, PercentileOfColumnBounds) {
  using enum periphery::AdcGranularity;
  periphery::AdcResolution resolution{.policy = periphery::AdcPolicy::percentile, .percentile = 100.0};
  // Twenty columns of two arrays: the ten negative ones are empty.
  EXPECT_THAT(ten_columns(resolution).adc_bits, ElementsAre(ElementsAre(3), ElementsAre(2)));
  resolution.percentile =
      95.0;  // one of twenty may clip: the largest of block 0; in block 1 two bits are needed
  EXPECT_THAT(ten_columns(resolution).adc_bits, ElementsAre(ElementsAre(1), ElementsAre(2)));
  resolution.granularity = slice;  // two of forty: the largest of block 0 and one of block 1
  EXPECT_THAT(ten_columns(resolution).adc_bits, ElementsAre(ElementsAre(2), ElementsAre(2)));
  resolution.percentile = 99.0;  // none
  EXPECT_THAT(ten_columns(resolution).adc_bits, ElementsAre(ElementsAre(3), ElementsAre(3)));
  resolution.percentile = 50.0;  // half of the columns are empty, but not all: one bit at least
  resolution.granularity = crossbar;
  EXPECT_THAT(ten_columns(resolution).adc_bits, ElementsAre(ElementsAre(1), ElementsAre(1)));
  EXPECT_EQ(ten_columns(resolution).max_column_sum[0][0], 6);  // the bound stays that of the weights
}

TEST(Resolution, PercentileOfSumsThatWereSeen) {
  periphery::AdcResolution resolution{.policy = periphery::AdcPolicy::percentile,
                                      .percentile = 90.0,
                                      .percentile_of = periphery::PercentileOf::sums};
  SumWidths seen = no_sums(ten_columns(resolution));
  seen[0][0][0] = 9;
  seen[0][0][3] = 1;
  seen[1][0][1] = 8;
  seen[1][0][2] = 2;
  EXPECT_THAT(ten_columns(resolution, &seen).adc_bits, ElementsAre(ElementsAre(1), ElementsAre(2)));
  resolution.granularity = periphery::AdcGranularity::layer;  // 17 of 20 sums fit one bit, 19 two
  EXPECT_THAT(ten_columns(resolution, &seen).adc_bits, ElementsAre(ElementsAre(2), ElementsAre(2)));
}

TEST(Resolution, SharedResolutionIsTheWidest) {
  using enum periphery::AdcGranularity;
  const auto bits = [](const periphery::AdcResolution& resolution) {
    arch::Arch arch;
    arch.encoding.weights = WeightEncoding::differential;
    arch.crossbar.rows = arch.crossbar.active_rows = 2;
    arch.adc.resolution = resolution;
    // Slices of the two outputs: 3|0 and 0|1 in block 0, all 1|1 in block 1.
    const auto quant = quant_of({12, 1, 5, 5, 12, 1, 5, 5}, 4, arch::WeightScheme::dynamic_fixed_point);
    return slice_layer({.groups = 1, .outputs_per_group = 2, .rows_per_group = 4}, quant, arch).adc_bits;
  };
  using Policy = periphery::AdcPolicy;
  EXPECT_THAT(bits({.policy = Policy::lossless}), ElementsAre(ElementsAre(2, 1), ElementsAre(2, 2)));
  EXPECT_THAT(bits({.policy = Policy::lossless, .granularity = slice}),
              ElementsAre(ElementsAre(2, 2), ElementsAre(2, 2)));
  EXPECT_THAT(bits({.policy = Policy::fixed, .bits = {3, 7}, .granularity = layer}),
              ElementsAre(ElementsAre(7, 7), ElementsAre(7, 7)));
  EXPECT_THAT(bits({.policy = Policy::fixed, .bits = {3, 7}, .granularity = slice}),
              ElementsAre(ElementsAre(3, 7), ElementsAre(3, 7)));
}

TEST(Resolution, BitsOfOneLayerWhateverThePolicy) {
  periphery::AdcResolution resolution{.policy = periphery::AdcPolicy::lossless};
  resolution.layers = {{"conv1", {4}}, {"conv2", {1, 2}}};
  const periphery::AdcResolution own = layer_resolution(resolution, "conv2");
  EXPECT_EQ(own.policy, periphery::AdcPolicy::fixed);
  EXPECT_THAT(own.bits, ElementsAre(1, 2));
  EXPECT_TRUE(own.layers.empty());
  EXPECT_EQ(layer_resolution(resolution, "conv3").policy, periphery::AdcPolicy::lossless);
}

}  // namespace
}  // namespace bitline::slice
