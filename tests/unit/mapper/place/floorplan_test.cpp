// SPDX-License-Identifier: Apache-2.0
#include "mapper/place/floorplan.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "mapper/place/traffic.h"
#include "models/noc/topology.h"
#include "tests/unit/mapper/place/networks.h"

namespace bitline::place {
namespace {

using testing::GraphBuilder;
using testing::sliced_layers;

/// Tiles of one IMA of one crossbar of 16 x 16, in rows of 3, a router each.
arch::Arch small_machine(arch::Placement placement) {
  arch::Arch arch;
  arch.crossbar.rows = arch.crossbar.cols = arch.crossbar.active_rows = 16;
  arch.precision.weights.bits = 4;
  arch.precision.activations.bits = 8;
  arch.ima.crossbars = arch.tile.imas = 1;
  arch.chip.tiles = 6;
  arch.chip.mesh_width = 3;
  arch.noc.tiles_per_router = 1;
  arch.mapping.placement = placement;
  return arch;
}

/// Layers of 8 channels to 8, a tile each.
std::shared_ptr<const graph::Graph> chain(int layers) {
  GraphBuilder b;
  auto x = b.input({1, 8, 2, 2});
  for (int i = 0; i < layers; ++i) x = b.conv(x, 8, 1, 1, 0);
  return b.output(x);
}

Program placed(const std::shared_ptr<const graph::Graph>& graph, const arch::Arch& arch) {
  return place(graph, arch, sliced_layers(*graph, arch));
}

std::vector<int> tiles(const Program& program) {
  std::vector<int> tiles;
  for (const LayerPlacement& layer : program.layers) tiles.push_back(layer.imas.at(0).tile);
  return tiles;
}

TEST(Floorplan, RowsSnakeAndTheShortestWay) {
  // Pixels of 8 bytes, 4 an image: 32 bytes from the link, between each two layers, and to the link.
  const auto graph = chain(5);
  const arch::Arch rows = small_machine(arch::Placement::row_major);
  const Program in_rows = placed(graph, rows);
  EXPECT_EQ(tiles(in_rows), (std::vector<int>{0, 1, 2, 3, 4}));
  // Links: 1 + 1, back to the next row 3, 1; from tile 4 to the link 2.
  EXPECT_EQ(noc_traffic(in_rows, rows).bytes, 6 * 32);
  EXPECT_EQ(noc_traffic(in_rows, rows).hop_bytes, (1 + 1 + 3 + 1 + 2) * 32);
  const arch::Arch snake = small_machine(arch::Placement::snake);
  const Program in_snake = placed(graph, snake);
  EXPECT_EQ(tiles(in_snake), (std::vector<int>{0, 1, 2, 5, 4}));
  EXPECT_EQ(noc_traffic(in_snake, snake).hop_bytes, (1 + 1 + 1 + 1 + 2) * 32);
  // A ring through the link's tile has an even number of links: four between the layers and two or more at
  // its ends.
  const arch::Arch annealed = small_machine(arch::Placement::annealed);
  EXPECT_EQ(noc_traffic(placed(graph, annealed), annealed).hop_bytes, 6 * 32);
}

TEST(Floorplan, ASnakeTurnsWithinAShortLastRow) {
  arch::Arch arch = small_machine(arch::Placement::snake);
  arch.chip.tiles = 5;
  EXPECT_EQ(tiles(placed(chain(5), arch)), (std::vector<int>{0, 1, 2, 4, 3}));
}

TEST(Floorplan, TheLinkIsAtTheFirstTileWhateverLiesThere) {
  // Four layers on a chip of 1 x 4 tiles with all traffic at the last one: annealing brings it to the link.
  GraphBuilder b;
  auto x = b.conv(b.input({1, 1, 8, 8}), 1, 8, 1, 0);
  x = b.conv(x, 8, 1, 1, 0);
  const auto graph = b.output(b.conv(x, 8, 1, 1, 0));
  arch::Arch arch = small_machine(arch::Placement::row_major);
  arch.chip.mesh_width = 6;
  const NocTraffic rows = noc_traffic(placed(graph, arch), arch);
  arch.mapping.placement = arch::Placement::annealed;
  const Program program = placed(graph, arch);
  EXPECT_LT(noc_traffic(program, arch).hop_bytes, rows.hop_bytes);
  EXPECT_EQ(noc_traffic(program, arch).bytes, rows.bytes);
  for (const Stage& stage : program.stages) {
    if (stage.kind == StageKind::input || stage.kind == StageKind::output) {
      EXPECT_EQ(stage.tiles, place::Few<int>{0});
    }
  }
}

/// A residual network with copies of its layers, row bands in several tiles, joins and digital stages.
std::shared_ptr<const graph::Graph> residual() {
  GraphBuilder b;
  const auto x = b.relu(b.conv(b.input({1, 3, 6, 6}), 8, 3, 1, 1));
  const auto sum = b.add(b.conv(b.conv(x, 24, 3, 1, 1), 8, 3, 1, 1), x);
  return b.output(b.linear(b.flatten(b.global_pool(sum)), 10));
}

TEST(Floorplan, RenumbersTilesAndNothingElse) {
  arch::Arch arch = small_machine(arch::Placement::row_major);
  arch.chip.tiles = 120;
  arch.chip.mesh_width = 12;
  arch.mapping.replication = arch::Replication::balanced;
  const Program rows = placed(residual(), arch);
  for (const auto placement : {arch::Placement::snake, arch::Placement::annealed}) {
    arch.mapping.placement = placement;
    const Program other = placed(residual(), arch);
    std::map<int, int> renumbered;
    const auto check = [&](int before, int after) {
      const auto [found, is_new] = renumbered.emplace(before, after);
      EXPECT_EQ(found->second, after);
    };
    for (std::size_t l = 0; l < rows.layers.size(); ++l) {
      for (std::size_t i = 0; i < rows.layers[l].imas.size(); ++i) {
        check(rows.layers[l].imas[i].tile, other.layers[l].imas[i].tile);
        EXPECT_EQ(rows.layers[l].imas[i].ima, other.layers[l].imas[i].ima);
      }
      for (std::size_t j = 0; j < rows.layers[l].joins.size(); ++j)
        check(rows.layers[l].joins[j].tile, other.layers[l].joins[j].tile);
    }
    for (std::size_t e = 0; e + 1 < rows.edges.size(); ++e) {
      ASSERT_EQ(rows.edges[e].deliveries.size(), other.edges[e].deliveries.size());
      for (std::size_t d = 0; d < rows.edges[e].deliveries.size(); ++d)
        check(rows.edges[e].deliveries[d].tile, other.edges[e].deliveries[d].tile);
    }
    std::set<int> places;
    for (const auto& [before, after] : renumbered) places.insert(after);
    EXPECT_EQ(places.size(), renumbered.size());
    EXPECT_GT(places.size(), 20U);
    EXPECT_LT(*places.rbegin(), 120);
    EXPECT_EQ(other.tiles_used, rows.tiles_used);
    EXPECT_EQ(noc_traffic(other, arch).bytes, noc_traffic(rows, arch).bytes);
  }
}

TEST(Floorplan, AnnealedIsNeverWorseThanRowsAndSnake) {
  for (const int tiles_per_router : {1, 2, 4}) {
    for (const int width : {5, 12}) {
      std::map<arch::Placement, std::int64_t> hop_bytes;
      arch::Arch arch = small_machine(arch::Placement::row_major);
      arch.chip.tiles = 100;
      arch.chip.mesh_width = width;
      arch.noc.tiles_per_router = tiles_per_router;
      for (const auto placement :
           {arch::Placement::row_major, arch::Placement::snake, arch::Placement::annealed}) {
        arch.mapping.placement = placement;
        hop_bytes[placement] = noc_traffic(placed(residual(), arch), arch).hop_bytes;
      }
      EXPECT_LT(hop_bytes[arch::Placement::annealed], hop_bytes[arch::Placement::row_major]);
      EXPECT_LT(hop_bytes[arch::Placement::annealed], hop_bytes[arch::Placement::snake]);
    }
  }
}

TEST(Floorplan, TheSeedDecides) {
  arch::Arch arch = small_machine(arch::Placement::annealed);
  arch.chip.tiles = 100;
  arch.chip.mesh_width = 10;
  const std::vector<int> first = tiles(placed(residual(), arch));
  EXPECT_EQ(tiles(placed(residual(), arch)), first);
  bool differs = false;
  for (arch.mapping.placement_seed = 2; arch.mapping.placement_seed < 5; ++arch.mapping.placement_seed)
    differs |= tiles(placed(residual(), arch)) != first;
  EXPECT_TRUE(differs);
}

}  // namespace
}  // namespace bitline::place
