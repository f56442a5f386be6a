// SPDX-License-Identifier: Apache-2.0
// Formulas of the small components against closed forms.
#include <gtest/gtest.h>

#include "models/crossbar/crossbar.h"
#include "models/device/cell.h"
#include "models/digital/unit.h"
#include "models/memory/memory.h"
#include "models/noc/noc.h"
#include "models/periphery/dac.h"
#include "models/periphery/sample_hold.h"
#include "models/periphery/shift_add.h"

namespace bitline {
namespace {

using base::Area;
using base::Cost;
using base::Frequency;
using base::Power;
using base::Time;

TEST(Cost, ScalesFromTheNumberOfPartsItIsGivenFor) {
  const Cost cost{Power(8.0), Power(4.0), Area(2.0), 4};
  EXPECT_EQ(cost.power_of(2).value(), 4.0);
  EXPECT_EQ(cost.static_power_of(8).value(), 8.0);
  EXPECT_EQ(cost.area_of(1).value(), 0.5);
  EXPECT_EQ(cost.power_of_one(100).value(), 2.0);
}

TEST(Cost, IsOfTheGroupAsItIsWithoutANumber) {
  const Cost cost{Power(8.0), Power(4.0), Area(2.0)};
  EXPECT_EQ(cost.power_of(2).value(), 8.0);
  EXPECT_EQ(cost.static_power_of(2).value(), 4.0);
  EXPECT_EQ(cost.area_of(2).value(), 2.0);
  EXPECT_EQ(cost.power_of_one(2).value(), 4.0);
}

TEST(Time, ClockEdges) {
  const Time p = Time::from_fs(300);
  EXPECT_EQ(base::align_up(Time::from_fs(0), p).fs(), 0);
  EXPECT_EQ(base::align_up(Time::from_fs(1), p).fs(), 300);
  EXPECT_EQ(base::align_up(Time::from_fs(300), p).fs(), 300);
  EXPECT_EQ(base::align_up(Time::from_fs(301), p).fs(), 600);
  EXPECT_EQ(base::align_up(Time::from_fs(301), {}).fs(), 301);
  EXPECT_EQ(base::period(Frequency(1.28e9)).fs(), 781250);
  EXPECT_EQ(base::period(Frequency(1.2e9)).fs(), 833333);
}

TEST(Cell, LevelsAreEquidistantInConductance) {
  device::DeviceParams cell;
  cell.bits_per_cell = 2;
  cell.r_on = base::Resistance(1e3);
  cell.r_off = base::Resistance(1e4);
  EXPECT_DOUBLE_EQ(device::conductance(cell, 0), 1e-4);
  EXPECT_DOUBLE_EQ(device::conductance(cell, 3), 1e-3);
  EXPECT_DOUBLE_EQ(device::conductance(cell, 1), 4e-4);
}

TEST(Cell, OhmicEnergyIsVoltageSquaredTimesConductanceTimesTime) {
  device::DeviceParams cell;
  cell.r_on = base::Resistance(1e3);
  cell.r_off = base::Resistance(1e4);
  cell.read_voltage = base::Voltage(0.2);
  // 0.04 V2 x 1e-3 S x 100 ns = 4 pJ
  EXPECT_NEAR(device::ohmic_read_energy(cell, 3, Time::from_ns(100)).value(), 4e-12, 1e-24);
}

TEST(Cell, AWriteTakesTheVoltageOfAWriteAndTheConductanceOfItsLevel) {
  device::DeviceParams cell;
  cell.r_on = base::Resistance(1e3);
  cell.r_off = base::Resistance(1e4);
  cell.write_voltage = base::Voltage(3.0);
  cell.write_latency = Time::from_ns(10);
  // 9 V2 x 1e-3 S x 10 ns = 90 pJ at the highest level, a tenth at the lowest, half way 49.5.
  EXPECT_NEAR(device::write_energy(cell, 3).value(), 90e-12, 1e-21);
  EXPECT_NEAR(device::write_energy(cell, 0).value(), 9e-12, 1e-21);
  EXPECT_NEAR(device::write_energy(cell, 1.5).value(), 49.5e-12, 1e-21);
}

TEST(Crossbar, CellEnergyIsItsShareOfTheGroupsPowerDuringARead) {
  crossbar::CrossbarParams params;
  params.cost = {Power(2.4e-3), Power(0.0), Area(0.0002), 131072};
  // 2.4 mW / 131072 cells x 100 ns = 1.831 fJ, also when the machine has more cells
  EXPECT_NEAR(crossbar::cell_read_energy(params, 999).value() * 1e15, 1.8310546875, 1e-9);
}

TEST(Dac, DriveEnergyIsTheShareOfARowDuringARead) {
  periphery::DacParams dac;
  dac.cost = {Power(4e-3), Power(0.0), Area(0.0), 1024};
  EXPECT_NEAR(periphery::drive_energy(dac, 1024, Time::from_ns(100)).value() * 1e12, 0.390625, 1e-12);
}

TEST(SampleHold, HoldEnergyIsTheShareOfAColumnDuringARead) {
  periphery::SampleHoldParams hold;
  hold.cost = {Power(10e-6), Power(0.0), Area(0.0), 1024};
  EXPECT_NEAR(periphery::hold_energy(hold, 1024, Time::from_ns(100)).value() * 1e15, 0.9765625, 1e-9);
}

TEST(ShiftAdd, AdditionsQueueForTheUnits) {
  periphery::ShiftAddParams params;
  params.units = 4;
  params.rate = Frequency(1e9);
  params.cost.power = Power(0.4e-3);
  EXPECT_EQ(periphery::occupancy(params, 0), Time{});
  EXPECT_EQ(periphery::occupancy(params, 4), Time::from_ns(1));
  EXPECT_EQ(periphery::occupancy(params, 9), Time::from_ns(3));
  EXPECT_NEAR(periphery::add_energy(params).value(), 0.1e-12, 1e-24);  // 0.4 mW / (4 x 1 GHz)
}

TEST(Memory, EdramTakesItsBanksInParallel) {
  memory::EdramParams edram;
  edram.width_bits = 256;
  edram.banks = 2;
  edram.clock = Frequency(1e9);
  edram.cost.power = Power(20e-3);
  EXPECT_EQ(memory::accesses(edram, 0), 0);
  EXPECT_EQ(memory::accesses(edram, 32), 1);
  EXPECT_EQ(memory::accesses(edram, 33), 2);
  EXPECT_EQ(memory::occupancy(edram, 2048), Time::from_ns(32));
  EXPECT_EQ(memory::occupancy(edram, 2049), Time::from_ns(33));
  EXPECT_NEAR(memory::access_energy(edram).value(), 10e-12, 1e-24);  // 20 mW / (2 x 1 GHz)
}

TEST(Memory, BusMovesItsWiresPerCycle) {
  memory::BusParams bus;
  bus.wires = 384;
  bus.clock = Frequency(1e9);
  bus.cost.power = Power(7.68e-3);
  EXPECT_EQ(memory::occupancy(bus, 384), Time::from_ns(1));
  EXPECT_EQ(memory::occupancy(bus, 16384), Time::from_ns(43));
  EXPECT_NEAR(memory::bit_energy(bus).value(), 0.02e-12, 1e-26);  // 7.68 mW / (384 x 1 GHz)
}

TEST(Memory, RegisterEnergyIsPowerOverBandwidth) {
  memory::RegisterParams reg;
  reg.bandwidth = Frequency(2e9);
  reg.cost.power = Power(1e-3);
  EXPECT_NEAR(memory::byte_energy(reg).value(), 0.5e-12, 1e-24);
}

TEST(DigitalUnit, TakesItsUnitsPerCycle) {
  digital::UnitParams unit;
  unit.units = 2;
  unit.clock = Frequency(1e9);
  unit.cost.power = Power(0.5e-3);
  EXPECT_EQ(digital::occupancy(unit, 0), Time{});
  EXPECT_EQ(digital::occupancy(unit, 5), Time::from_ns(3));
  EXPECT_NEAR(digital::element_energy(unit).value(), 0.25e-12, 1e-24);
}

TEST(Noc, PacketsAreWholeFlits) {
  noc::NocParams params;
  params.flit_bits = 32;
  params.clock = Frequency(1e9);
  params.router_cycles = 3;
  params.ports = 8;
  params.cost.power = Power(40e-3);
  EXPECT_EQ(noc::flits(params, 1), 1);
  EXPECT_EQ(noc::flits(params, 64), 2);
  EXPECT_EQ(noc::occupancy(params, 65), Time::from_ns(3));
  EXPECT_EQ(noc::hop_latency(params), Time::from_ns(3));
  EXPECT_NEAR(noc::flit_energy(params).value(), 5e-12, 1e-24);  // 40 mW / (8 x 1 GHz)
}

TEST(Link, BytesSpreadOverTheLinks) {
  noc::LinkParams link;
  link.links = 4;
  link.bytes_per_second = Frequency(6.4e9);
  link.cost = {Power(10.24), Power(0.0), Area(0.0), 4};
  EXPECT_EQ(noc::occupancy(link, 25600), Time::from_ns(1000));
  EXPECT_EQ(noc::occupancy(link, 1).fs(), 39063);               // 39062.5 rounded up
  EXPECT_NEAR(noc::byte_energy(link).value(), 400e-12, 1e-21);  // 10.24 W / (4 x 6.4 GB/s)
}

}  // namespace
}  // namespace bitline
