// SPDX-License-Identifier: Apache-2.0
#include "models/arch/costs.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "models/arch/arch_loader.h"

namespace bitline::arch {
namespace {

using base::Action;
using base::ActionCounts;

const std::string kConfigs = BITLINE_SOURCE_DIR "/configs/";

CostModel model(const std::string& config, const std::vector<std::string>& overrides = {}) {
  const Arch arch = load_arch(kConfigs + config, overrides).arch;
  return {arch, built_adc_bits(arch).value_or(std::vector<int>{8})};
}

double pj(base::Energy energy) {
  return energy.value() * 1e12;
}

TEST(CostModel, EveryActionHasAnEnergyOfItsComponent) {
  const CostModel costs = model("isaac.yaml", {"tile.elementwise.power=1 mW", "tile.requantise.power=1 mW"});
  double sum = 0.0;
  ActionCounts all;
  for (std::size_t i = 0; i < base::kActions; ++i) {
    const auto action = static_cast<Action>(i);
    ActionCounts counts;
    counts[action] = 10;
    all[action] = 10;
    if (action == Action::cell_write) counts.written_level_sum = all.written_level_sum = 15;  // 1.5 of 0 to 3
    const ByComponent<base::Energy> energy = costs.energy(counts);
    EXPECT_GT(costs.energy(action).value(), 0.0) << i;
    EXPECT_NEAR(energy.total().value(), 10 * costs.energy(action).value(), 1e-24) << i;
    sum += energy.total().value();
  }
  EXPECT_NEAR(costs.energy(all).total().value(), sum, 1e-9 * sum);
}

/// A reference column is a column more on each crossbar, of cells like the others.
TEST(CostModel, ReferenceColumnsTakeTheirCells) {
  const CostModel ideal = model("isaac.yaml");
  const CostModel finite = model("isaac.yaml", {"device.off_state=finite"});
  const auto crossbars = [](const CostModel& costs) { return costs.ima_area()[Component::crossbar].value(); };
  EXPECT_DOUBLE_EQ(crossbars(finite), crossbars(ideal) * 129 / 128);
  EXPECT_DOUBLE_EQ(finite.ima_power()[Component::crossbar].value(),
                   ideal.ima_power()[Component::crossbar].value() * 129 / 128);
  EXPECT_DOUBLE_EQ(finite.energy(Action::cell_read).value(), ideal.energy(Action::cell_read).value());
  const std::vector<std::string> without[] = {{"device.off_state=finite", "device.off_current=digital"},
                                              {"device.off_state=finite", "device.off_current=kept"},
                                              {"device.off_state=finite", "encoding.weights=differential",
                                               "encoding.subtraction=analog", "encoding.flip=false"}};
  for (const std::vector<std::string>& overrides : without)
    EXPECT_DOUBLE_EQ(crossbars(model("isaac.yaml", overrides)), crossbars(ideal));
}

TEST(CostModel, ConversionsCostWhatTheirAdcIsBuiltFor) {
  const CostModel costs = model("isaac.yaml");
  ActionCounts counts;
  counts.conversions[0] = 1000;
  counts.conversions[4] = 10;
  counts.conversions[8] = 2;
  // 8-bit ADCs: 1.5625 pJ at 8 bits, half of it at 4
  EXPECT_NEAR(pj(costs.energy(counts)[Component::adc]), 2 * 1.5625 + 10 * 0.78125, 1e-5);
  EXPECT_EQ(costs.energy(counts).total(), costs.energy(counts)[Component::adc]);
}

TEST(CostModel, SeparateSlicesHaveAdcsOfTheirOwn) {
  const CostModel costs = model("bitslice-l1.yaml");
  // power_law: 8 bits burn 28.44 x the power of 1 bit for 8 x the time, 14.22 x that of 3 bits for 8/3 x the
  // time
  const double one = 1.5625 / (256.0 / 9.0) / 8.0;
  const double three = 1.5625 / (128.0 / 9.0) / (8.0 / 3.0);
  ActionCounts counts;
  counts.conversions[1] = 7;
  counts.conversions[3] = 5;
  EXPECT_NEAR(pj(costs.energy(counts)[Component::adc]), 7 * one + 5 * three, 1e-4);
  std::vector<ConversionCounts> slices(4);
  slices[0][1] = 7;
  slices[3][3] = 5;
  EXPECT_NEAR(pj(costs.conversion_energy(slices)), 7 * one + 5 * three, 1e-4);
  slices[1][1] = 3;  // 1 bit by an ADC built for 3: a third of its energy
  EXPECT_NEAR(pj(costs.conversion_energy(slices)), 7 * one + 5 * three + 3 * three / 3, 1e-4);
}

TEST(CostModel, InterleavedSlicesAreBuiltForTheWidest) {
  Arch arch = load_arch(kConfigs + "isaac.yaml").arch;
  const CostModel costs(arch, {4, 8});
  EXPECT_NEAR(costs.ima_area()[Component::adc].value(), 0.0096, 1e-12);
  EXPECT_NEAR(costs.ima_power()[Component::adc].value(), 16e-3, 1e-12);
}

TEST(CostModel, SeparateSlicesTakeTheMeanArea) {
  Arch arch = load_arch(kConfigs + "isaac.yaml").arch;
  arch.slices.placement = SlicePlacement::separate;
  const CostModel costs(arch, {4, 8});
  // isaac_fit: 361.044 um2 at 4 bits and 1199.992 um2 at 8, anchored to 1200
  EXPECT_NEAR(costs.ima_area()[Component::adc].value(), 0.0096 * (1 + 361.044 / 1199.992) / 2, 1e-9);
  const CostModel none(arch, {0, 8});
  EXPECT_NEAR(none.ima_area()[Component::adc].value(), 0.0048, 1e-12);
}

TEST(CostModel, OhmicReadsFollowTheLevels) {
  const CostModel costs = model("isaac.yaml", {"device.read_energy=ohmic"});
  ActionCounts counts;
  counts[Action::cell_read] = 3;
  counts.cell_level_sum = 3;  // levels 0, 0 and 3
  // 0.2^2 V2 x 100 ns x (2 x 1/20k + 1/1333) S
  EXPECT_NEAR(pj(costs.energy(counts)[Component::crossbar]), 0.04 * 1e5 * (2 / 20e3 + 1 / 1333.0), 1e-9);
  EXPECT_EQ(costs.energy(ActionCounts{})[Component::crossbar].value(), 0.0);
}

TEST(CostModel, CountsScaleFromTheNumberTheCostIsOf) {
  const CostModel isaac = model("isaac.yaml");
  const CostModel more =
      model("isaac.yaml", {"adc.per_ima=16", "ima.crossbars=16", "ima.output_register.capacity=512 B"});
  EXPECT_NEAR(more.ima_area()[Component::adc].value(), 2 * 0.0096, 1e-12);
  EXPECT_NEAR(more.ima_power()[Component::crossbar].value(), 2 * 2.4e-3, 1e-12);
  EXPECT_NEAR(more.ima_area()[Component::dac].value(), 2 * 0.00017, 1e-12);
  EXPECT_NEAR(more.ima_area()[Component::output_register].value(), 2 * 0.00077, 1e-12);
  EXPECT_NEAR(more.ima_power()[Component::output_register].value(), 0.23e-3, 1e-12);
  for (const Action action : {Action::cell_read, Action::dac_drive, Action::sample_hold}) {
    EXPECT_EQ(isaac.energy(action), more.energy(action));
  }
}

TEST(CostModel, StaticPowerIsOfTheWholeChip) {
  const CostModel costs = model("isaac.yaml", {"tile.edram.static_power=1 mW", "adc.static_power=2 mW",
                                               "noc.static_power=4 mW", "chip.link.static_power=3 W"});
  const ByComponent<base::Power> power = costs.static_power();
  EXPECT_NEAR(power[Component::edram].value(), 168 * 1e-3, 1e-12);
  EXPECT_NEAR(power[Component::adc].value(), 168 * 12 * 2e-3, 1e-9);
  EXPECT_NEAR(power[Component::router].value(), 42 * 4e-3, 1e-12);
  EXPECT_NEAR(power[Component::chip_link].value(), 3.0, 1e-12);
  EXPECT_NEAR(power.total().value(), 168 * 1e-3 + 168 * 12 * 2e-3 + 42 * 4e-3 + 3.0, 1e-9);
  EXPECT_NEAR(costs.tile_power()[Component::edram].value(), 21.7e-3, 1e-12);
}

TEST(CostModel, AChipHasTheRoutersOfItsMesh) {
  // 14 x 12 tiles in blocks of 4 x 2: the last block of each row is half empty, its router is there.
  const CostModel costs = model("isaac.yaml", {"noc.tiles_per_router=8", "noc.static_power=4 mW"});
  EXPECT_NEAR(costs.chip_area()[Component::router].value(), 24 * 0.151, 1e-12);
  EXPECT_NEAR(costs.static_power()[Component::router].value(), 24 * 4e-3, 1e-12);
  EXPECT_NEAR(costs.tile_area()[Component::router].value(), 0.151 / 8, 1e-12);
  EXPECT_NEAR(model("isaac.yaml", {"noc.tiles_per_router=1"}).chip_area()[Component::router].value(),
              168 * 0.151, 1e-12);
}

TEST(CostModel, NamesAreDistinct) {
  std::vector<std::string> names;
  for (std::size_t c = 0; c < kComponents; ++c) names.emplace_back(to_string(static_cast<Component>(c)));
  EXPECT_THAT(names, testing::ElementsAre("crossbar", "dac", "sample_hold", "adc", "shift_add",
                                          "input_register", "output_register", "edram", "bus",
                                          "tile_shift_add", "tile_output_register", "activation", "pooling",
                                          "elementwise", "requantise", "router", "chip_link"));
}

TEST(CostModel, AResolutionThatTheModelDoesNotHaveIsAConfigError) {
  Arch arch = load_arch(kConfigs + "isaac.yaml").arch;
  arch.adc.model = periphery::AdcModel::table;
  EXPECT_THROW(CostModel(arch, {8}), base::ConfigError);
}

}  // namespace
}  // namespace bitline::arch
