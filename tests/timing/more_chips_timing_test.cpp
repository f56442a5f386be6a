// SPDX-License-Identifier: Apache-2.0
// Networks spread over several chips. Machine and terms of the derivations: chip_timing_test.cpp; the link of
// a chip moves a byte per ns unless said otherwise.
#include <gtest/gtest.h>

#include "mapper/place/traffic.h"
#include "models/base/errors.h"
#include "tests/timing/chip_support.h"
#include "tests/timing/random_chip.h"
#include "tests/unit/mapper/place/networks.h"

namespace bitline::timing_test {
namespace {

using base::Frequency;
using place::testing::GraphBuilder;

/// Chips of `tiles` tiles of one IMA.
arch::Arch small_chips(int tiles) {
  arch::Arch machine = round_machine();
  machine.tile.imas = 1;
  machine.chip.tiles = tiles;
  machine.chip.mesh_width = tiles;
  machine.mapping.oversize = arch::Oversize::more_chips;
  return machine;
}

TEST(MoreChips, ALayerOnEachOfTwoChips) {
  GraphBuilder g;
  const Network network = place_network(g.output(g.linear(g.linear(g.input({1, 4}), 4), 4)), small_chips(1));
  EXPECT_EQ(network.program.chips, 2);
  EXPECT_EQ(network.program.crossbars_available, 2 * 2);
  const Figures f = run(network);
  // Link 4, router 5, written 8, fill 12, reads from 20, latches 30 .. 100, converted 108, results 130,
  // drained 134, requantised 135. Out of tile 0: router 136, link of chip 0 140, link of chip 1 144, router
  // of its tile 0 145, written 148.
  EXPECT_EQ(f.at("stage.1.last_end"), 148 * kNs);
  // Fill 152, reads from 160, latches 170 .. 240, converted 248, results 270, drained 274, requantised 275,
  // router 276, link of chip 1 280.
  EXPECT_EQ(f.at("total"), 280 * kNs);
  // 4 bytes in, 4 over each end of the way between the chips, 4 out; a flit through four routers.
  EXPECT_EQ(f.at("action.chip_link_byte"), 16);
  EXPECT_EQ(f.at("action.router_flit"), 4);
  EXPECT_EQ(f.at("use.chip_link.instances"), 2);
  EXPECT_EQ(f.at("use.chip_link.busy"), 16 * kNs);
  EXPECT_EQ(place::noc_traffic(network.program, network.arch).between_chips, 4);
}

TEST(MoreChips, ChipsContendForTheirLinks) {
  // Three pixels of 8 channels to 4 channels, and on the other chip 4 to 4; 10 ns per byte.
  GraphBuilder g;
  const auto x = g.conv(g.input({1, 8, 1, 3}), 4, 1, 1, 0);
  arch::Arch machine = small_chips(1);
  machine.chip.link.bytes_per_second = Frequency(1e8);
  const Figures f = run(place_network(g.output(g.conv(x, 4, 1, 1, 0)), machine));
  // Inputs over link 0: 80, 160, 240; two flits 82, written 86, 166, 246. First layer: fills end 92, 172,
  // 252; latches 110 .. 180, 190 .. 260, 270 .. 340; results 210, 290, 370; drained + 4, requantised + 1,
  // router + 1: 216, 296, 376. Link 0 is busy with the third input until 240: 280, 336, 416. Link 1: 320,
  // 376, 456; router and write + 4.
  EXPECT_EQ(f.at("stage.1.noc_wait"), (240 - 216) * kNs);
  EXPECT_EQ(f.at("stage.1.last_end"), 460 * kNs);
  EXPECT_EQ(f.at("stage.2.first_start"), 324 * kNs);
  // Second layer: fill 328, latches 340 .. 410, 420 .. 490, 500 .. 570; the last converted 578, results 600,
  // drained 604, requantised 605, router 606, link 646.
  EXPECT_EQ(f.at("total"), 646 * kNs);
  // Link 0: three inputs of 80 and three packets of 40; link 1: three packets and three outputs of 40.
  EXPECT_EQ(f.at("use.chip_link.busy"), (3 * 80 + 9 * 40) * kNs);
  EXPECT_EQ(f.at("use.chip_link.busiest"), (3 * 80 + 3 * 40) * kNs);
}

TEST(MoreChips, PartialSumsMeetAcrossChips) {
  // 40 rows: two crossbars in the IMA of chip 0, one in that of chip 1; the join is on chip 0.
  GraphBuilder g;
  const Network network = place_network(g.output(g.linear(g.input({1, 40}), 8)), small_chips(1));
  ASSERT_EQ(network.program.chips, 2);
  const Figures f = run(network);
  // Link 0: 40. To tile 0: 32 of them, 8 flits 48, written 48 + 8 + 2 = 58. To chip 1: 8 more over link 0,
  // 48, and link 1, 56; two flits 58, written 58 + 2 + 2 = 62: the window opens.
  EXPECT_EQ(f.at("stage.1.first_start"), 62 * kNs);
  // Chip 0: fill (32 bytes, bus 16) 80, reads from 80; 16 columns, latches 90 .. 230, converted 246, results
  // 270, drained 278. Chip 1: fill (8 bytes, bus 4) 68, reads from 70, latches 80 .. 220, converted 236,
  // results 260, drained 268; 8 sums of 16 bits: 4 flits 272, link 1 288, link 0 304, 4 flits 308.
  // Join: 8 additions by 2 units 312, + 3 = 315. Requantise 317. Router (2 flits) 319, link 327.
  EXPECT_EQ(f.at("stage.1.last_end"), 319 * kNs);
  EXPECT_EQ(f.at("total"), 327 * kNs);
  EXPECT_EQ(f.at("action.chip_link_byte"), 40 + 2 * 8 + 2 * 16 + 8);
  EXPECT_EQ(place::noc_traffic(network.program, network.arch).between_chips, 8 + 16);
}

TEST(MoreChips, WhatFitsOnOneChipStaysThere) {
  GraphBuilder g;
  const auto graph = g.output(g.linear(g.relu(g.linear(g.input({1, 16}), 20)), 4));
  arch::Arch machine = round_machine();
  const Figures one = simulate(place_network(graph, machine));
  machine.mapping.oversize = arch::Oversize::more_chips;
  const Network network = place_network(graph, machine);
  EXPECT_EQ(network.program.chips, 1);
  EXPECT_EQ(simulate(network), one);
}

TEST(MoreChips, NothingIsLostBetweenChips) {
  int several = 0;
  for (std::uint32_t seed = 0; seed < 80; ++seed) {
    SCOPED_TRACE("network " + std::to_string(seed));
    const auto graph = random_graph(seed);
    arch::Arch machine = random_machine(seed);
    machine.mapping.replication = arch::Replication::none;
    const Figures one = simulate(place_network(graph, machine), 2);
    machine.mapping.oversize = arch::Oversize::more_chips;
    machine.chip.tiles = 2;
    machine.chip.mesh_width = 2;
    machine.noc.flit_bits = 8;  // a flit is a byte
    const Network network = place_network(graph, machine);
    const Figures f = simulate(network, 2);
    ASSERT_TRUE(f.count("total")) << f.begin()->first;
    const place::NocTraffic traffic = place::noc_traffic(network.program, machine);
    EXPECT_EQ(f.at("flits_sent"), 2 * traffic.bytes);
    EXPECT_EQ(f.at("action.router_flit") - f.at("flits_sent"), 2 * traffic.hop_bytes);
    EXPECT_EQ(f.at("action.chip_link_byte"), one.at("action.chip_link_byte") + 2 * 2 * traffic.between_chips);
    for (const char* same : {"action.input_register_write", "action.output_register_write",
                             "action.activation", "action.requantise", "use.ima.uses"})
      EXPECT_EQ(f.at(same), one.at(same)) << same;
    EXPECT_LE(f.at("use.chip_link.busiest"), f.at("end"));
    EXPECT_EQ(simulate(network, 2), f);
    several += network.program.chips > 1 ? 1 : 0;
  }
  EXPECT_GT(several, 40);
}

TEST(MoreChips, ABufferLargerThanATileIsNoMatterOfChips) {
  GraphBuilder g;
  arch::Arch machine = small_chips(1);
  machine.tile.edram.capacity_bytes = 8;
  const auto graph = g.output(g.conv(g.input({1, 16, 8, 8}), 4, 3, 1, 1));
  EXPECT_THROW((void)place_network(graph, machine), base::MappingError);
}

}  // namespace
}  // namespace bitline::timing_test
