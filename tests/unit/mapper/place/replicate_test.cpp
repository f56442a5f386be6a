// SPDX-License-Identifier: Apache-2.0
#include "mapper/place/replicate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "mapper/place/limited.h"
#include "models/arch/arch_loader.h"
#include "models/base/errors.h"
#include "tests/unit/mapper/place/networks.h"

namespace bitline::place {
namespace {

using ::testing::ElementsAre;
using testing::GraphBuilder;
using testing::sliced_layers;

TEST(BalancedCopies, GoToTheLayerWithTheMostWindowsPerCopy) {
  // 64, 16 and 4 windows, one IMA each, 12 IMAs. Nine to give: the first until it is down to 16 a copy
  // (64/4), the earlier at a tie (64/5), the second (16/2), then the first down to 64/9; the second is then
  // the slowest with 8, for which 64/8 is enough.
  const std::vector<CopyCost> costs{{64, 1, 1, 64}, {16, 1, 1, 16}, {4, 1, 1, 4}};
  EXPECT_THAT(balanced_copies(costs, 12), ElementsAre(8, 2, 1));
  EXPECT_THAT(balanced_copies(costs, 3), ElementsAre(1, 1, 1));
  // Something else takes as long as 20 reads: 64/4 keeps up with it.
  EXPECT_THAT(balanced_copies(costs, 12, 20), ElementsAre(4, 1, 1));
  // Reads of a window count as much as windows; where the slowest layer finds no IMAs for another copy, the
  // others need none either.
  EXPECT_THAT(balanced_copies({{8, 1, 1, 8}, {8, 4, 1, 8}}, 6), ElementsAre(1, 4));
  EXPECT_THAT(balanced_copies({{64, 1, 5, 64}, {8, 1, 1, 8}}, 9), ElementsAre(1, 1));
  EXPECT_THAT(balanced_copies({{3, 1, 1, 3}, {1, 9, 1, 1}}, 99), ElementsAre(1, 1));
}

/// The slowest layer's reads, with the best choice of copies by trying all.
std::int64_t best_by_trying(const std::vector<CopyCost>& costs, std::size_t l, std::int64_t imas) {
  if (l == costs.size()) return 0;
  std::int64_t later = 0, best = INT64_MAX;
  for (std::size_t i = l + 1; i < costs.size(); ++i) later += costs[i].imas;
  for (int n = 1; n <= costs[l].most && n * costs[l].imas + later <= imas; ++n) {
    const std::int64_t own = (costs[l].windows * costs[l].reads + n - 1) / n;
    best = std::min(best, std::max(own, best_by_trying(costs, l + 1, imas - n * costs[l].imas)));
  }
  return best;
}

TEST(BalancedCopies, MakeTheSlowestLayerAsFastAsAnyChoice) {
  std::mt19937 random(3);
  for (int i = 0; i < 200; ++i) {
    std::vector<CopyCost> costs;
    costs.reserve(3);
    for (int l = 0; l < 3; ++l) costs.push_back({1 + static_cast<std::int64_t>(random() % 40), 1, 1, 40});
    for (CopyCost& c : costs) c.most = static_cast<int>(c.windows);
    const std::int64_t imas = 3 + static_cast<std::int64_t>(random() % 12);
    const std::vector<int> copies = balanced_copies(costs, imas);
    std::int64_t slowest = 0;
    for (std::size_t l = 0; l < 3; ++l)
      slowest = std::max(slowest, (costs[l].windows + copies[l] - 1) / copies[l]);
    EXPECT_EQ(slowest, best_by_trying(costs, 0, imas));
    EXPECT_LE(copies[0] + copies[1] + copies[2], imas);
  }
}

std::shared_ptr<const graph::Graph> two_convolutions() {
  GraphBuilder b;
  return b.output(b.conv(b.conv(b.input({1, 3, 16, 16}), 64, 3, 1, 1), 64, 3, 2, 1));
}

TEST(Replication, CopiesAreWholeAndInImasOfTheirOwn) {
  const auto graph = two_convolutions();
  arch::Arch arch;
  arch.mapping.replication = arch::Replication::per_layer;
  arch.mapping.replicas = {3, 2};
  const Program program = place(graph, arch, sliced_layers(*graph, arch));
  arch.mapping.replicas = {1};
  const Program single = place(graph, arch, sliced_layers(*graph, arch));
  for (std::size_t l = 0; l < 2; ++l) {
    const LayerPlacement& layer = program.layers[l];
    const LayerPlacement& one = single.layers[l];
    EXPECT_EQ(layer.replicas, l == 0 ? 3 : 2);
    EXPECT_EQ(layer.crossbars, one.crossbars * layer.replicas);
    EXPECT_EQ(layer.imas.size(), one.imas.size() * static_cast<std::size_t>(layer.replicas));
    EXPECT_EQ(layer.joins.size(), one.joins.size() * static_cast<std::size_t>(layer.replicas));
    EXPECT_DOUBLE_EQ(layer.cell_utilization, one.cell_utilization);
    std::vector<int> outputs(static_cast<std::size_t>(layer.replicas), 0);
    for (const Join& join : layer.joins) outputs[static_cast<std::size_t>(join.replica)] += join.outputs;
    for (const int sum : outputs) EXPECT_EQ(sum, 64);
    for (const ImaPart& ima : layer.imas) {
      for (const Contribution& c : ima.contributions) {
        EXPECT_EQ(layer.joins[static_cast<std::size_t>(c.join)].replica, ima.replica);
      }
    }
  }
  EXPECT_EQ(program.crossbars_used, program.layers[0].crossbars + program.layers[1].crossbars);
}

TEST(Replication, ActivityOfAWindowIsThatOfOneCopy) {
  const auto graph = two_convolutions();
  arch::Arch arch;
  const auto layers = sliced_layers(*graph, arch);
  const auto single = drive_sets(place(graph, arch, layers).layers[1], *layers[1].sliced);
  arch.mapping.replication = arch::Replication::balanced;
  const Program program = place(graph, arch, layers);
  EXPECT_GT(program.layers[0].replicas, program.layers[1].replicas);
  EXPECT_GT(program.layers[1].replicas, 1);
  const auto sets = drive_sets(program.layers[1], *layers[1].sliced);
  ASSERT_EQ(sets.size(), single.size());
  for (std::size_t i = 0; i < sets.size(); ++i)
    EXPECT_EQ(sets[i].columns_per_slice, single[i].columns_per_slice);
}

TEST(Replication, DigitalStagesRunInSoManyPartsThatTheyKeepUpWithTheLayers) {
  GraphBuilder b;
  const auto x = b.conv(b.input({1, 3, 16, 16}), 64, 3, 1, 1);
  const auto graph = b.output(b.conv(b.max_pool(x, 3, 1), 64, 3, 2, 1));
  arch::Arch arch;
  arch.tile.pooling = {.units = 1, .clock = base::Frequency(1.2e9), .latency = {}};
  const auto pool = [&] {
    const Program program = place(graph, arch, sliced_layers(*graph, arch));
    for (const Stage& stage : program.stages)
      if (stage.kind == StageKind::digital) return std::pair(stage, program);
    throw std::logic_error("no digital stage");
  };
  arch.mapping.replication = arch::Replication::balanced;
  EXPECT_EQ(pool().first.tiles.size(), 1U);
  arch.mapping.digital = arch::DigitalStages::spread;
  const auto [stage, program] = pool();
  double reads = 0;
  for (const LayerPlacement& layer : program.layers)
    reads = std::max(reads, static_cast<double>(layer.windows) / layer.replicas);
  const double pace = reads * arch::input_chunks(arch) * arch.crossbar.read_latency.seconds();
  const auto parts = static_cast<double>(stage.tiles.size());
  const double alone = 14 * 14 * 64 * 9 / 1.2e9;  // seconds in one tile
  EXPECT_LE(alone / parts, pace);
  EXPECT_GT(alone / (parts - 1), pace);
  for (const EdgeId e : stage.inputs) {
    std::int64_t bytes = 0;
    for (const Delivery& d : program.edges[static_cast<std::size_t>(e)].deliveries) bytes += d.pixel_bytes;
    EXPECT_EQ(bytes, 2 * 64);  // every channel once
  }
  // Where it would be slower in any number of tiles, it takes a channel each and layers get fewer copies.
  arch.tile.pooling.clock = base::Frequency(1e6);
  const auto [slow, few] = pool();
  EXPECT_EQ(slow.tiles.size(), 64U);
  EXPECT_LT(few.layers[0].replicas, program.layers[0].replicas);
}

TEST(Replication, ALimitIsThatOfEveryLayer) {
  const auto graph = two_convolutions();
  arch::Arch arch;
  arch.mapping.replication = arch::Replication::balanced;
  const auto layers = sliced_layers(*graph, arch);
  const Program free = place(graph, arch, layers);
  ASSERT_GT(free.layers[1].replicas, 2);
  for (const int most : {1, 2, 5}) {
    const Program limited = place_limited(graph, arch, layers, most);
    EXPECT_EQ(limited.layers[0].replicas, most);
    EXPECT_LE(limited.layers[1].replicas, most);
  }
}

TEST(Replication, BalancedFallsBackToFewerCopiesWhereTheEdramIsShort) {
  const auto graph = two_convolutions();
  arch::Arch arch;
  arch.mapping.replication = arch::Replication::balanced;
  const int roomy = place(graph, arch, sliced_layers(*graph, arch)).layers[0].replicas;
  Program program;
  for (std::int64_t bytes = 8 * 1024; program.layers.empty() || program.layers[0].replicas == roomy;
       bytes -= 256) {
    arch.tile.edram.capacity_bytes = bytes;
    program = place(graph, arch, sliced_layers(*graph, arch));
  }
  EXPECT_LT(program.layers[0].replicas, roomy);
  for (const Edge& edge : program.edges) {
    for (const Delivery& d : edge.deliveries)
      EXPECT_LE(d.pixel_bytes * edge.capacity, arch.tile.edram.capacity_bytes);
  }
}

TEST(Replication, RefusesNumbersThatDoNotMatchTheLayers) {
  const auto graph = two_convolutions();
  arch::Arch arch;
  arch.mapping.replication = arch::Replication::per_layer;
  arch.mapping.replicas = {2, 2, 2};
  try {
    (void)place(graph, arch, sliced_layers(*graph, arch));
    FAIL() << "three numbers for two layers";
  } catch (const base::MappingError& e) {
    EXPECT_THAT(e.what(), ::testing::HasSubstr("mapping.replicas"));
    EXPECT_THAT(e.what(), ::testing::HasSubstr("2 crossbar layers"));
  }
  arch.mapping.replicas = {1 << 20};
  arch.chip.tiles = 2;
  EXPECT_THROW((void)place(graph, arch, sliced_layers(*graph, arch)), base::MappingError);
}

}  // namespace
}  // namespace bitline::place
