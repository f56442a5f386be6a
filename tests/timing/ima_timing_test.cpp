// SPDX-License-Identifier: Apache-2.0
// The structural IMA against cycle counts derived by hand, term by term. L: latch of a read, C: end of its
// conversions, A: shift-adds done, W: written to the output register, D: results can be read.
#include <gtest/gtest.h>

#include <memory>

#include "models/ima/structural_ima.h"
#include "tests/timing/child_process.h"
#include "tests/timing/ima_driver.h"

namespace bitline::timing_test {
namespace {

using base::Frequency;
using base::Time;

constexpr std::int64_t kNs = 1'000'000;

/// One crossbar of `columns` columns of `bits` bits under `rows` rows of ones.
ima::PhasePlan phase(int rows, int columns, int bits) {
  ima::PhasePlan result;
  result.row_count = rows;
  for (int r = 0; r < rows; ++r) result.rows.push_back(r);
  for (int c = 0; c < columns; ++c) {
    ima::Column column;
    column.bits = bits;
    column.row_count = rows;
    result.columns.push_back(column);
    result.cells.insert(result.cells.end(), static_cast<std::size_t>(rows), 1);
  }
  return result;
}

struct ImaSetup {
  ima::ImaPlan plan;
  ima::StructuralParams params;
  std::vector<Mvm> mvms;
};

/// Clock 10 ns, reads 10 ns, 1 ns per 8-bit conversion, no other latency; 4-bit inputs, so 4 reads per phase.
ImaSetup simple(int columns) {
  ImaSetup s;
  s.params.ima.clock = Frequency(1e8);
  s.params.ima.shift_add.latency = {};
  s.params.ima.input_register.buffers = 2;
  s.params.ima.output_register.buffers = 2;
  s.params.read_latency = Time::from_ns(10);
  s.params.sample_hold = {};
  s.params.adc.rated_bits = 8;
  s.params.adc.rate = Frequency(1e9);
  s.plan.slots = s.plan.adcs = 1;
  s.plan.format = {4, false, 1};
  s.plan.inputs = 4;
  s.plan.input_bytes = 2;
  s.plan.results = 1;
  s.plan.crossbars.push_back({0, -1, {phase(4, columns, 8)}});
  s.mvms = {{{1, 2, 3, 4}, Time::from_ns(5), Time::from_ns(1)}};
  return s;
}

/// "free.<m>": input buffer of MVM m free; "ready.<m>": results can be read; "value.<m>": the first result.
Figures run(const ImaSetup& setup) {
  return in_child([&] {
    sc_core::sc_set_time_resolution(1, sc_core::SC_FS);
    ima::StructuralIma ima("ima", setup.params, setup.plan);
    ImaDriver driver("driver", ima, setup.params.ima.input_register.buffers, setup.mvms);
    sc_core::sc_start();
    Figures figures;
    for (std::size_t m = 0; m < driver.log.ready.size(); ++m) {
      figures["free." + std::to_string(m)] = driver.log.input_free[m].fs();
      figures["ready." + std::to_string(m)] = driver.log.ready[m].fs();
      figures["value." + std::to_string(m)] = driver.log.values[m][0];
    }
    return figures;
  });
}

TEST(ImaTiming, ReadBound) {
  const Figures f = run(simple(6));
  // Input at 5, first read on the edge at 10; L = 20, 30, 40, 50 (6 ns of conversions fit in 10).
  EXPECT_EQ(f.at("free.0"), 50 * kNs);
  // C = 50 + 6 = 56, next edge 60; no latencies.
  EXPECT_EQ(f.at("ready.0"), 60 * kNs);
  EXPECT_EQ(f.at("value.0"), 6 * (1 + 2 + 3 + 4));
}

TEST(ImaTiming, ConversionBound) {
  const Figures f = run(simple(23));
  // L[0] = 20; 23 conversions end 43, so L[1] on the edge 50; then 80, 110. C = 133, edge 140.
  EXPECT_EQ(f.at("free.0"), 110 * kNs);
  EXPECT_EQ(f.at("ready.0"), 140 * kNs);
}

TEST(ImaTiming, EveryLatencyCountsOnce) {
  ImaSetup s = simple(6);
  s.params.ima.input_register.latency = Time::from_ns(3);
  s.params.sample_hold = Time::from_ns(2);
  s.params.ima.shift_add.latency = Time::from_ns(17);
  s.params.ima.output_register.latency = Time::from_ns(4);
  const Figures f = run(s);
  // Filled 5 + 3 = 8, read 10, L = 20 .. 50 (2 + 6 fits in 10). C = 50 + 2 + 6 = 58, edge 60, A = 77, D = 81.
  EXPECT_EQ(f.at("free.0"), 50 * kNs);
  EXPECT_EQ(f.at("ready.0"), 81 * kNs);
}

TEST(ImaTiming, TwoCrossbarsShareAnAdc) {
  ImaSetup s = simple(6);
  s.plan.slots = 2;
  s.plan.crossbars.push_back({1, -1, {phase(4, 6, 8)}});
  // One ADC, 12 conversions per read: L = 20, then max(30, 32) on the edge 40, 60, 80; C = 92, edge 100.
  EXPECT_EQ(run(s).at("free.0"), 80 * kNs);
  EXPECT_EQ(run(s).at("ready.0"), 100 * kNs);
  // Two ADCs: as one crossbar alone.
  s.plan.adcs = 2;
  EXPECT_EQ(run(s).at("ready.0"), 60 * kNs);
  // Four ADCs, two per crossbar: 3 conversions each, C = 53, the same edge.
  s.plan.adcs = 4;
  EXPECT_EQ(run(s).at("ready.0"), 60 * kNs);
}

TEST(ImaTiming, ResolutionSetsTheTimeOfAConversion) {
  ImaSetup s = simple(24);
  for (ima::Column& column : s.plan.crossbars[0].phases[0].columns) column.bits = 3;
  // SAR: 3 of 8 bit cycles, 375 ps; 24 take 9 ns, which fits: L = 20 .. 50, C = 59, edge 60.
  EXPECT_EQ(run(s).at("ready.0"), 60 * kNs);
  // Flash: 24 ns whatever the bits: L = 20, 50, 80, 110, C = 134, edge 140.
  s.params.adc.kind = periphery::AdcKind::flash;
  EXPECT_EQ(run(s).at("ready.0"), 140 * kNs);
  // Ramp: 2^3 of 2^8 steps, 31.25 ps; 24 take 750 ps: reads set the pace.
  s.params.adc.kind = periphery::AdcKind::ramp;
  EXPECT_EQ(run(s).at("free.0"), 50 * kNs);
  EXPECT_EQ(run(s).at("ready.0"), 60 * kNs);
}

TEST(ImaTiming, PhasesFollowEachOtherAndCrossbarsWait) {
  ImaSetup s = simple(6);
  s.plan.slots = s.plan.adcs = 2;
  s.plan.crossbars[0].phases.push_back(phase(4, 14, 8));
  s.plan.crossbars.push_back({1, -1, {phase(4, 2, 8)}});
  // Phase 0, 4 reads: L = 20, 30, 40, 50 (6 and 2 conversions). Phase 1, the first crossbar alone: L = 60
  // (read 50 .. 60, C of the read before 56), then 14 conversions: 80, 100, 120. C = 134, edge 140.
  const Figures f = run(s);
  EXPECT_EQ(f.at("free.0"), 120 * kNs);
  EXPECT_EQ(f.at("ready.0"), 140 * kNs);
  EXPECT_EQ(f.at("value.0"), (6 + 14 + 2) * (1 + 2 + 3 + 4));
}

TEST(ImaTiming, SignedInputsTakeASignRead) {
  ImaSetup s = simple(6);
  s.plan.format = {4, true, 2};
  s.params.adc.rated_bits = 8;
  s.mvms[0].x = {-8, 7, -1, 0};
  // 3 low bits in chunks of 2: 2 reads, then the sign: L = 20, 30, 40; C = 46, edge 50.
  const Figures f = run(s);
  EXPECT_EQ(f.at("free.0"), 40 * kNs);
  EXPECT_EQ(f.at("ready.0"), 50 * kNs);
  EXPECT_EQ(f.at("value.0"), 6 * (-8 + 7 - 1));
}

TEST(ImaTiming, ConsecutiveVectorsOverlap) {
  ImaSetup s = simple(6);
  s.mvms.assign(3, s.mvms[0]);
  // Sent at 5, 10 (two buffers); the third when the first buffer is free: 50 + 5. The second reads from 50: L
  // = 60 .. 90, C = 96, 100; the third from 90: L = 100 .. 130, C = 136, 140.
  const Figures f = run(s);
  EXPECT_EQ(f.at("ready.0"), 60 * kNs);
  EXPECT_EQ(f.at("free.1"), 90 * kNs);
  EXPECT_EQ(f.at("ready.1"), 100 * kNs);
  EXPECT_EQ(f.at("ready.2"), 140 * kNs);
  // With one buffer each waits for the one before: sent 50 + 5, read 60, L = 70 .. 100, 110; sent 105, read
  // 110, L = 120 .. 150, 160.
  s.params.ima.input_register.buffers = 1;
  const Figures single = run(s);
  EXPECT_EQ(single.at("free.1"), 100 * kNs);
  EXPECT_EQ(single.at("ready.1"), 110 * kNs);
  EXPECT_EQ(single.at("ready.2"), 160 * kNs);
}

TEST(ImaTiming, FullOutputRegisterHoldsTheSampleAndHolds) {
  ImaSetup s = simple(6);
  s.params.ima.output_register.buffers = 1;
  s.mvms.assign(3, s.mvms[0]);
  for (Mvm& mvm : s.mvms) mvm.drain_delay = Time::from_ns(100);
  // MVM 0: D = 60, drained 160. MVM 1: L = 60 .. 90, C = 96, A = 100, but W = D = 160, drained 260.
  // MVM 2: settled at 100, latched only when MVM 1 has a place: L = 160 .. 190, C = 196, A = 200, W = D =
  // 260.
  const Figures f = run(s);
  EXPECT_EQ(f.at("ready.0"), 60 * kNs);
  EXPECT_EQ(f.at("ready.1"), 160 * kNs);
  EXPECT_EQ(f.at("free.2"), 190 * kNs);
  EXPECT_EQ(f.at("ready.2"), 260 * kNs);
}

TEST(ImaTiming, IsaacPipelineStageByStage) {
  // ISAAC: 8 crossbars of 128 x 128, 16 one-bit inputs, 8 ADCs of 1.28 GS/s, 10 MHz controller.
  ImaSetup s = simple(1);
  s.params.ima.clock = Frequency(1e7);
  s.params.read_latency = Time::from_ns(100);
  s.params.ima.shift_add.latency = Time::from_ns(100);
  s.params.ima.output_register.latency = Time::from_ns(100);
  s.params.adc.rate = Frequency(1.28e9);
  s.plan.slots = s.plan.adcs = 8;
  s.plan.format = {16, false, 1};
  s.plan.inputs = 128;
  s.plan.crossbars.clear();
  for (int slot = 0; slot < 8; ++slot) s.plan.crossbars.push_back({slot, -1, {phase(128, 128, 8)}});
  s.mvms.assign(4, {std::vector<std::int32_t>(128, 1), Time::from_ns(100), Time::from_ns(5)});
  const Figures f = run(s);
  constexpr std::int64_t kCycle = 100 * kNs;
  // Cycle 1: eDRAM and input register (the driver's 100 ns). Cycles 2-17: 16 crossbar reads, the last latched
  // at the end of cycle 17.
  EXPECT_EQ(f.at("free.0"), 17 * kCycle);
  // Cycle 18: 128 conversions of 781.25 ps = 100 ns. Cycle 19: shift-add. Cycle 20: output register.
  EXPECT_EQ(f.at("ready.0"), 20 * kCycle);
  // One MVM per 16 cycles (1.6 us).
  for (int m = 1; m < 4; ++m) {
    EXPECT_EQ(f.at("free." + std::to_string(m)), (17 + 16 * m) * kCycle);
    EXPECT_EQ(f.at("ready." + std::to_string(m)), (20 + 16 * m) * kCycle);
  }
  // All ones: the sum of 128 rows, 8 bits clip it nowhere; 8 crossbars x 128 columns add up.
  EXPECT_EQ(f.at("value.0"), 8 * 128 * 128);
}

}  // namespace
}  // namespace bitline::timing_test
