// SPDX-License-Identifier: Apache-2.0
// Whole chips, timed by hand. Machine: round_machine(). In the derivations, in ns:
//   link      1 byte per ns
//   router    1 for the head, then 1 per further flit (32 bits), per router
//   eDRAM     1 per 4 bytes, then 2
//   fill      max(1 per 4 bytes, bus: 1 per 2 bytes), then 2
//   MVM       reads start on the next edge of 10; the first latch 10 later, 7 more steps of
//             max(10, conversions of 1 ns per column and ADC) rounded up to 10; conversions; next edge of 10;
//             10 shift-add; 10 output register
//   drain     1 per result (16 bits over 16 wires)
//   join      results / 2 per extra part, then 3
//   relu      elements / 4, then 1;  requantise elements / 4;  add elements / 2, then 1;  pool elements, then
//   1
#include <gtest/gtest.h>

#include "tests/timing/chip_support.h"
#include "tests/unit/mapper/place/networks.h"

namespace bitline::timing_test {
namespace {

using place::testing::GraphBuilder;

TEST(ChipTiming, OneFullyConnectedLayer) {
  GraphBuilder g;
  const Figures f = run(place_network(g.output(g.relu(g.linear(g.input({1, 8}), 4))), round_machine()));
  // 8 bytes over the link: 8. Router, 2 flits: 8 + 1 + 1 = 10. Write: 10 + 2 + 2 = 14; the window opens.
  EXPECT_EQ(f.at("stage.0.last_end"), 14 * kNs);
  EXPECT_EQ(f.at("stage.1.first_start"), 14 * kNs);
  // Fill: 14 + max(2, 4) + 2 = 20. Latches 30 .. 100 (4 outputs x 2 slices = 8 columns: 8 < 10). Converted
  // 108. Shift-add 110 + 10, register + 10 = 130. Drain 134. Relu 134 + 1 + 1 = 136, requantise 137. Router
  // 138.
  EXPECT_EQ(f.at("stage.1.last_end"), 138 * kNs);
  EXPECT_EQ(f.at("stage.1.busy"), (100 - 14) * kNs);
  // Link, 4 bytes: 142.
  EXPECT_EQ(f.at("total"), 142 * kNs);
}

TEST(ChipTiming, TwoPipelinedLayers) {
  GraphBuilder g;
  const auto a = g.conv(g.input({1, 8, 1, 3}), 4, 1, 1, 0);
  const Figures f = run(place_network(g.output(g.conv(a, 4, 1, 1, 0)), round_machine()));
  // Pixel p is in the buffer at 8 (p+1) + 2 + 4: 14, 22, 30.
  EXPECT_EQ(f.at("stage.0.last_end"), 30 * kNs);
  // First layer: fills end 20, 28 and, when the first vector is latched (100), 106. Latches 30 .. 100, 110 ..
  // 180, 190 .. 260. Results 130, 210, 290; drained + 4, requantised + 1, written + 3: 138, 218, 298.
  EXPECT_EQ(f.at("stage.1.last_end"), 298 * kNs);
  // Second layer: fills of 4 bytes end 142, 222, 302, reads start 150, 230, 310, last latches 230, 310, 390.
  EXPECT_EQ(f.at("stage.2.first_start"), 138 * kNs);
  EXPECT_EQ(f.at("stage.2.busy"), (390 - 138) * kNs);
  // It is never idle: a new pixel comes every 80, which is what a window takes.
  EXPECT_EQ(f.at("stage.2.input_stall"), 0);
  // Its last window: converted 398, 400 + 10 + 10 = 420, drained 424, requantised 425, router 426, link 430.
  EXPECT_EQ(f.at("total"), 430 * kNs);
}

TEST(ChipTiming, FullBufferHoldsTheProducer) {
  GraphBuilder g;
  const auto a = g.conv(g.input({1, 8, 1, 3}), 4, 1, 1, 0);
  Network network = place_network(g.output(g.conv(a, 4, 1, 1, 0)), round_machine());
  network.program.edges[1].capacity = 1;
  const Figures f = run(network);
  // Window 1 of the first layer opens when the second has taken pixel 0 (fill end 142): fill 148, reads from
  // 150, last latch 230, results 260, in the buffer 268. Window 2 opens at that one's fill end, 272: fill
  // 278, reads from 280, last latch 360, results 390, in the buffer 398. Idle for want of room: 100 .. 142
  // and 230 .. 272.
  EXPECT_EQ(f.at("stage.1.output_stall"), (42 + 42) * kNs);
  EXPECT_EQ(f.at("stage.1.input_stall"), 0);
  EXPECT_EQ(f.at("stage.1.last_end"), 398 * kNs);
  // Second layer: last latches 230 and 360, then idle until 268 and 398.
  EXPECT_EQ(f.at("stage.2.input_stall"), (38 + 38) * kNs);
  EXPECT_EQ(f.at("stage.2.output_stall"), 0);
  // Its last window: fill 402, reads from 410, last latch 490, converted 498, 520, drained 524, 525, 526,
  // link 530.
  EXPECT_EQ(f.at("total"), 530 * kNs);
}

TEST(ChipTiming, Convolution3x3) {
  GraphBuilder g;
  const Figures f = run(place_network(g.output(g.conv(g.input({1, 1, 3, 3}), 4, 3, 1, 1)), round_machine()));
  // Pixel p: link p + 1, router + 1, write + 1 + 2 = p + 5. The first window needs pixel (1,1), the fifth: 9.
  EXPECT_EQ(f.at("stage.1.first_start"), 9 * kNs);
  // At 9 the write of pixel 7 is asked for too and goes first: fill (9 bytes, bus 5) 10 + 5 + 2 = 17. The
  // write of pixel 8 waits for the eDRAM until 13: 13 + 1 + 2 = 16.
  EXPECT_EQ(f.at("stage.0.last_end"), 16 * kNs);
  // Reads from 20, last latches 100 + 80 w; the ninth window: 740, converted 748, 750 + 10 + 10 = 770,
  // drained 774, requantised 775, router 776, link 780.
  EXPECT_EQ(f.at("stage.1.busy"), (740 - 9) * kNs);
  EXPECT_EQ(f.at("total"), 780 * kNs);
}

TEST(ChipTiming, RowBlocksInTwoImasMeetInTheTile) {
  GraphBuilder g;
  const Figures f = run(place_network(g.output(g.linear(g.input({1, 40}), 8)), round_machine()));
  // Link 40, router (10 flits) 50, write 62. Rows 0-31 lie in the first IMA (2 crossbars), 32-39 in the
  // second.
  EXPECT_EQ(f.at("stage.1.first_start"), 62 * kNs);
  // Fill 1 (32 bytes, bus 16): 62 .. 78, 80. Fill 2 (8 bytes, bus 4) waits for the bus: 78 .. 82, 84.
  // 16 columns per crossbar and ADC: steps of 20. First IMA: reads 80, latches 90 .. 230, converted 246,
  // 250 + 20 = 270, drained (8 results) 278. Second: reads 90, latches 100 .. 240, converted 256, 280,
  // drained 288. Join: 8 additions by 2 units 292, + 3 = 295. Requantise 297. Router (2 flits) 299.
  EXPECT_EQ(f.at("stage.1.last_end"), 299 * kNs);
  EXPECT_EQ(f.at("action.tile_shift_add"), 8);
  EXPECT_EQ(f.at("total"), (299 + 8) * kNs);
}

TEST(ChipTiming, Residual) {
  GraphBuilder g;
  const auto x = g.input({1, 4, 2, 2});
  const Figures f = run(place_network(g.output(g.add(g.conv(x, 4, 1, 1, 0), x)), round_machine()));
  // Pixel 0 leaves the link at 4 and goes to two buffers of tile 0: through its port at 5 and 6, written 8
  // and 9.
  EXPECT_EQ(f.at("stage.1.first_start"), 8 * kNs);
  // Fill 8 + 2 + 2 = 12, reads 20, last latch 100, results 130, drained 134, requantised 135, written 138.
  EXPECT_EQ(f.at("stage.2.first_start"), 138 * kNs);
  // Add: reads 4 + 4 bytes 142, adds 142 + 2 + 1 = 145, requantises 146, router 147. Then idle until the
  // next.
  EXPECT_EQ(f.at("stage.3.first_start"), 147 * kNs);
  EXPECT_EQ(f.at("stage.2.input_stall"), 3 * (80 - (146 - 138)) * kNs);
  // The fourth window: last latch 340, results 370, written 378, added 386, router 387, link 391.
  EXPECT_EQ(f.at("total"), 391 * kNs);
}

TEST(ChipTiming, TransferToAnotherTile) {
  GraphBuilder g;
  const auto hidden = g.relu(g.linear(g.input({1, 16}), 20));
  const Figures f = run(place_network(g.output(g.linear(hidden, 4)), round_machine()));
  // Link 16, router (4 flits) 20, write 26. Outputs 0-15 in IMA 0 (2 crossbars), 16-19 in IMA 1.
  // IMA 0: fill 26 .. 34, 36; reads 40; 16 columns: latches 50 .. 190; converted 206; results 230; drained
  // 246.
  //   Relu (16) 251, requantise 255, to tile 1: 2 routers, 4 flits: 255 + 2 + 3 = 260; written 260 + 4 + 2 =
  //   266.
  // IMA 1: fill 34 .. 42, 44; reads 50; 8 columns: latches 60 .. 130; results 160; long done.
  EXPECT_EQ(f.at("stage.1.last_end"), 266 * kNs);
  EXPECT_EQ(f.at("stage.2.first_start"), 266 * kNs);
  // In tile 1: fill (20 bytes, bus 10) 278; reads 280; last latch 360; converted 368; results 390; drained
  // 394; requantised 395; two routers 397; link 401.
  EXPECT_EQ(f.at("stage.2.last_end"), 397 * kNs);
  EXPECT_EQ(f.at("total"), 401 * kNs);
  // Flits x routers: input 4 x 1; 4 x 2 and 1 x 2 to tile 1; output 1 x 2.
  EXPECT_EQ(f.at("action.router_flit"), 4 + 8 + 2 + 2);
}

TEST(ChipTiming, GlobalPoolAccumulatesAndTheNextImageFollows) {
  GraphBuilder g;
  const auto pooled = g.global_pool(g.conv(g.input({1, 2, 4, 4}), 4, 3, 1, 1));
  const Figures f = run(place_network(g.output(g.linear(g.flatten(pooled), 3)), round_machine()), 2);
  // Pixel p: link 2 (p+1), router + 1, write + 3. The first window needs pixel (1,1), the sixth: 12 + 4 = 16.
  EXPECT_EQ(f.at("stage.1.first_start"), 16 * kNs);
  // Fill (18 bytes, bus 9) 27, reads 30, last latches 110 + 80 w; the 16th: 1310, converted 1318, results
  // 1340, drained 1344, requantised 1345, written 1348. Pool: read 1 + 2, 4 elements + 1: 1356; its window
  // opens.
  EXPECT_EQ(f.at("stage.2.first_start"), 1356 * kNs);
  // Requantise 1357, written 1360. Fill 1364, reads 1370, last latch 1450, converted (6 columns) 1456, 1480,
  // drained (3) 1483, requantised 1484, router 1485, link 1488.
  EXPECT_EQ(f.at("image_end.0"), 1488 * kNs);
  // The convolution is the bottleneck: the next image ends 16 windows of 80 later.
  EXPECT_EQ(f.at("image_end.1"), (1488 + 16 * 80) * kNs);
}

/// Lets a digital stage run in tiles 0 and 1, with half of the channels each.
void run_in_two_tiles(Network& network, std::size_t stage, std::int64_t bytes) {
  network.program.stages[stage].tiles = {0, 1};
  for (const place::EdgeId e : network.program.stages[stage].inputs) {
    network.program.edges[static_cast<std::size_t>(e)].deliveries = {{0, bytes}, {1, bytes}};
  }
}

TEST(ChipTiming, ResidualInTwoTiles) {
  GraphBuilder g;
  const auto x = g.input({1, 4, 2, 2});
  Network network = place_network(g.output(g.add(g.conv(x, 4, 1, 1, 0), x)), round_machine());
  run_in_two_tiles(network, 2, 2);
  const Figures f = run(network);
  // As in Residual until the convolution's pixel is requantised at 135. Half of it is written in tile 0 by
  // 138, the other half passes two routers (137) and is written in tile 1 by 140: the sum's window opens.
  EXPECT_EQ(f.at("stage.2.first_start"), 140 * kNs);
  // In both tiles: read 2 + 2 bytes 143, adds 143 + 1 + 1 = 145, requantises 146. Out of tile 0 by 147, of
  // tile 1 by two routers: 148. The link's window opens.
  EXPECT_EQ(f.at("stage.3.first_start"), 148 * kNs);
  // The fourth window, 3 * 80 later: 388, link 392.
  EXPECT_EQ(f.at("total"), 392 * kNs);
}

TEST(ChipTiming, GlobalPoolInTwoTiles) {
  GraphBuilder g;
  const auto pooled = g.global_pool(g.conv(g.input({1, 2, 4, 4}), 4, 3, 1, 1));
  Network network = place_network(g.output(g.linear(g.flatten(pooled), 3)), round_machine());
  run_in_two_tiles(network, 2, 2);
  const Figures f = run(network);
  // As in GlobalPoolAccumulates until the last pixel is requantised at 1345. Tile 0's half is written by
  // 1348, tile 1's by 1347 + 1 + 2 = 1350. Both: read 1 + 2, accumulate 2 elements + 1: 1356.
  EXPECT_EQ(f.at("stage.2.first_start"), 1356 * kNs);
  // Requantise 1357. Written in tile 0 by 1360, from tile 1 by two routers 1359, 1362.
  EXPECT_EQ(f.at("stage.3.first_start"), 1362 * kNs);
  // Fill 1366, reads from 1370 as with one tile.
  EXPECT_EQ(f.at("total"), 1488 * kNs);
}

TEST(ChipTiming, IsaacTilePipelineTakes22Cycles) {
  arch::Arch isaac = arch::load_arch(std::string(BITLINE_SOURCE_DIR) + "/configs/isaac.yaml").arch;
  GraphBuilder g;
  const auto hidden = g.relu(g.linear(g.input({1, 128}), 16));
  const Network network = place_network(g.output(g.linear(hidden, 16)), isaac);
  const Figures f = simulate(network);
  constexpr std::int64_t kCycle = 100 * kNs;
  const auto cycle_of = [&](std::int64_t fs) { return fs / kCycle; };
  // Cycle 1 is the one in which the window opens: 256 bytes from the eDRAM into the input register take 6.7 +
  // 40 ns.
  const std::int64_t first = cycle_of(f.at("stage.1.first_start"));
  // Crossbar in cycles 2-17: the last latch is the edge that ends cycle 17.
  EXPECT_EQ(f.at("stage.1.first_start") + f.at("stage.1.busy"), (first + 17) * kCycle);
  // ADC 18, shift-add 19, output register 20, transfer and sigmoid unit in 21, and the eDRAM write ends
  // in 22.
  EXPECT_EQ(cycle_of(f.at("stage.1.last_end")) - first + 1, 22);
  EXPECT_EQ(f.at("stage.2.first_start"), f.at("stage.1.last_end"));
}

}  // namespace
}  // namespace bitline::timing_test
