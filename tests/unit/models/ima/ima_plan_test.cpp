// SPDX-License-Identifier: Apache-2.0
#include "models/ima/ima_plan.h"

#include <gtest/gtest.h>

#include "models/ima/ima_function.h"

namespace bitline::ima {
namespace {

using base::Action;

/// Columns of `bits` each, one cell of 1 under `rows` rows.
PhasePlan phase(int rows, const std::vector<int>& bits) {
  PhasePlan result;
  result.row_count = rows;
  for (int r = 0; r < rows; ++r) result.rows.push_back(r);
  for (const int b : bits) {
    Column column;
    column.bits = b;
    column.row_count = rows;
    result.columns.push_back(column);
    result.cells.insert(result.cells.end(), static_cast<std::size_t>(rows), 1);
  }
  return result;
}

TEST(InputFormat, ChunksCoverAllBitsAndTheSignComesLast) {
  const auto weigh = [](const InputFormat& format, std::int32_t x) {
    std::int64_t value = 0;
    for (const Chunk& chunk : format.chunks()) {
      const auto bits = static_cast<std::uint32_t>(x) >> chunk.shift & ((1u << chunk.width) - 1);
      value += chunk.sign * (std::int64_t{bits} << chunk.shift);
    }
    return value;
  };
  for (const int dac_bits : {1, 2, 3, 5, 8}) {
    const InputFormat plain{8, false, dac_bits};
    EXPECT_EQ(static_cast<int>(plain.chunks().size()), (8 + dac_bits - 1) / dac_bits);
    EXPECT_EQ(plain.chunk_count(), static_cast<int>(plain.chunks().size()));
    for (int x = 0; x < 256; ++x) EXPECT_EQ(weigh(plain, x), x);
    const InputFormat two_complement{8, true, dac_bits};
    EXPECT_EQ(static_cast<int>(two_complement.chunks().size()), (7 + dac_bits - 1) / dac_bits + 1);
    EXPECT_EQ(two_complement.chunk_count(), static_cast<int>(two_complement.chunks().size()));
    for (int x = -128; x < 128; ++x) EXPECT_EQ(weigh(two_complement, x), x);
  }
}

TEST(AdcOf, EveryColumnHasOneAdc) {
  // Two per crossbar: dealt out in turn.
  EXPECT_EQ(adc_of(4, 8, 3, 0), 6);
  EXPECT_EQ(adc_of(4, 8, 3, 1), 7);
  EXPECT_EQ(adc_of(4, 8, 3, 2), 6);
  // Four crossbars share one.
  EXPECT_EQ(adc_of(8, 2, 3, 17), 0);
  EXPECT_EQ(adc_of(8, 2, 4, 0), 1);
}

TEST(ConversionTimes, TheBusiestAdcOfThePhase) {
  ImaPlan plan;
  plan.slots = 2;
  plan.adcs = 2;
  plan.crossbars.push_back({0, -1, {phase(2, {8, 4, 0, 8}), phase(2, {2})}});
  plan.crossbars.push_back({1, -1, {phase(2, {8, 8})}});
  periphery::AdcParams adc;
  adc.rate = base::Frequency(1e9);
  // SAR: 1 ns at 8 bits. Phase 0: 1 + 0.5 + 0 + 1 against 2; phase 1: 0.25.
  const std::vector<base::Time> times = conversion_times(plan, adc);
  ASSERT_EQ(times.size(), 2u);
  EXPECT_EQ(times[0].fs(), 2'500'000);
  EXPECT_EQ(times[1].fs(), 250'000);
  plan.adcs = 1;  // shared: they add up
  EXPECT_EQ(conversion_times(plan, adc)[0].fs(), 4'500'000);
  plan.adcs = 4;  // two each; converted columns alternate: 1 + 1 and 0.5
  EXPECT_EQ(conversion_times(plan, adc)[0].fs(), 2'000'000);
}

TEST(FunctionalMvm, ValuesAndActionsOfASmallCase) {
  ImaPlan plan;
  plan.slots = plan.adcs = 1;
  plan.format = {3, false, 1};
  plan.inputs = 3;
  plan.input_bytes = 2;
  plan.results = 2;
  plan.output_bits = 16;
  PhasePlan two = phase(3, {2, 1});
  two.columns[0].shift = 2;
  two.columns[1].result = 1;
  plan.crossbars.push_back({0, -1, {two}});
  base::ActionCounts actions;
  const std::vector<std::int32_t> x = {7, 1, 2};
  const std::vector<std::int64_t> y = functional_mvm(plan, x, actions);
  // Chunks 0, 1, 2 drive (1,1,0), (1,0,1), (1,0,0): sums 2, 2, 1. Two bits hold them; one bit clips at 1.
  EXPECT_EQ(y, (std::vector<std::int64_t>{(2 + 2 * 2 + 4 * 1) << 2, 1 + 2 + 4}));
  EXPECT_EQ(actions.clipped, 2);
  EXPECT_EQ(actions[Action::dac_drive], 5);
  EXPECT_EQ(actions[Action::cell_read], 10);
  EXPECT_EQ(actions[Action::sample_hold], 6);
  EXPECT_EQ(actions.conversions[1], 3);
  EXPECT_EQ(actions.conversions[2], 3);
  EXPECT_EQ(actions.cell_level_sum, 10);
  EXPECT_EQ(actions[Action::input_register_write], 2);
  EXPECT_EQ(actions[Action::input_register_read], 2);  // 3 rows of 3 bits, packed
  EXPECT_EQ(actions[Action::output_register_write], 4);
}

TEST(FunctionalMvm, AnalogPartnersAreSubtractedBeforeTheConversion) {
  ImaPlan plan;
  plan.slots = plan.adcs = 2;
  plan.format = {1, false, 1};
  plan.inputs = 4;
  plan.results = 1;
  plan.crossbars.push_back({0, -1, {phase(4, {2})}});
  plan.crossbars.push_back({1, 0, {phase(4, {2})}});
  plan.crossbars[1].phases[0].cells = {3, 0, 0, 3};
  base::ActionCounts actions;
  const std::vector<std::int32_t> x = {1, 0, 0, 1};
  // 2 - 6 = -4; a signed 2-bit conversion ends at -1.
  EXPECT_EQ(functional_mvm(plan, x, actions), std::vector<std::int64_t>{-1});
  EXPECT_EQ(actions.clipped, 1);
  EXPECT_EQ(actions.total_conversions(), 1);
  EXPECT_EQ(actions[Action::dac_drive], 4);
  EXPECT_EQ(actions[Action::cell_read], 4);
}

TEST(FunctionalMvm, GatedReadsCountNothingElse) {
  ImaPlan plan;
  plan.slots = plan.adcs = 1;
  plan.format = {2, false, 1};
  plan.inputs = 2;
  plan.results = 1;
  plan.gate_zero_chunks = true;
  plan.crossbars.push_back({0, -1, {phase(2, {3, 3, 0})}});
  base::ActionCounts actions;
  const std::vector<std::int32_t> x = {2, 0};  // chunk 0 is zero on both rows
  EXPECT_EQ(functional_mvm(plan, x, actions), std::vector<std::int64_t>{4});
  EXPECT_EQ(actions.gated, 2);
  EXPECT_EQ(actions.total_conversions(), 2);
  EXPECT_EQ(actions[Action::dac_drive], 1);
}

}  // namespace
}  // namespace bitline::ima
