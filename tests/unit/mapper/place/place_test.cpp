// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "mapper/place/partition.h"
#include "models/base/errors.h"
#include "tests/unit/mapper/place/networks.h"

namespace bitline::place {
namespace {

using testing::GraphBuilder;
using testing::sliced;
using testing::sliced_layers;

const Stage& stage_named(const Program& program, const std::string& prefix) {
  for (const Stage& s : program.stages) {
    if (s.name.rfind(prefix, 0) == 0) return s;
  }
  throw std::logic_error("no stage " + prefix);
}

/// Cells of the layer's matrix that lie on crossbars: (array, slice, group, output, row), each exactly once.
void expect_every_cell_once(const Partition& partition, const slice::SlicedLayer& layer) {
  std::map<std::tuple<int, int, int, int, int>, int> seen;
  for (const CrossbarPiece& piece : partition.pieces) {
    for (const Phase& phase : piece.part.phases) {
      const slice::RowBlock block = layer.blocks[static_cast<std::size_t>(phase.block)];
      for (int s = 0; s < static_cast<int>(layer.slices.size()); ++s) {
        if (piece.part.slice >= 0 && piece.part.slice != s) continue;
        for (int g = phase.group_first; g < phase.group_first + phase.group_count; ++g) {
          for (int o = piece.part.output_first; o < piece.part.output_first + piece.part.output_count; ++o) {
            for (int r = block.first; r < block.last; ++r) ++seen[{piece.part.array, s, g, o, r}];
          }
        }
      }
    }
  }
  const std::size_t cells = static_cast<std::size_t>(layer.arrays) * layer.slices.size() * layer.groups *
                            layer.outputs_per_group * layer.rows_per_group;
  EXPECT_EQ(seen.size(), cells);
  for (const auto& [cell, count] : seen) EXPECT_EQ(count, 1);
}

TEST(Partition, HoldsEveryCellExactlyOnce) {
  for (auto placement : {arch::SlicePlacement::interleaved, arch::SlicePlacement::separate}) {
    for (int active : {16, 10, 4}) {
      arch::Arch arch;
      arch.crossbar.rows = 16;
      arch.crossbar.cols = 16;
      arch.crossbar.active_rows = active;
      arch.precision.weights.bits = 4;
      arch.slices.placement = placement;
      for (int arrays : {1, 2}) {
        for (auto [rows, outputs, groups] :
             {std::tuple{16, 8, 1}, {37, 21, 1}, {9, 1, 12}, {3, 2, 5}, {20, 3, 4}}) {
          const auto layer = sliced(arch, rows, outputs, groups, arrays);
          const Partition cut = partition("layer", *layer, arch);
          expect_every_cell_once(cut, *layer);
          const MatrixShape shape{groups, rows, outputs, static_cast<std::int64_t>(layer->slices.size()),
                                  arrays};
          EXPECT_EQ(crossbar_count(shape, arch), static_cast<std::int64_t>(cut.pieces.size()));
        }
      }
    }
  }
}

TEST(Partition, NoDriveExceedsActiveRowsAndNoCrossbarItsSize) {
  arch::Arch arch;
  arch.crossbar.rows = 32;
  arch.crossbar.cols = 24;
  arch.crossbar.active_rows = 12;
  arch.precision.weights.bits = 4;
  for (auto [rows, outputs, groups] : {std::tuple{9, 1, 30}, {5, 2, 30}, {16, 1, 7}, {100, 50, 2}}) {
    const auto layer = sliced(arch, rows, outputs, groups);
    for (const CrossbarPiece& piece : partition("layer", *layer, arch).pieces) {
      std::set<int> groups_here;
      int rows_here = 0;
      for (const Phase& phase : piece.part.phases) {
        const int driven = phase.group_count * layer->blocks[static_cast<std::size_t>(phase.block)].rows();
        EXPECT_LE(driven, arch.crossbar.active_rows);
        rows_here += driven;
        for (int g = 0; g < phase.group_count; ++g) groups_here.insert(phase.group_first + g);
      }
      EXPECT_LE(rows_here, arch.crossbar.rows);
      EXPECT_LE(static_cast<int>(groups_here.size()) * piece.part.output_count * 2, arch.crossbar.cols);
    }
  }
}

TEST(Partition, PacksADepthwiseConvolutionBlockDiagonally) {
  arch::Arch arch;
  arch.precision.weights.bits = 8;
  // 3x3 depthwise: 9 rows and 4 columns a group. 14 groups by rows (126 of 128), 32 by columns: 14 a
  // crossbar.
  const auto layer = sliced(arch, 9, 1, 64);
  EXPECT_EQ(partition("dw", *layer, arch).pieces.size(), 5u);
}

TEST(Partition, RefusesAnOutputWiderThanACrossbar) {
  arch::Arch arch;
  arch.crossbar.cols = 4;
  const auto layer = sliced(arch, 9, 1);
  try {
    (void)partition("conv1", *layer, arch);
    FAIL() << "8 slices fitted into 4 columns";
  } catch (const base::MappingError& e) {
    EXPECT_THAT(e.what(), ::testing::HasSubstr("conv1"));
    EXPECT_THAT(e.what(), ::testing::HasSubstr("8 columns"));
    EXPECT_THAT(e.what(), ::testing::HasSubstr("crossbar.cols = 4"));
  }
}

TEST(Place, CountsCrossbarsAsIsaacDoes) {
  // 16-bit weights in 2-bit cells: 16 outputs a crossbar. 64 outputs x 147 rows: 4 x 2 crossbars, one IMA.
  arch::Arch arch;
  GraphBuilder b;
  const auto graph = b.output(b.relu(b.conv(b.input({1, 3, 32, 32}), 64, 7, 2, 3)));
  const Program program = place(graph, arch, sliced_layers(*graph, arch));
  ASSERT_EQ(program.layers.size(), 1u);
  const LayerPlacement& layer = program.layers[0];
  EXPECT_EQ(layer.crossbars, 8);
  ASSERT_EQ(layer.imas.size(), 1u);
  EXPECT_EQ(layer.windows, 16 * 16);
  EXPECT_EQ(layer.imas[0].input_bytes, 147 * 2);
  EXPECT_EQ(layer.imas[0].results(), 64);
  EXPECT_DOUBLE_EQ(layer.cell_utilization, 147.0 * 64 * 8 / (8 * 128.0 * 128.0));
  EXPECT_EQ(program.crossbars_available, 168 * 12 * 8);
  // Input, conv with its ReLU inside, output.
  ASSERT_EQ(program.stages.size(), 3u);
  const Stage& conv = stage_named(program, "conv");
  ASSERT_EQ(conv.work.size(), 2u);
  EXPECT_EQ(conv.work[0].unit, Unit::activation);
  EXPECT_EQ(conv.work[1].unit, Unit::requantise);
  EXPECT_EQ(conv.work[0].elements, 64);
}

TEST(Place, PartialSumsOfRowBandsMeetInJoins) {
  // 1152 rows: 9 bands; 64 outputs: 4 column blocks; 36 crossbars over 5 IMAs of 8, so column blocks straddle
  // IMAs.
  arch::Arch arch;
  GraphBuilder b;
  const auto graph = b.output(b.conv(b.input({1, 128, 8, 8}), 64, 3, 1, 1));
  const Program program = place(graph, arch, sliced_layers(*graph, arch));
  const LayerPlacement& layer = program.layers[0];
  EXPECT_EQ(layer.crossbars, 36);
  ASSERT_EQ(layer.imas.size(), 5u);
  std::vector<int> parts(layer.joins.size(), 0);
  for (const ImaPart& ima : layer.imas) {
    for (const Contribution& c : ima.contributions) {
      EXPECT_EQ(c.results, layer.joins[static_cast<std::size_t>(c.join)].outputs);
      ++parts[static_cast<std::size_t>(c.join)];
    }
  }
  int outputs = 0;
  for (std::size_t j = 0; j < layer.joins.size(); ++j) {
    outputs += layer.joins[j].outputs;
    EXPECT_EQ(layer.joins[j].parts, parts[j]);
  }
  EXPECT_EQ(outputs, 64);
  EXPECT_EQ(parts[0], 2);  // bands 0-7 in the first IMA, band 8 in the second
}

TEST(Place, SkipPathBuffersWhatTheLongPathDelays) {
  arch::Arch arch;
  GraphBuilder b;
  const auto stem = b.conv(b.input({1, 3, 16, 16}), 16, 3, 1, 1);
  const auto graph = b.output(b.add(b.conv(b.conv(stem, 16, 3, 1, 1), 16, 3, 1, 1), stem));
  const Program program = place(graph, arch, sliced_layers(*graph, arch));
  const Stage& add = stage_named(program, "add");
  ASSERT_EQ(add.inputs.size(), 2u);
  // Two 3x3 convolutions delay by a row and a pixel each: the skip edge holds at least 2 * (16 + 1) pixels.
  EXPECT_GE(program.edges[static_cast<std::size_t>(add.inputs[1])].capacity, 34);
  EXPECT_LE(program.edges[static_cast<std::size_t>(add.inputs[1])].capacity, 34 + 8 * 3 + 2 * 16 + 8);
}

TEST(Place, FlattenTakesTheWholeImageAndGlobalPoolingDoesNotBufferIt) {
  arch::Arch arch;
  GraphBuilder flat;
  const auto g1 = flat.output(flat.linear(flat.flatten(flat.conv(flat.input({1, 1, 8, 8}), 4, 3, 1, 1)), 10));
  const Program p1 = place(g1, arch, sliced_layers(*g1, arch));
  const Edge& whole = p1.edges[static_cast<std::size_t>(stage_named(p1, "fc").inputs[0])];
  EXPECT_EQ(whole.window.kind, Window::Kind::all);
  EXPECT_GE(whole.capacity, 64);
  ASSERT_EQ(whole.deliveries.size(), 1u);
  EXPECT_EQ(whole.deliveries[0].pixel_bytes, 4 * 2);

  GraphBuilder pool;
  const auto g2 = pool.output(pool.global_pool(pool.conv(pool.input({1, 1, 8, 8}), 4, 3, 1, 1)));
  const Program p2 = place(g2, arch, sliced_layers(*g2, arch));
  const Edge& reduced = p2.edges[static_cast<std::size_t>(stage_named(p2, "gap").inputs[0])];
  EXPECT_EQ(reduced.window.kind, Window::Kind::reduce);
  EXPECT_LT(reduced.capacity, 64);
}

TEST(Place, NamesWhatIsShortWhenTheNetworkDoesNotFit) {
  arch::Arch arch;
  arch.chip.tiles = 1;
  GraphBuilder b;
  const auto graph = b.output(b.linear(b.input({1, 2048}), 1024));
  try {
    (void)place(graph, arch, sliced_layers(*graph, arch));
    FAIL() << "1024 crossbars fitted into 96";
  } catch (const base::MappingError& e) {
    EXPECT_EQ(e.code(), base::ExitCode::mapping);
    EXPECT_THAT(e.what(), ::testing::HasSubstr("1024 crossbars"));
    EXPECT_THAT(e.what(), ::testing::HasSubstr("96 crossbars"));
    EXPECT_THAT(e.what(), ::testing::HasSubstr("chip.tiles=11"));
  }
}

TEST(Place, SpreadsALayerWhoseBufferIsTooLargeForOneTile) {
  // 3 rows x 32 x 256 channels x 2 B = 48 KiB and more with windows in flight; a tile has 32 KiB.
  arch::Arch arch;
  arch.tile.edram.capacity_bytes = 32 * 1024;
  GraphBuilder b;
  const auto graph = b.output(b.conv(b.input({1, 256, 32, 32}), 16, 3, 1, 1));
  const Program program = place(graph, arch, sliced_layers(*graph, arch));
  const Edge& edge = program.edges[static_cast<std::size_t>(stage_named(program, "conv").inputs[0])];
  EXPECT_GE(edge.deliveries.size(), 2u);
  for (const Delivery& d : edge.deliveries) EXPECT_LE(d.pixel_bytes * edge.capacity, 32 * 1024);
}

TEST(Place, RunsADigitalStageInPartsWhereItsBuffersAreTooLargeForOneTile) {
  // Three 5x5 convolutions delay the sum by six rows of 16 pixels of 512 bytes; a tile has 32 KiB.
  arch::Arch arch;
  arch.tile.edram.capacity_bytes = 32 * 1024;
  GraphBuilder b;
  const auto stem = b.conv(b.input({1, 16, 16, 16}), 256, 1, 1, 0);
  auto x = stem;
  for (int i = 0; i < 3; ++i) x = b.conv(x, 256, 5, 1, 2);
  const auto graph = b.output(b.add(x, stem));
  const Program program = place(graph, arch, sliced_layers(*graph, arch));
  const Stage& add = stage_named(program, "add");
  ASSERT_GE(add.tiles.size(), 2u);
  std::vector<std::int64_t> held(add.tiles.size(), 0);
  for (const EdgeId e : add.inputs) {
    const Edge& edge = program.edges[static_cast<std::size_t>(e)];
    ASSERT_EQ(edge.deliveries.size(), add.tiles.size());
    std::int64_t bytes = 0;
    for (std::size_t i = 0; i < add.tiles.size(); ++i) {
      EXPECT_EQ(edge.deliveries[i].tile, add.tiles[i]);
      bytes += edge.deliveries[i].pixel_bytes;
      held[i] += edge.deliveries[i].pixel_bytes * edge.capacity;
    }
    EXPECT_EQ(bytes, 512);
  }
  for (const std::int64_t bytes : held) EXPECT_LE(bytes, 32 * 1024);
}

/// Poolings of one value, as the branches of a cell, that are added up; with a convolution before and after.
std::shared_ptr<const graph::Graph> poolings(int count, std::int64_t last_kernel = 3) {
  GraphBuilder b;
  const auto x = b.conv(b.input({1, 3, 16, 16}), 64, 3, 1, 1);
  auto sum = b.max_pool(x, 3, 1);
  for (int n = 1; n < count; ++n) sum = b.add(sum, b.max_pool(x, 3, 1));
  return b.output(b.conv(sum, 8, last_kernel, 2, last_kernel / 2));
}

std::vector<int> tiles_of_poolings(const std::shared_ptr<const graph::Graph>& graph, const arch::Arch& arch) {
  std::vector<int> tiles;
  for (const Stage& stage : place(graph, arch, sliced_layers(*graph, arch)).stages) {
    if (stage.name.rfind("pool", 0) == 0) tiles.push_back(stage.tiles.front());
  }
  return tiles;
}

TEST(Place, DigitalStagesWorkWhereUnitsHaveTime) {
  arch::Arch arch;
  arch.tile.pooling = {.units = 1, .clock = base::Frequency(1.2e9), .latency = {}};
  arch.tile.requantise.units = arch.tile.elementwise.units = 64;
  // One takes 14 * 14 * 64 * 9 / 1.2 GHz = 94 us, the convolution 256 * 16 * 100 ns = 410 us.
  EXPECT_THAT(tiles_of_poolings(poolings(3), arch), ::testing::ElementsAre(0, 1, 2));
  arch.tile.pooling.units = 4;  // two of them 47 us: more than a tenth
  EXPECT_THAT(tiles_of_poolings(poolings(3), arch), ::testing::ElementsAre(0, 1, 2));
  arch.tile.pooling.units = 5;  // two of them 38 us, three of them 56 us
  EXPECT_THAT(tiles_of_poolings(poolings(3), arch), ::testing::ElementsAre(0, 0, 1));
  arch.tile.pooling.units = 16;  // three of them 18 us
  EXPECT_THAT(tiles_of_poolings(poolings(3), arch), ::testing::ElementsAre(0, 0, 0));
}

TEST(Place, DigitalStagesShareTheUnitsWithTheLeastToDoWhereNoneHasTime) {
  arch::Arch arch;
  arch.chip.tiles = 2;
  arch.chip.mesh_width = 1;
  arch.tile.pooling = {.units = 1, .clock = base::Frequency(1.2e9), .latency = {}};
  EXPECT_THAT(tiles_of_poolings(poolings(5), arch), ::testing::ElementsAre(0, 1, 0, 1, 0));
}

TEST(Place, DigitalStagesStayWhereALaterLayerNeedsTheEdramOfTheirTile) {
  arch::Arch arch;
  arch.chip.tiles = 2;
  arch.chip.mesh_width = 1;
  arch.tile.imas = 1;
  arch.ima.crossbars = 32;  // each layer in a tile
  arch.ima.input_register.capacity_bytes = 8192;
  arch.tile.pooling = {.units = 1, .clock = base::Frequency(1.2e9), .latency = {}};
  std::set<std::vector<int>> found;
  for (std::int64_t kib = 1; kib < 128; ++kib) {
    arch.tile.edram.capacity_bytes = kib * 1024;
    try {
      found.insert(tiles_of_poolings(poolings(2, 7), arch));
    } catch (const base::MappingError&) {
      EXPECT_LT(kib, 64);
    }
  }
  EXPECT_EQ(found, (std::set<std::vector<int>>{{0, 0}, {0, 1}}));
}

TEST(Place, NamesTheBufferThatIsTooSmall) {
  arch::Arch arch;
  arch.tile.edram.capacity_bytes = 1024;
  GraphBuilder b;
  const auto graph = b.output(b.conv(b.input({1, 64, 64, 64}), 16, 3, 1, 1));
  try {
    (void)place(graph, arch, sliced_layers(*graph, arch));
    FAIL() << "131 pixels of 128 bytes fitted into 5 tiles of 1024";
  } catch (const base::MappingError& e) {
    EXPECT_THAT(e.what(), ::testing::HasSubstr("conv"));
    EXPECT_THAT(e.what(), ::testing::HasSubstr("tile.edram.capacity"));
  }
}

TEST(DriveSets, SumToTheColumnsOfAllCrossbars) {
  arch::Arch arch;
  GraphBuilder b;
  const auto graph = b.output(b.conv(b.input({1, 128, 8, 8}), 64, 3, 1, 1));
  const auto layers = sliced_layers(*graph, arch);
  const Program program = place(graph, arch, layers);
  const auto sets = drive_sets(program.layers[0], *layers[0].sliced);
  ASSERT_EQ(sets.size(), 9u);  // row blocks
  for (const DriveSet& set : sets) {
    EXPECT_EQ(set.crossbars, 4);
    for (std::int64_t columns : set.columns_per_slice) EXPECT_EQ(columns, 64);
    for (std::int64_t columns : set.partner_columns_per_slice) EXPECT_EQ(columns, 0);
    EXPECT_EQ(set.reference_columns, 0);
    EXPECT_EQ(set.centre_additions, 0);
  }
}

TEST(DriveSets, EveryCrossbarReadsItsReferenceColumn) {
  arch::Arch arch;
  arch.device.effects.off_state = device::OffState::finite;
  GraphBuilder b;
  const auto graph = b.output(b.conv(b.input({1, 128, 8, 8}), 64, 3, 1, 1));
  const auto layers = sliced_layers(*graph, arch);
  const Program program = place(graph, arch, layers);
  for (const DriveSet& set : drive_sets(program.layers[0], *layers[0].sliced))
    EXPECT_EQ(set.reference_columns, 4);
}

/// Centres of 8 bits; 64 outputs of 8 slices on two arrays: a pair of crossbars for 16 outputs and 128 rows.
TEST(DriveSets, CentresTakeTheSumOfTheInputsAndAProductPerResult) {
  arch::Arch arch;
  arch.encoding.weights = arch::WeightEncoding::centre_offset;
  arch.ima.output_register.capacity_bytes = 4096;
  const auto additions = [&arch](std::int64_t channels, std::int64_t outputs) {
    GraphBuilder b;
    const auto graph = b.output(b.conv(b.input({1, channels, 8, 8}), outputs, 3, 1, 1));
    const auto layers = sliced_layers(*graph, arch);
    const Program program = place(graph, arch, layers);
    std::int64_t sum = 0;
    for (const DriveSet& set : drive_sets(program.layers[0], *layers[0].sliced)) sum += set.centre_additions;
    return sum;
  };
  EXPECT_EQ(additions(8, 16), 72 + 16 * 8);  // one pair, one IMA
  // 9 row blocks x 4 pairs on 9 IMAs of 4 pairs each: blocks 0-3, 4-7, then the 8th beside 0-2 of the next
  // outputs, and so on. All see 4 blocks; 6 make results of 16 outputs, 3 of 32.
  EXPECT_EQ(additions(128, 64), 9 * 4 * 128 + (6 * 16 + 3 * 32) * 8);
}

}  // namespace
}  // namespace bitline::place
