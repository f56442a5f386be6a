// SPDX-License-Identifier: Apache-2.0
#include "mapper/slice/centres.h"

#include <gmock/gmock.h>

#include "slice_helpers.h"

namespace bitline::slice {
namespace {

/// The sums of squares of squares by hand.
TEST(Centres, BalanceTheSlices) {
  // One slice of 4 bits: sum of (q - c) is 0 at the mean. 1 + 2 + 9 + 4 = 16, so 4.
  const std::vector<Slice> whole = {{.width = 4, .shift = 0, .sign = 1}};
  const std::vector<std::int32_t> column = {1, 2, 9, 4};
  EXPECT_THAT(choose_centres(column, 4, whole, 4), testing::ElementsAre(4));
  // Slices of 2 and 2 bits. c = 4: -3, -2, 5, 0 -> high 0 + 0 + 1 + 0 = 1, low -3 - 2 + 1 = -4: 4 * 1 + 256.
  // c = 5: -4, -3, 4, -1 -> high -1 + 0 + 1 + 0 = 0, low 0 - 3 + 0 - 1 = -4: 256. c = 2: -1, 0, 7, 2 -> high
  // 1, low -1 + 0 + 3 + 2 = 4: 260. c = 1: 0, 1, 8, 3 -> high 2, low 0 + 1 + 0 + 3: 64 + 256. c = 3: -2, -1,
  // 6, 1 -> high 1, low -2 - 1 + 2 + 1 = 0: 4. Others are farther off.
  const std::vector<Slice> halves = {{.width = 2, .shift = 2, .sign = 1},
                                     {.width = 2, .shift = 0, .sign = 1}};
  EXPECT_THAT(choose_centres(column, 4, halves, 4), testing::ElementsAre(3));
}

TEST(Centres, OfEqualCostsThatNearestToZeroThenTheLesser) {
  const std::vector<Slice> bit = {{.width = 1, .shift = 0, .sign = 1}};
  // A column of zeros costs nothing at 0; one of fives at 5, the low bit alone at every odd number.
  EXPECT_THAT(choose_centres(std::vector<std::int32_t>{0, 0, 5, 5}, 2, bit, 4), testing::ElementsAre(0, 1));
  EXPECT_THAT(choose_centres(std::vector<std::int32_t>{-5, -5}, 2, bit, 4), testing::ElementsAre(-1));
  // -1 and 1: 0 balances; so do others, farther off.
  EXPECT_THAT(choose_centres(std::vector<std::int32_t>{-1, 1}, 2, bit, 4), testing::ElementsAre(0));
}

TEST(Centres, HaveAtMostEightSignificantBits) {
  EXPECT_EQ(centre_bits(5), 5);
  EXPECT_EQ(centre_bits(8), 8);
  EXPECT_EQ(centre_bits(12), 8);
  const std::vector<Slice> whole = {{.width = 8, .shift = 2, .sign = 1}, {.width = 2, .shift = 0, .sign = 1}};
  const std::vector<std::int32_t> column = {9, 9, 9,
                                            -2};  // mean 6.25; multiples of 4: 8 has 0, 1 + 1 + 1 - 2
  const std::int32_t centre = choose_centres(column, 4, whole, 10).front();
  EXPECT_EQ(centre % 4, 0);
  EXPECT_EQ(centre, 4);  // -6 -> -1, -2; 5 -> 1, 1 three times: 4 * 2^4 + 1; at 8: -10 -> -2, -2: 4 * 2^4 + 1
}

/// Filters that are all positive: their sums come near zero, so that fewer bits hold them than without
/// centres.
TEST(Centres, SaveBitsOfConversions) {
  arch::Arch arch;
  arch.encoding = {.weights = arch::WeightEncoding::centre_offset, .subtraction = arch::Subtraction::analog};
  arch.device.bits_per_cell = 4;
  arch.adc.resolution.policy = periphery::AdcPolicy::lossless;
  std::vector<std::int32_t> codes;
  for (int i = 0; i < 64; ++i) codes.push_back(60 + i % 8);
  const LayerShape shape{.groups = 1, .outputs_per_group = 1, .rows_per_group = 64};
  const SlicedLayer centred = slice_layer(shape, quant_of(codes, 8), arch);
  ASSERT_EQ(centred.centres.size(), 1u);
  EXPECT_GE(centred.centre(0), 60);
  EXPECT_LE(centred.centre(0), 67);
  arch.encoding.weights = arch::WeightEncoding::differential;
  const SlicedLayer plain = slice_layer(shape, quant_of(codes, 8), arch);
  EXPECT_TRUE(plain.centres.empty());
  EXPECT_EQ(plain.centre(0), 0);
  EXPECT_EQ(centred.max_column_sum[0][0], 0);          // the high slice is empty: no conversion
  EXPECT_EQ(plain.max_column_sum[0][0], 64 * 4 - 32);  // 60 to 63: 3, 64 to 67: 4
  EXPECT_LT(centred.max_column_sum[0][1], plain.max_column_sum[0][1]);
}

}  // namespace
}  // namespace bitline::slice
