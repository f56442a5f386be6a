// SPDX-License-Identifier: Apache-2.0
// Micro-networks that are each held up by another part of the chip. Machine and terms of the derivations:
// chip_timing_test.cpp; what a test changes, it names.
#include <gtest/gtest.h>

#include "mapper/place/traffic.h"
#include "tests/timing/chip_support.h"
#include "tests/unit/mapper/place/networks.h"

namespace bitline::timing_test {
namespace {

using base::Frequency;
using base::Time;
using place::testing::GraphBuilder;

std::shared_ptr<const graph::Graph> fully_connected(std::int64_t inputs, std::int64_t outputs) {
  GraphBuilder g;
  return g.output(g.linear(g.input({1, inputs}), outputs));
}

/// Three pixels of 8 channels to 4 channels.
std::shared_ptr<const graph::Graph> three_pixels() {
  GraphBuilder g;
  return g.output(g.conv(g.input({1, 8, 1, 3}), 4, 1, 1, 0));
}

/// A layer of 4 inputs and 4 outputs whose ADC takes 4 ns for a sample of 8 bits, and converts `bits`.
Network slow_adc(periphery::AdcKind kind, int bits) {
  arch::Arch machine = round_machine();
  machine.adc.kind = kind;
  machine.adc.rate = Frequency(2.5e8);
  Network network = place_network(fully_connected(4, 4), machine);
  auto sliced = std::make_shared<slice::SlicedLayer>(*network.layers[0].sliced);
  sliced->adc_bits = {{bits, bits}};
  network.layers[0].sliced = sliced;
  return network;
}

// Of all slow_adc: link 4, router 5, write 8, fill 8 + 2 + 2 = 12, reads from 20, first latch 30; 8 columns
// per read. 4 rows of 2-bit cells sum to at most 12, so 4 bits do not clip.

TEST(ChipParts, SarTakesATimePerBit) {
  // 8 bits: 8 x 4 = 32, so a step takes 40: last latch 30 + 280 = 310, converted 342, next edge 350,
  // + 10 + 10 = 370, drained 374, requantised 375, router 376, link 380.
  EXPECT_EQ(run(slow_adc(periphery::AdcKind::sar, 8)).at("total"), 380 * kNs);
  // 4 bits: 8 x 2 = 16, a step takes 20: last latch 170, converted 186, 190 + 20 = 210, then the same 10.
  const Figures f = run(slow_adc(periphery::AdcKind::sar, 4));
  EXPECT_EQ(f.at("total"), 220 * kNs);
  // The crossbar held each of its reads but the first for 10 more.
  EXPECT_EQ(f.at("stage.1.adc_wait"), 7 * 10 * kNs);
}

TEST(ChipParts, FlashTakesOneSampleWhateverTheBits) {
  EXPECT_EQ(run(slow_adc(periphery::AdcKind::flash, 8)).at("total"), 380 * kNs);
  EXPECT_EQ(run(slow_adc(periphery::AdcKind::flash, 4)).at("total"), 380 * kNs);
}

TEST(ChipParts, RampTakesATimePerLevel) {
  EXPECT_EQ(run(slow_adc(periphery::AdcKind::ramp, 8)).at("total"), 380 * kNs);
  // 4 bits: 4 x 16 / 256 = 0.25, 8 columns 2, a step takes 10: last latch 100, converted 102, 110 + 20 = 130,
  // then 10.
  const Figures f = run(slow_adc(periphery::AdcKind::ramp, 4));
  EXPECT_EQ(f.at("total"), 140 * kNs);
  EXPECT_EQ(f.at("stage.1.adc_wait"), 0);
}

TEST(ChipParts, TwoCrossbarsShareAnAdc) {
  // Link 20, router (5 flits) 25, write 32, fill (20 bytes, bus 10) 44, reads from 50. 16 and 4 rows in two
  // crossbars, 8 columns each. An ADC each: steps of 10, last latch 130, converted 138, 140 + 20 = 160,
  // drained 164, requantised 165, router 166, link 170.
  const Figures two = run(place_network(fully_connected(20, 4), round_machine()));
  EXPECT_EQ(two.at("total"), 170 * kNs);
  EXPECT_EQ(two.at("stage.1.adc_wait"), 0);
  // One ADC: 16 conversions, steps of 20, last latch 60 + 140 = 200, converted 216, 220 + 20 = 240, then 10.
  arch::Arch machine = round_machine();
  machine.adc.per_ima = 1;
  const Figures one = run(place_network(fully_connected(20, 4), machine));
  EXPECT_EQ(one.at("total"), 250 * kNs);
  EXPECT_EQ(one.at("stage.1.adc_wait"), 7 * 10 * kNs);
  // 16 of every 20 from the first latch on, and the last 16.
  EXPECT_EQ(one.at("use.adc.busy"), 8 * 16 * kNs);
}

TEST(ChipParts, BusBound) {
  arch::Arch machine = round_machine();
  machine.tile.bus.wires = 1;
  const Figures f = run(place_network(three_pixels(), machine));
  // Pixels 0 and 1 are in the buffer at 14 and 22. Fill 0 (64 bits): 14 .. 78, 80. Fill 1, asked for at 22:
  // 78
  // .. 142, 144; the eDRAM is kept for it at 78 .. 80, so pixel 2 (at 26) is written 80 .. 82, there at 84.
  EXPECT_EQ(f.at("stage.0.last_end"), 84 * kNs);
  // Latches 90 .. 160 and 170 .. 240. Fill 2, asked for at 160: 224, 226; reads from 240, latches 250 .. 320.
  // Results at 190: the bus is free at 224, drained 288. Results at 270: drained 352. Results at 350: 416.
  // Requantised 417, router 418, link 422.
  EXPECT_EQ(f.at("total"), 422 * kNs);
  EXPECT_EQ(f.at("use.bus.busy"), 6 * 64 * kNs);
  // Fill 1, drains 0, 1 and 2.
  EXPECT_EQ(f.at("stage.1.bus_wait"), ((78 - 22) + (224 - 190) + (288 - 270) + (352 - 350)) * kNs);
}

TEST(ChipParts, EdramOnItsOwnClock) {
  arch::Arch machine = round_machine();
  machine.tile.edram.clock = Frequency(5e7);
  const Figures f = run(place_network(three_pixels(), machine));
  // Out of the router at 10, 18, 26; written 2 cycles each from the edge at 20 on: 62, 102, 142. Fill 0,
  // asked for at 62: 140 .. 180, 182. Fill 1, at 102: 180 .. 220, 222. Latches 200 .. 270. Fill 2, at 270:
  // the bus at once, the eDRAM 280 .. 320, 322. Latches 280 .. 350, 360 .. 430; converted 438, 460, drained
  // 464, requantised 465, router 466, link 470.
  EXPECT_EQ(f.at("stage.0.last_end"), 142 * kNs);
  EXPECT_EQ(f.at("stage.1.bus_wait"), ((140 - 62) + (180 - 102)) * kNs);
  EXPECT_EQ(f.at("total"), 470 * kNs);
}

TEST(ChipParts, DigitalUnitBound) {
  arch::Arch machine = round_machine();
  machine.tile.activation = {.units = 1, .clock = Frequency(1e7), .latency = Time::from_ns(1)};
  GraphBuilder g;
  const Figures f = run(place_network(g.output(g.relu(g.conv(g.input({1, 8, 1, 3}), 4, 1, 1, 0))), machine));
  // First window: latches 30 .. 100, results 130, drained 134. Relu: 4 cycles of 100 from the edge at 200 on:
  // 601. The others are there at 214 and 294 and follow: the third 1400 + 1, requantised 1402, router 1403,
  // link 1407.
  EXPECT_EQ(f.at("stage.1.last_end"), 1403 * kNs);
  EXPECT_EQ(f.at("total"), 1407 * kNs);
  EXPECT_EQ(f.at("use.activation.busy"), 1200 * kNs);
  // Waits count from the edge that would have served them: 600 - 300 and 1000 - 300.
  EXPECT_EQ(f.at("use.activation.waited"), (300 + 700) * kNs);
}

TEST(ChipParts, NocBound) {
  arch::Arch machine = round_machine();
  machine.tile.imas = 1;
  machine.noc.flit_bits = 8;
  machine.noc.clock = Frequency(5e7);
  machine.noc.buffer_flits = 1;
  GraphBuilder g;
  const auto a = g.conv(g.input({1, 8, 1, 3}), 4, 1, 1, 0);
  const Figures f = run(place_network(g.output(g.conv(a, 4, 1, 1, 0)), machine));
  // Input: 8 flits of 20 through router 0, one pixel after another: offered at 8, 16, 24; flits leave 20 ..
  // 160, 180 .. 320, 340 .. 480; a cycle later out, written + 4: 184, 344, 504. Alone they would have left at
  // 180, 180 and 200.
  EXPECT_EQ(f.at("stage.0.last_end"), 504 * kNs);
  EXPECT_EQ(f.at("stage.0.noc_wait"), ((340 - 180) + (500 - 200)) * kNs);
  // First layer, window 2: fill 510, latches 520 .. 590, converted 598, 620, drained 624, requantised 625.
  // Its 4 flits leave router 0 every other cycle, when their place in router 1 is free again: 640, 680, 720,
  // 760; router 1 a cycle later each; out at 800, written 803. With room they would have taken 60 less.
  EXPECT_EQ(f.at("stage.1.last_end"), 803 * kNs);
  EXPECT_EQ(f.at("stage.1.noc_wait"), 3 * 60 * kNs);
  // Second layer: fill 807, latches 820 .. 890, 898, 920, drained 924, requantised 925. Back to router 0:
  // 940, 980, 1020, 1060; out of router 0 at 1100; link 1104.
  EXPECT_EQ(f.at("stage.2.noc_wait"), 3 * 60 * kNs);
  EXPECT_EQ(f.at("total"), 1104 * kNs);
}

TEST(ChipParts, ConcentratedMesh) {
  arch::Arch machine = round_machine();
  machine.noc.tiles_per_router = 4;
  GraphBuilder g;
  const auto hidden = g.relu(g.linear(g.input({1, 16}), 20));
  const Figures f = run(place_network(g.output(g.linear(hidden, 4)), machine));
  // As ChipTiming.TransferToAnotherTile, but through one router: 255 + 1 + 3 = 259, written 265.
  EXPECT_EQ(f.at("stage.1.last_end"), 265 * kNs);
  // Fill 277, reads from 280, latches .. 360, converted 368, 390, drained 394, requantised 395, router 396.
  EXPECT_EQ(f.at("total"), 400 * kNs);
  EXPECT_EQ(f.at("action.router_flit"), 4 + 4 + 1 + 1);
}

/// Four layers of 4 inputs and 4 outputs, each in a tile of its own.
Network chain_of_tiles(arch::Arch machine) {
  machine.tile.imas = 1;
  GraphBuilder g;
  auto x = g.input({1, 4});
  for (int i = 0; i < 4; ++i) x = g.linear(x, 4);
  return place_network(g.output(x), machine);
}

// Of all chain_of_tiles: link 4, router 5, written 8, fill 12, reads from 20, latches 30 .. 100, converted
// 108, results 130, drained 134, requantised 135. What a layer takes from there on: n routers n, write 3,
// fill 4, then reads from the next edge on, and 115 until it has requantised. One flit each.

TEST(ChipParts, ConcentrationOfOneTwoAndFour) {
  arch::Arch machine = round_machine();
  // A router each, tiles in two rows of two. From tile 0 to 1 two routers: 137, 140, 144, reads 150, 265.
  // From 1 to 2, at the beginning of the next row, three: 268, 271, 275, reads 280, 395. From 2 to 3 two:
  // 397, 400, 404, reads 410, 525. From 3 to the link three: 528, link 532.
  const Figures one = run(chain_of_tiles(machine));
  EXPECT_EQ(one.at("total"), 532 * kNs);
  EXPECT_EQ(one.at("action.router_flit"), 1 + 2 + 3 + 2 + 3);
  // The two tiles of a row share a router: 136, 139, 143, reads 150, 265; two routers 267, 270, 274, reads
  // 280, 395; one 396, 399, 403, reads 410, 525; two 527, link 531.
  machine.noc.tiles_per_router = 2;
  const Figures two = run(chain_of_tiles(machine));
  EXPECT_EQ(two.at("total"), 531 * kNs);
  EXPECT_EQ(two.at("action.router_flit"), 1 + 1 + 2 + 1 + 2);
  // One router: 136 ... 265, 266 ... 395, 396 ... 525, 526, link 530.
  machine.noc.tiles_per_router = 4;
  const Figures four = run(chain_of_tiles(machine));
  EXPECT_EQ(four.at("total"), 530 * kNs);
  EXPECT_EQ(four.at("action.router_flit"), 1 + 1 + 1 + 1 + 1);
}

TEST(ChipParts, PlacementsOfAChain) {
  arch::Arch machine = round_machine();
  // In rows: as ConcentrationOfOneTwoAndFour, 532. As a snake through tiles 0, 1, 3, 2: two routers to each
  // next tile, 137 ... 265, 267 ... 395, 397 ... 525, and two from tile 2 to the link: 527, 531.
  for (const auto placement : {arch::Placement::snake, arch::Placement::annealed}) {
    machine.mapping.placement = placement;
    const Network network = chain_of_tiles(machine);
    const Figures f = run(network);
    EXPECT_EQ(f.at("total"), 531 * kNs);
    EXPECT_EQ(f.at("action.router_flit"), 1 + 2 + 2 + 2 + 2);
    // Five times 4 bytes, four of them over a link between routers.
    EXPECT_EQ(place::noc_traffic(network.program, machine).bytes, 20);
    EXPECT_EQ(place::noc_traffic(network.program, machine).hop_bytes, 16);
  }
}

TEST(ChipParts, StridedConvolution) {
  GraphBuilder g;
  const Figures f = run(place_network(g.output(g.conv(g.input({1, 1, 5, 5}), 4, 3, 2, 1)), round_machine()));
  // Pixel p is in the buffer at p + 5. The first of 3 x 3 windows needs pixel (1,1), the seventh: 11.
  EXPECT_EQ(f.at("stage.1.first_start"), 11 * kNs);
  // The write of pixel 9 is asked for at 11 too and goes first: fill (9 bytes, bus 5) 12 + 5 + 2 = 19.
  // Latches 30 .. 100, then 80 a window: the ninth 740, converted 748, 770, drained 774, requantised 775,
  // router 776, link 780.
  EXPECT_EQ(f.at("total"), 780 * kNs);
  EXPECT_EQ(f.at("stage.1.windows"), 9);
}

TEST(ChipParts, MaxPool) {
  GraphBuilder g;
  const auto a = g.conv(g.input({1, 4, 2, 2}), 4, 1, 1, 0);
  const Figures f = run(place_network(g.output(g.max_pool(a, 2, 2)), round_machine()));
  // As in ChipTiming.Residual the convolution's pixels are written at 138 + 80 w, the fourth at 378.
  EXPECT_EQ(f.at("stage.2.first_start"), 378 * kNs);
  // Four pixels of 4 bytes 382 + 2 = 384, 16 elements 400 + 1, requantised 402, router 403, link 407.
  EXPECT_EQ(f.at("total"), 407 * kNs);
  EXPECT_EQ(f.at("stage.2.pooling"), 16);
}

TEST(ChipParts, Concat) {
  GraphBuilder g;
  const auto x = g.input({1, 4, 1, 2});
  const auto a = g.conv(x, 4, 1, 1, 0);
  const Figures f = run(place_network(g.output(g.concat(a, g.conv(x, 4, 1, 1, 0))), round_machine()));
  // Pixel 0 leaves the link at 4, the router at 5 and (to the second convolution's buffer) 6; written 8
  // and 9.
  EXPECT_EQ(f.at("stage.1.first_start"), 8 * kNs);
  EXPECT_EQ(f.at("stage.2.first_start"), 9 * kNs);
  // Fills end 12 and 14 (the bus is taken until 10): both read from 20, results at 130. Drained 134 and 138,
  // requantised 135 and 139, written 138 and 142.
  EXPECT_EQ(f.at("stage.3.first_start"), 142 * kNs);
  // Second pixel: 222. Reads 4 + 4 bytes 226, requantises 8 elements 228, router (2 flits) 230, link 238.
  EXPECT_EQ(f.at("total"), 238 * kNs);
}

TEST(ChipParts, BatchOfFour) {
  const Figures f = run(place_network(fully_connected(8, 4), round_machine()), 4);
  // The first as ChipTiming.OneFullyConnectedLayer without relu: 130, drained 134, 135, router 136, link 140.
  // The crossbars take 80 for an image, more than the link (8 + 4).
  for (int image = 0; image < 4; ++image) {
    EXPECT_EQ(f.at("image_end." + std::to_string(image)), (140 + 80 * image) * kNs);
  }
}

TEST(ChipParts, HalfTheRowsAtATime) {
  arch::Arch machine = round_machine();
  machine.crossbar.active_rows = 8;
  // Link 16, router 20, write 26, fill (bus 8) 36, reads from 40: 2 phases x 8 chunks, latches 50 .. 200,
  // converted 208, 230, drained 234, requantised 235, router 236, link 240.
  EXPECT_EQ(run(place_network(fully_connected(16, 4), machine)).at("total"), 240 * kNs);
}

TEST(ChipParts, TwoBitDac) {
  arch::Arch machine = round_machine();
  machine.dac.bits = 2;
  // As OneFullyConnectedLayer until reads from 20; 4 chunks: latches 30 .. 60, converted 68, 90, drained 94,
  // 95, router 96, link 100.
  EXPECT_EQ(run(place_network(fully_connected(8, 4), machine)).at("total"), 100 * kNs);
}

TEST(ChipParts, ReadsAndSampleHoldOffTheClock) {
  arch::Arch machine = round_machine();
  machine.crossbar.read_latency = Time::from_ns(25);
  machine.sample_hold.latency = Time::from_ns(4);
  // Reads from 20: latch at the edge after 45, 50, and every 30: 260. Held 264, converted 272, 280 + 20 =
  // 300, drained 304, 305, router 306, link 310.
  EXPECT_EQ(run(place_network(fully_connected(8, 4), machine)).at("total"), 310 * kNs);
}

}  // namespace
}  // namespace bitline::timing_test
