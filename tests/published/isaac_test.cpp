// SPDX-License-Identifier: Apache-2.0
// ISAAC's parameter table (Shafiee et al., ISCA 2016) from the component entries of configs/isaac.yaml.
#include <gtest/gtest.h>

#include <numeric>
#include <string>

#include "models/arch/arch_loader.h"
#include "models/arch/costs.h"
#include "models/arch/peak.h"
#include "models/periphery/adc.h"

namespace bitline::arch {
namespace {

using base::Action;

class Isaac : public testing::Test {
 protected:
  Arch arch_ = load_arch(BITLINE_SOURCE_DIR "/configs/isaac.yaml").arch;
  CostModel costs_{arch_, *built_adc_bits(arch_)};
};

void expect_within(double value, double published, double relative) {
  EXPECT_NEAR(value, published, relative * published);
}

TEST_F(Isaac, TwelveImas) {
  expect_within(12 * costs_.ima_power().total().value(), 0.289, 0.01);
  expect_within(12 * costs_.ima_area().total().value(), 0.157, 0.01);
}

TEST_F(Isaac, TilePartWithItsShareOfTheRouter) {
  expect_within(costs_.tile_power().total().value() - 12 * costs_.ima_power().total().value(), 0.0409, 0.01);
  expect_within(costs_.tile_area().total().value() - 12 * costs_.ima_area().total().value(), 0.215, 0.01);
}

TEST_F(Isaac, Tile) {
  expect_within(costs_.tile_power().total().value(), 0.330, 0.01);
  expect_within(costs_.tile_area().total().value(), 0.372, 0.01);
}

TEST_F(Isaac, TilesWithoutTheLink) {
  expect_within(costs_.chip_power().total().value() - costs_.chip_power()[Component::chip_link].value(), 55.4,
                0.01);
  expect_within(costs_.chip_area().total().value() - costs_.chip_area()[Component::chip_link].value(), 62.5,
                0.01);
}

TEST_F(Isaac, Chip) {
  expect_within(costs_.chip_power().total().value(), 65.8, 0.01);
  expect_within(costs_.chip_area().total().value(), 85.4, 0.01);
}

TEST_F(Isaac, SharesOfTheAdcsInATile) {
  EXPECT_NEAR(costs_.tile_power()[Component::adc] / costs_.tile_power().total(), 0.58, 0.005);
  EXPECT_NEAR(costs_.tile_area()[Component::adc] / costs_.tile_area().total(), 0.31, 0.005);
}

TEST_F(Isaac, EnergiesPerActionAtFullRate) {
  EXPECT_NEAR(costs_.conversion_energy(8, 8).value() * 1e12, 1.5625, 0.00005);
  EXPECT_NEAR(costs_.energy(Action::dac_drive).value() * 1e12, 0.391, 0.0005);
  EXPECT_NEAR(costs_.energy(Action::sample_hold).value() * 1e15, 0.98, 0.005);
  EXPECT_NEAR(costs_.energy(Action::cell_read).value() * 1e15, 1.83, 0.005);
}

TEST_F(Isaac, PeakThroughput) {
  const double gops = peak(arch_, *built_adc_bits(arch_)).operations_per_second * 1e-9;
  EXPECT_NEAR(gops, 41288, 0.5);  // 16128 arrays x 4096 operations / 1.6 us
  expect_within(gops / costs_.chip_power().total().value(), 627.5, 0.01);
  // The paper's 478.95 GOPS/s/mm2 takes 86.2 mm2, about 1 % more than its own table's total of 85.4.
  expect_within(gops / 86.2, 478.95, 0.001);
  expect_within(gops / costs_.chip_area().total().value(), 478.95 * 86.2 / 85.4, 0.001);
}

TEST_F(Isaac, StorageDensity) {
  EXPECT_NEAR(peak(arch_, *built_adc_bits(arch_)).bytes / 1e6 / 86.2, 0.74,
              0.04);  // 66 MB on the paper's 86.2 mm2
}

TEST_F(Isaac, AdcsKeepUpWithTheReads) {
  // 128 columns of a crossbar on its ADC take one read, so a read of 128 rows is done every 100 ns.
  const std::int64_t columns = arch_.crossbar.cols * arch_.ima.crossbars / arch_.adc.per_ima;
  EXPECT_EQ(periphery::conversion_time(arch_.adc, 8) * columns, arch_.crossbar.read_latency);
}

TEST_F(Isaac, TheParametersAddUpToThe22CyclePipeline) {
  // A full crossbar set: 2 KiB in, 128 results of 16 bits out, in 100 ns cycles.
  const auto cycles = [](base::Time t) {
    return base::align_up(t, base::Time::from_ns(100)).fs() / 100'000'000;
  };
  const auto& tile = arch_.tile;
  const base::Time fill =
      std::max(memory::occupancy(tile.edram, 2048), memory::occupancy(tile.bus, 8 * 2048));
  EXPECT_EQ(cycles(fill + tile.edram.latency + arch_.ima.input_register.latency), 1);  // cycle 1
  EXPECT_EQ(input_chunks(arch_) * cycles(arch_.crossbar.read_latency), 16);            // cycles 2-17
  EXPECT_EQ(cycles(periphery::conversion_time(arch_.adc, 8) * 128), 1);                // cycle 18
  EXPECT_EQ(cycles(arch_.ima.shift_add.latency), 1);                                   // cycle 19
  EXPECT_EQ(cycles(arch_.ima.output_register.latency), 1);                             // cycle 20
  const base::Time activation = memory::occupancy(tile.bus, 128 * 16) + tile.shift_add.latency +
                                tile.output_register.latency + digital::occupancy(tile.activation, 128) +
                                tile.activation.latency + digital::occupancy(tile.requantise, 128) +
                                tile.requantise.latency;
  const base::Time write = memory::occupancy(tile.edram, 256) + tile.edram.latency;
  EXPECT_EQ(cycles(activation + write), 2);  // cycles 21 and 22
}

}  // namespace
}  // namespace bitline::arch
