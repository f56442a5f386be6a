// SPDX-License-Identifier: Apache-2.0
// Layers with several copies. Machine and terms of the derivations: chip_timing_test.cpp.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <optional>

#include "models/base/errors.h"
#include "sim/balanced.h"
#include "tests/timing/chip_support.h"
#include "tests/timing/random_chip.h"
#include "tests/unit/mapper/place/networks.h"

namespace bitline::timing_test {
namespace {

using place::testing::GraphBuilder;
using Graph = std::shared_ptr<const graph::Graph>;

arch::Arch machine_with(std::vector<int> replicas) {
  arch::Arch machine = round_machine();
  machine.mapping.replication = arch::Replication::per_layer;
  machine.mapping.replicas = std::move(replicas);
  return machine;
}

TEST(ReplicaTiming, TwoReplicasTakeTurns) {
  GraphBuilder g;
  const auto graph = g.output(g.conv(g.input({1, 8, 1, 3}), 4, 1, 1, 0));
  const Figures f = run(place_network(graph, machine_with({2})));
  // Pixel p is in the buffer at 8 (p+1) + 2 + 4: 14, 22, 30, and its window opens.
  EXPECT_EQ(f.at("stage.1.first_start"), 14 * kNs);
  // First copy, window 0: fill 14 + 4 + 2 = 20, latches 30 .. 100, converted 108, 110 + 10 + 10 = 130,
  // drained 134,
  //   requantised 135, router 136, link 140.
  // Second copy, window 1: fill 28, reads from 30, latches 40 .. 110, results 140, drained 144, 145, 146,
  // link 150. First copy, window 2, in its second buffer since 36: latches 110 .. 180, results 210, drained
  // 214, 215, 216,
  //   link 220. (With one copy this is the second window, and the third ends at 300.)
  EXPECT_EQ(f.at("stage.1.busy"), (180 - 14) * kNs);
  EXPECT_EQ(f.at("total"), 220 * kNs);
  EXPECT_EQ(simulate(place_network(graph, round_machine())).at("total"), 300 * kNs);
}

TEST(ReplicaTiming, TheConsumerSeesPixelsInRasterOrder) {
  GraphBuilder g;
  const auto a = g.conv(g.input({1, 8, 1, 3}), 4, 1, 1, 0);
  const Figures f = run(place_network(g.output(g.conv(a, 4, 1, 1, 0)), machine_with({2, 1})));
  // The copies fill tile 0, so the second layer is in tile 1. Requantised at 135, 145, 215 (above); two
  // routers 2, write 1 + 2: in its buffer at 140, 150, 220.
  EXPECT_EQ(f.at("stage.2.first_start"), 140 * kNs);
  EXPECT_EQ(f.at("stage.1.last_end"), 220 * kNs);
  // Fill of 4 bytes 144, reads from 150, latches 160 .. 230; 240 .. 310; the third, there since 226: 320 ..
  // 390.
  EXPECT_EQ(f.at("stage.2.busy"), (390 - 140) * kNs);
  // Converted 398, 400 + 10 + 10 = 420, drained 424, requantised 425, two routers 427, link 431.
  EXPECT_EQ(f.at("total"), 431 * kNs);
}

TEST(ReplicaTiming, CopiesDoTheSameWorkInTheSameTile) {
  GraphBuilder g;
  const auto a = g.conv(g.input({1, 2, 6, 6}), 8, 3, 1, 1);
  const auto graph = g.output(g.global_pool(g.conv(a, 4, 3, 2, 1)));
  arch::Arch one = round_machine();
  one.tile.imas = 32;
  const Figures single = run(place_network(graph, one), 2);
  arch::Arch more = machine_with({3, 2});
  more.tile.imas = 32;
  const Figures copies = run(place_network(graph, more), 2);
  for (const auto& [name, value] : single) {
    if (name.rfind("action.", 0) == 0) {
      EXPECT_EQ(copies.at(name), value) << name;
    }
  }
  EXPECT_LT(copies.at("total"), single.at("total"));
  EXPECT_GT(copies.at("use.ima.instances"), single.at("use.ima.instances"));
}

std::vector<Graph> networks() {
  std::vector<Graph> graphs;
  GraphBuilder chain;
  auto x = chain.conv(chain.input({1, 2, 12, 12}), 8, 3, 1, 1);
  graphs.push_back(chain.output(chain.conv(chain.relu(chain.conv(x, 8, 3, 2, 1)), 16, 3, 2, 1)));
  GraphBuilder residual;
  x = residual.relu(residual.conv(residual.input({1, 3, 10, 10}), 8, 3, 1, 1));
  const auto y = residual.conv(residual.conv(x, 8, 3, 1, 1), 8, 3, 1, 1);
  graphs.push_back(
      residual.output(residual.linear(residual.flatten(residual.global_pool(residual.add(x, y))), 4)));
  GraphBuilder grouped;
  x = grouped.conv(grouped.input({1, 4, 9, 7}), 8, 3, 1, 1);
  graphs.push_back(grouped.output(grouped.conv(grouped.conv(x, 8, 3, 2, 1, 8), 24, 1, 1, 0)));
  return graphs;
}

/// The same network, with the copies that the rule gives it, or that are left of them.
Network with_program(Network network, bool timed) {
  network.arch.mapping.replication = arch::Replication::balanced;
  std::vector<place::LayerInput> layers;
  for (std::size_t l = 0; l < network.layers.size(); ++l)
    layers.push_back({network.program.layers[l].node, network.layers[l].sliced});
  const Graph graph = network.program.graph;
  network.program = timed ? sim::place_balanced(graph, network.arch, layers, network.layers)
                          : place::place(graph, network.arch, layers);
  return network;
}

/// The end of an image alone, and of each of several.
std::vector<std::int64_t> ends(const Network& network, std::int64_t images) {
  std::vector<std::int64_t> times{simulate(network, 1).at("total")};
  const Figures f = simulate(network, images);
  for (std::int64_t i = 0; i < images; ++i) times.push_back(f.at("image_end." + std::to_string(i)));
  return times;
}

bool any_slower(const std::vector<std::int64_t>& a, const std::vector<std::int64_t>& b) {
  return !std::equal(a.begin(), a.end(), b.begin(), b.end(), std::less_equal<>());
}

TEST(ReplicaTiming, ChoosingCopiesEndsWithinItsTime) {
  GraphBuilder chain;
  const auto x = chain.conv(chain.input({1, 2, 48, 48}), 8, 3, 1, 1);
  const Graph graph = chain.output(chain.conv(chain.conv(x, 8, 3, 1, 1), 8, 3, 1, 1));
  arch::Arch machine = round_machine();
  machine.chip.tiles = 8;
  Network network = place_network(graph, machine);
  network.arch.mapping.replication = arch::Replication::balanced;
  std::vector<place::LayerInput> layers;
  for (std::size_t l = 0; l < network.layers.size(); ++l)
    layers.push_back({network.program.layers[l].node, network.layers[l].sliced});
  EXPECT_NO_THROW((void)sim::place_balanced(graph, network.arch, layers, network.layers, 60));
  EXPECT_THROW((void)sim::place_balanced(graph, network.arch, layers, network.layers, 1e-6),
               base::TimeoutError);
}

TEST(ReplicaTiming, BalancedIsNeverSlowerThanOneCopy) {
  for (const Graph& graph : networks()) {
    for (const int tiles : {8, 16, 40}) {
      for (const int imas : {2, 6}) {
        arch::Arch machine = round_machine();
        machine.chip.tiles = tiles;
        machine.chip.mesh_width = 4;
        machine.tile.imas = imas;
        const Network none = place_network(graph, machine);
        EXPECT_FALSE(any_slower(ends(with_program(none, true), 4), ends(none, 4)))
            << tiles << " tiles of " << imas;
      }
    }
  }
}

/// From the environment: BITLINE_SEEDS=2000 BITLINE_TILES=400 BITLINE_IMAGES=10 for a wider search.
int wider(const char* name, int usual) {
  const char* given = std::getenv(name);
  return given == nullptr ? usual : std::atoi(given);
}

TEST(ReplicaTiming, BalancedIsNeverSlowerThanOneCopyOfRandomNetworks) {
  const int seeds = wider("BITLINE_SEEDS", 800), images = wider("BITLINE_IMAGES", sim::kTimedImages);
  int faster = 0, rule_alone_slower = 0, fewer_copies = 0, slower = 0;
  for (int seed = wider("BITLINE_FIRST", 0); seed < seeds; ++seed) {
    const auto number = static_cast<std::uint32_t>(seed);
    arch::Arch machine = random_machine(number);
    machine.chip.tiles = wider("BITLINE_TILES", 64);
    machine.mapping.replication = arch::Replication::none;
    std::optional<Network> placed;
    try {
      placed = place_network(random_graph(number), machine);
    } catch (const base::MappingError&) {
      continue;  // more tiles than there are
    }
    const Network& none = *placed;
    const Network rule = with_program(none, false);
    const auto copies = [](const Network& network) {
      std::int64_t sum = 0;
      for (const place::LayerPlacement& layer : network.program.layers) sum += layer.replicas;
      return sum;
    };
    if (copies(rule) == std::ssize(rule.layers)) continue;
    const std::vector<std::int64_t> one = ends(none, images);
    const Network kept = with_program(none, true);
    const std::vector<std::int64_t> balanced = ends(kept, images);
    EXPECT_FALSE(any_slower(balanced, one))
        << "network " << seed << ": " << ::testing::PrintToString(balanced) << " against "
        << ::testing::PrintToString(one);
    slower += any_slower(balanced, one) ? 1 : 0;
    faster += balanced != one ? 1 : 0;
    fewer_copies += copies(kept) < copies(rule) && copies(kept) > std::ssize(kept.layers) ? 1 : 0;
    rule_alone_slower += any_slower(ends(rule, images), one) ? 1 : 0;
  }
  std::printf("%d seeds: balanced slower %d, the rule alone %d; faster %d, of them %d with fewer copies\n",
              seeds, slower, rule_alone_slower, faster, fewer_copies);
  EXPECT_GT(faster, seeds / 5);
  EXPECT_GT(rule_alone_slower, seeds / 200);  // else the timing would decide nothing here
  EXPECT_GT(fewer_copies, 0);
}

}  // namespace
}  // namespace bitline::timing_test
