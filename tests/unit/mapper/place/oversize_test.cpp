// SPDX-License-Identifier: Apache-2.0
// Networks larger than a chip: spread over several, or cut into phases.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "mapper/place/chips.h"
#include "mapper/place/phases.h"
#include "mapper/place/traffic.h"
#include "models/base/errors.h"
#include "tests/support/refusal.h"
#include "tests/unit/mapper/place/networks.h"

namespace bitline::place {
namespace {

using testing::GraphBuilder;
using testing::sliced_layers;

/// Tiles of one IMA of one crossbar of 16 x 16 cells, in rows of 2.
arch::Arch small_chip(int tiles, arch::Oversize oversize) {
  arch::Arch arch;
  arch.crossbar.rows = arch.crossbar.cols = arch.crossbar.active_rows = 16;
  arch.precision.weights.bits = 4;
  arch.precision.activations.bits = 8;
  arch.ima.crossbars = arch.tile.imas = 1;
  arch.chip.tiles = tiles;
  arch.chip.mesh_width = 2;
  arch.noc.tiles_per_router = 1;
  arch.mapping.oversize = oversize;
  return arch;
}

/// Layers of 8 channels to 8, a tile each, with a sum of the first's and the last's results.
std::shared_ptr<const graph::Graph> ladder(int layers) {
  GraphBuilder b;
  const auto first = b.conv(b.input({1, 8, 2, 2}), 8, 1, 1, 0);
  auto x = first;
  for (int i = 1; i < layers; ++i) x = b.conv(x, 8, 1, 1, 0);
  return b.output(b.add(x, first));
}

Program placed(const std::shared_ptr<const graph::Graph>& graph, const arch::Arch& arch) {
  return place(graph, arch, sliced_layers(*graph, arch));
}

TEST(MoreChips, ThereAreAsManyAsItTakes) {
  for (const auto& [layers, tiles, chips] :
       {std::tuple{4, 4, 1}, {5, 4, 2}, {8, 4, 2}, {9, 4, 3}, {3, 1, 3}}) {
    const arch::Arch arch = small_chip(tiles, arch::Oversize::more_chips);
    const Program program = placed(ladder(layers), arch);
    EXPECT_EQ(program.chips, chips);
    EXPECT_EQ(program.crossbars_available, chips * tiles);
    EXPECT_TRUE(program.phases.empty());
    for (std::size_t l = 0; l < program.layers.size(); ++l) {
      EXPECT_EQ(chip_of(program.layers[l].imas[0].tile, arch), static_cast<int>(l) / tiles);
    }
  }
}

TEST(MoreChips, CopiesThatAreAskedForCount) {
  arch::Arch arch = small_chip(4, arch::Oversize::more_chips);
  arch.mapping.replication = arch::Replication::per_layer;
  arch.mapping.replicas = {2};
  EXPECT_EQ(placed(ladder(6), arch).chips, 3);
  arch.mapping.replication = arch::Replication::balanced;  // fills the chips of one copy each
  const Program program = placed(ladder(6), arch);
  EXPECT_EQ(program.chips, 2);
  EXPECT_LE(program.crossbars_used, 8);
}

TEST(MoreChips, WhatGoesToAnotherChipPassesTheLinksOfBoth) {
  const arch::Arch arch = small_chip(1, arch::Oversize::more_chips);
  const Program program = placed(ladder(2), arch);
  ASSERT_EQ(program.chips, 2);
  // First layer (32 bytes an image) to the second's chip. The sum is made there too, where its first operand
  // is.
  std::map<std::pair<int, int>, std::int64_t> bytes;
  for (const Flow& flow : flows(program, arch)) bytes[{flow.from, flow.to}] += flow.packets * flow.bytes;
  const std::map<std::pair<int, int>, std::int64_t> expected{
      {{link_of(0), 0}, 32}, {{0, link_of(0)}, 64}, {{link_of(1), 1}, 64}, {{1, link_of(1)}, 32}};
  EXPECT_EQ(bytes, expected);
  const NocTraffic traffic = noc_traffic(program, arch);
  EXPECT_EQ(traffic.between_chips, 64);
  EXPECT_EQ(traffic.hop_bytes, 0);
}

TEST(MoreChips, PlacementsStayWithinTheirChips) {
  for (const auto placement : {arch::Placement::snake, arch::Placement::annealed}) {
    arch::Arch arch = small_chip(4, arch::Oversize::more_chips);
    const Program rows = placed(ladder(10), arch);
    arch.mapping.placement = placement;
    const Program other = placed(ladder(10), arch);
    std::set<int> tiles;
    for (std::size_t l = 0; l < rows.layers.size(); ++l) {
      const int tile = other.layers[l].imas[0].tile;
      EXPECT_EQ(chip_of(tile, arch), chip_of(rows.layers[l].imas[0].tile, arch));
      tiles.insert(tile);
    }
    EXPECT_EQ(tiles.size(), 10U);
    EXPECT_LT(noc_traffic(other, arch).hop_bytes, noc_traffic(rows, arch).hop_bytes);
    EXPECT_EQ(noc_traffic(other, arch).between_chips, noc_traffic(rows, arch).between_chips);
  }
}

TEST(MoreChips, TooManyAreRefused) {
  arch::Arch arch = small_chip(1, arch::Oversize::more_chips);
  arch.chip.tiles = 1 << 20;
  arch.mapping.replication = arch::Replication::per_layer;
  arch.mapping.replicas = {1 << 20};
  GraphBuilder b;
  auto x = b.input({1, 8, 2048, 2048});
  for (int i = 0; i < 6; ++i) x = b.conv(x, 8, 1, 1, 0);
  const auto graph = b.output(x);
  const std::string message =
      testing_support::refusal<base::MappingError>([&] { return placed(graph, arch); });
  EXPECT_NE(message.find("6 chips of 1048576 tiles"), std::string::npos) << message;
}

TEST(Phases, AreConsecutiveStagesThatFit) {
  for (const auto& [layers, tiles, phases] :
       {std::tuple{4, 4, 0}, {5, 4, 2}, {8, 4, 2}, {9, 4, 3}, {3, 1, 3}}) {
    const arch::Arch arch = small_chip(tiles, arch::Oversize::reprogram);
    const Program program = placed(ladder(layers), arch);
    EXPECT_EQ(program.chips, 1);
    EXPECT_EQ(static_cast<int>(program.phases.size()), phases);
    int last = 0;
    for (const Stage& stage : program.stages) {
      EXPECT_TRUE(stage.phase == last || stage.phase == last + 1);
      last = stage.phase;
      for (const EdgeId e : stage.inputs) {
        const Edge& edge = program.edges[static_cast<std::size_t>(e)];
        EXPECT_EQ(program.stages[static_cast<std::size_t>(edge.producer)].phase, stage.phase);
      }
    }
    std::map<int, std::set<int>> tiles_of_phase;
    for (std::size_t l = 0; l < program.layers.size(); ++l) {
      const LayerPlacement& layer = program.layers[l];
      EXPECT_EQ(program.stages[static_cast<std::size_t>(layer.stage)].layer, static_cast<int>(l));
      EXPECT_EQ(program.stages[static_cast<std::size_t>(layer.stage)].name, layer.name);
      EXPECT_LT(layer.imas[0].tile, tiles);
      const int phase = program.stages[static_cast<std::size_t>(layer.stage)].phase;
      EXPECT_TRUE(tiles_of_phase[phase].insert(layer.imas[0].tile).second);
    }
    EXPECT_EQ(program.writes_per_cell, phases);
  }
}

TEST(Phases, WriteTheRowsTheyDriveTimesTheColumnsTheyConvert) {
  const Program program = placed(ladder(5), small_chip(4, arch::Oversize::reprogram));
  for (const LayerPlacement& layer : program.layers) {
    EXPECT_EQ(layer.written_cells, 8 * 8 * 2);  // 8 rows, 8 outputs of two cells
    EXPECT_EQ(layer.written_bytes, 8 * 8 * 4 / 8);
  }
  EXPECT_EQ(program.phases[0].bytes, 4 * 32);
  EXPECT_EQ(program.phases[0].rows_of_tile, 8);
  EXPECT_EQ(program.phases[1].bytes, 32);
}

TEST(Phases, PackedGroupsAreWrittenWithTheCellsBetweenThem) {
  // Depthwise 3x3: 9 rows, 2 columns a group; a crossbar of 16 rows holds one group.
  GraphBuilder b;
  const auto graph = b.output(b.conv(b.conv(b.input({1, 3, 4, 4}), 3, 1, 1, 0, 3), 3, 3, 1, 1, 3));
  const Program program = placed(graph, small_chip(3, arch::Oversize::reprogram));
  ASSERT_EQ(program.phases.size(), 2U);
  EXPECT_EQ(program.layers[0].written_cells, 3 * 6);      // three groups of 1 x 2 in one crossbar
  EXPECT_EQ(program.layers[1].written_cells, 3 * 9 * 2);  // one group in each of three
}

TEST(Phases, ReplicasAreThoseOfTheirLayers) {
  arch::Arch arch = small_chip(3, arch::Oversize::reprogram);
  arch.mapping.replication = arch::Replication::per_layer;
  arch.mapping.replicas = {1, 2, 3, 1};
  const Program program = placed(ladder(4), arch);
  ASSERT_EQ(program.phases.size(), 3U);
  std::vector<int> replicas;
  for (const LayerPlacement& layer : program.layers) replicas.push_back(layer.replicas);
  EXPECT_EQ(replicas, arch.mapping.replicas);
  arch.mapping.replicas = {1, 2};
  EXPECT_THROW((void)placed(ladder(4), arch), base::MappingError);
}

TEST(Phases, BuffersTooCutThem) {
  // Four layers find IMAs at once, but the eDRAM of a tile holds the input of one 3x3 layer only and a layer
  // takes both tiles: two phases or more.
  GraphBuilder b;
  auto x = b.input({1, 8, 16, 16});
  for (int i = 0; i < 4; ++i) x = b.conv(x, 8, 3, 1, 1);
  const auto graph = b.output(x);
  arch::Arch arch = small_chip(4, arch::Oversize::error);
  arch.ima.crossbars = 5;
  arch.tile.imas = 4;
  arch.tile.edram.capacity_bytes = 330;
  arch.chip.tiles = 2;
  EXPECT_THROW((void)placed(graph, arch), base::MappingError);
  arch.mapping.oversize = arch::Oversize::reprogram;
  EXPECT_GE(placed(graph, arch).phases.size(), 2U);
  arch.tile.edram.capacity_bytes = 8;
  EXPECT_THROW((void)placed(graph, arch), base::MappingError);
}

TEST(Phases, ALayerLargerThanTheChipIsNamed) {
  GraphBuilder b;
  const auto graph = b.output(b.linear(b.linear(b.input({1, 16}), 8), 100));
  const std::string message = testing_support::refusal<base::MappingError>(
      [&] { return placed(graph, small_chip(4, arch::Oversize::reprogram)); });
  EXPECT_NE(message.find("fc1: this layer alone needs 13 IMAs; allowed: 4 IMAs (4 tiles)"), std::string::npos)
      << message;
}

TEST(Phases, AnInputThatSeveralPhasesTakeIsReadByEach) {
  GraphBuilder b;
  const auto x = b.input({1, 8, 2, 2});
  const auto graph = b.output(b.add(b.conv(b.conv(x, 8, 1, 1, 0), 8, 1, 1, 0), x));
  const Program program = placed(graph, small_chip(1, arch::Oversize::reprogram));
  ASSERT_EQ(program.phases.size(), 2U);
  int inputs = 0;
  for (const Stage& stage : program.stages) inputs += stage.kind == StageKind::input && !stage.stored ? 1 : 0;
  EXPECT_EQ(inputs, 2);
}

}  // namespace
}  // namespace bitline::place
