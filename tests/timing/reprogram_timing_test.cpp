// SPDX-License-Identifier: Apache-2.0
// Networks that pass one chip in phases. Machine and terms of the derivations: chip_timing_test.cpp; a row is
// written in 40 ns, cell codes come over the link at a byte per ns.
#include <gtest/gtest.h>

#include "mapper/place/traffic.h"
#include "models/arch/costs.h"
#include "models/base/errors.h"
#include "tests/support/refusal.h"
#include "tests/timing/chip_support.h"
#include "tests/timing/random_chip.h"
#include "tests/unit/mapper/place/networks.h"

namespace bitline::timing_test {
namespace {

using base::Frequency;
using place::StageKind;
using place::testing::GraphBuilder;

/// One tile of one IMA of two crossbars, so that a phase has one layer.
arch::Arch one_ima() {
  arch::Arch machine = round_machine();
  machine.tile.imas = 1;
  machine.chip.tiles = machine.chip.mesh_width = 1;
  machine.mapping.oversize = arch::Oversize::reprogram;
  return machine;
}

std::shared_ptr<const graph::Graph> two_layers() {
  GraphBuilder g;
  return g.output(g.linear(g.linear(g.input({1, 4}), 4), 4));
}

TEST(Reprogram, TwoPhasesOfOneLayer) {
  const Network network = place_network(two_layers(), one_ima());
  ASSERT_EQ(network.program.phases.size(), 2U);
  // 4 rows of 4 outputs x 2 cells of 2 bits.
  for (const place::Programming& phase : network.program.phases) {
    EXPECT_EQ(phase.bytes, 4 * 8 * 2 / 8);
    EXPECT_EQ(phase.rows_of_tile, 4);
  }
  EXPECT_EQ(network.program.writes_per_cell, 2);
  const Figures f = run(network);
  // 8 bytes over the link, meanwhile 4 rows: 160. Input: link 164, router 165, written 168: the window opens.
  EXPECT_EQ(f.at("stage.0.first_start"), 160 * kNs);
  EXPECT_EQ(f.at("stage.1.first_start"), 168 * kNs);
  // Fill 172, reads from 180, latches 190 .. 260, converted 268, results 290, drained 294, requantised 295,
  // router 296, out of the chip 300. Then the second phase is written: 460; its input is loaded from 460 on
  // and everything repeats: 600.
  EXPECT_EQ(f.at("stage.2.last_end"), 300 * kNs);
  EXPECT_EQ(f.at("stage.3.first_start"), 460 * kNs);
  EXPECT_EQ(f.at("total"), 600 * kNs);
  EXPECT_EQ(f.at("programming"), 320 * kNs);
  // In, stored, loaded, out, and the cell codes of both phases.
  EXPECT_EQ(f.at("action.chip_link_byte"), 4 * 4 + 2 * 8);
  EXPECT_EQ(f.at("action.cell_write"), 2 * 32);
  EXPECT_EQ(f.at("use.ima.instances"), 1);
  EXPECT_EQ(f.at("use.ima.uses"), 2);
}

TEST(Reprogram, ABatchPassesAPhaseBeforeTheNext) {
  const Figures f = run(place_network(two_layers(), one_ima()), 3);
  // The crossbars take 80 an image. First phase: written at 160, images stored at 300, 380, 460. Second:
  // written at 620, images out 140 later and every 80.
  EXPECT_EQ(f.at("image_start.0"), 160 * kNs);
  for (int image = 0; image < 3; ++image)
    EXPECT_EQ(f.at("image_end." + std::to_string(image)), (620 + 140 + 80 * image) * kNs);
  EXPECT_EQ(f.at("programming"), 320 * kNs);
  EXPECT_EQ(f.at("action.cell_write"), 2 * 32);
  EXPECT_EQ(f.at("action.chip_link_byte"), 3 * 4 * 4 + 2 * 8);
}

TEST(Reprogram, WritingIsBoundByTheLinkOrByTheRows) {
  arch::Arch machine = one_ima();
  machine.chip.link.bytes_per_second = Frequency(2e7);
  // 8 bytes of 50 ns: 400, twice.
  EXPECT_EQ(run(place_network(two_layers(), machine)).at("programming"), 2 * 400 * kNs);
  machine = one_ima();
  machine.tile.write_rows = 3;
  // 3 rows together, then the fourth: 80.
  EXPECT_EQ(run(place_network(two_layers(), machine)).at("programming"), 2 * 80 * kNs);
  machine.device.write_latency = base::Time::from_ns(7);
  // 14 for the rows, more than 8 for the link.
  EXPECT_EQ(run(place_network(two_layers(), machine)).at("programming"), 2 * 14 * kNs);
}

TEST(Reprogram, TilesAreWrittenAtTheSameTime) {
  // 40 rows: 16 in each of two crossbars of one tile, 8 in the other tile. The busiest tile has 32 rows. Then
  // a layer of 4 rows.
  arch::Arch machine = one_ima();
  machine.chip.tiles = machine.chip.mesh_width = 2;
  GraphBuilder g;
  const Network network = place_network(g.output(g.linear(g.linear(g.input({1, 40}), 4), 4)), machine);
  ASSERT_EQ(network.program.phases.size(), 2U);
  EXPECT_EQ(network.program.phases[0].rows_of_tile, 32);
  EXPECT_EQ(network.program.phases[0].bytes, 40 * 8 * 2 / 8);
  EXPECT_EQ(network.program.phases[1].rows_of_tile, 4);
  EXPECT_EQ(run(network).at("programming"), (32 + 4) * 40 * kNs);
}

TEST(Reprogram, EnergyOfWritesFollowsFromTheLevels) {
  const Network network = place_network(two_layers(), one_ima());
  std::int64_t levels = 0;
  for (const cycle::LayerSource& layer : network.layers) {
    for (int o = 0; o < 4; ++o) {
      for (int r = 0; r < 4; ++r) {
        for (int s = 0; s < 2; ++s) levels += layer.sliced->cell(0, 0, s, 0, o, r);
      }
    }
  }
  const Figures f = simulate(network);
  EXPECT_EQ(f.at("action.cell_write"), 64);
  EXPECT_EQ(f.at("written_levels"), levels);
  base::ActionCounts counts;
  counts[base::Action::cell_write] = 64;
  counts.written_level_sum = levels;
  // V^2 G t of 64 cells whose conductance goes from 1/20k at level 0 to 1/1333 at level 3.
  const double siemens = 64 / 20e3 + (1 / 1333.0 - 1 / 20e3) * static_cast<double>(levels) / 3;
  const arch::CostModel costs(network.arch, {8});
  EXPECT_NEAR(costs.write_energy(counts).value(), 4.0 * siemens * 40e-9, 1e-18);
  EXPECT_EQ(costs.energy(counts)[arch::Component::crossbar], costs.write_energy(counts));
}

TEST(Reprogram, AValueThatLaterPhasesTakeIsStoredOnceAndLoadedByEach) {
  // x -> a -> b, and a + b: four phases' worth of layers, the sum needs a again.
  GraphBuilder g;
  const auto a = g.conv(g.input({1, 4, 2, 2}), 4, 1, 1, 0);
  const auto b = g.conv(a, 4, 1, 1, 0);
  const Network network = place_network(g.output(g.add(g.conv(b, 4, 1, 1, 0), a)), one_ima());
  ASSERT_EQ(network.program.phases.size(), 3U);
  int stored = 0, loaded = 0;
  for (const place::Stage& stage : network.program.stages) {
    stored += stage.stored && stage.kind == StageKind::output ? 1 : 0;
    loaded += stage.stored && stage.kind == StageKind::input ? 1 : 0;
  }
  EXPECT_EQ(stored, 2);  // a, b
  EXPECT_EQ(loaded, 3);  // a for b; a and b for the sum
  const Figures f = run(network, 2);
  // Two images of 4 pixels of 4 bytes: in, stored twice, loaded three times, out; 8 bytes of codes a phase.
  EXPECT_EQ(f.at("action.chip_link_byte"), 2 * 16 * 7 + 3 * 8);
}

TEST(Reprogram, WhatFitsIsNotReprogrammed) {
  GraphBuilder g;
  const auto graph = g.output(g.linear(g.relu(g.linear(g.input({1, 16}), 20)), 4));
  arch::Arch machine = round_machine();
  const Figures one = simulate(place_network(graph, machine));
  machine.mapping.oversize = arch::Oversize::reprogram;
  const Network network = place_network(graph, machine);
  EXPECT_TRUE(network.program.phases.empty());
  EXPECT_EQ(simulate(network), one);
  EXPECT_EQ(one.at("action.cell_write"), 0);
}

TEST(Reprogram, LayersOfSharedWeightsHaveCrossbarsInEveryPhaseThatUsesThem) {
  GraphBuilder g;
  auto x = g.linear(g.input({1, 16}), 16);
  x = g.linear(g.linear(x, 16), 16);
  // The first and the third layer share; each is in a phase of its own, for the second lies between them.
  const Network network = place_network(g.output(x), one_ima(), {-1, -1, 0});
  ASSERT_EQ(network.program.phases.size(), 3U);
  EXPECT_EQ(network.program.layers[2].shares, -1);
  EXPECT_EQ(network.program.layers[2].written_cells, network.program.layers[0].written_cells);
  EXPECT_EQ(run(network).at("action.cell_write"), 3 * 16 * 32);
}

TEST(Reprogram, NothingIsLostBetweenPhases) {
  int several = 0, copies = 0;
  for (std::uint32_t seed = 0; seed < 80; ++seed) {
    SCOPED_TRACE("network " + std::to_string(seed));
    const auto graph = random_graph(seed);
    arch::Arch machine = random_machine(seed);
    machine.mapping.replication = arch::Replication::none;
    const Network at_once = place_network(graph, machine);
    const Figures whole = simulate(at_once, 2);
    machine.mapping.oversize = arch::Oversize::reprogram;
    machine.mapping.replication = seed % 2 == 0 ? arch::Replication::balanced : arch::Replication::none;
    machine.chip.tiles = machine.chip.mesh_width = at_once.program.tiles_used * 2 / 3 + 1;
    std::optional<Network> network;
    try {
      network = place_network(graph, machine);
    } catch (const base::MappingError&) {
      continue;  // a layer larger than the chip
    }
    const Figures f = simulate(*network, 2);
    ASSERT_TRUE(f.count("total")) << f.begin()->first;
    std::int64_t stored = 0, cells = 0;
    for (const place::Stage& stage : network->program.stages) {
      if (stage.stored) stored += stage.pixels * stage.pixel_bytes;
    }
    for (const place::LayerPlacement& layer : network->program.layers) {
      cells += layer.written_cells;
      copies += layer.replicas > 1 ? 1 : 0;
    }
    EXPECT_EQ(f.at("flits_sent"), f.at("flits_delivered"));
    EXPECT_EQ(f.at("action.cell_write"), cells);
    std::int64_t codes = 0;
    for (const place::Programming& phase : network->program.phases) codes += phase.bytes;
    // Inputs that several phases take come in again.
    EXPECT_GE(f.at("action.chip_link_byte"), whole.at("action.chip_link_byte") + 2 * stored + codes);
    for (const char* same : {"action.input_register_write", "action.output_register_write",
                             "action.activation", "action.tile_output_register"})
      EXPECT_EQ(f.at(same), whole.at(same)) << same;
    EXPECT_GE(f.at("total"), f.at("programming"));
    EXPECT_EQ(simulate(*network, 2), f);
    several += network->program.phases.size() > 1 ? 1 : 0;
  }
  EXPECT_GT(several, 20);
  EXPECT_GT(copies, 2);
}

TEST(Reprogram, ALayerLargerThanTheChipIsNamed) {
  GraphBuilder g;
  const auto graph = g.output(g.linear(g.linear(g.input({1, 4}), 4), 100));
  const std::string message =
      testing_support::refusal<base::MappingError>([&] { return place_network(graph, one_ima()); });
  for (const char* part : {"fc1", "needs 7 IMAs", "1 IMAs (1 tiles)", "more_chips"})
    EXPECT_NE(message.find(part), std::string::npos) << message;
}

}  // namespace
}  // namespace bitline::timing_test
