// SPDX-License-Identifier: Apache-2.0
// Layers that take turns on the same crossbars. Machine and terms of the derivations: chip_timing_test.cpp.
#include <gtest/gtest.h>

#include "tests/timing/chip_support.h"
#include "tests/unit/mapper/place/networks.h"

namespace bitline::timing_test {
namespace {

using place::testing::GraphBuilder;

/// Layers after the first use its crossbars.
std::vector<place::LayerId> first_layers(std::size_t layers) {
  std::vector<place::LayerId> shares(layers, 0);
  shares[0] = -1;
  return shares;
}

/// A chain of layers of 16 inputs and 16 outputs.
std::shared_ptr<const graph::Graph> chain(int layers) {
  GraphBuilder g;
  graph::ValueId x = g.input({1, 16});
  for (int i = 0; i < layers; ++i) x = g.linear(x, 16);
  return g.output(x);
}

TEST(SharedTiming, OneSequenceTakesAsLongAsOnCrossbarsOfItsOwn) {
  arch::Arch machine = round_machine();
  machine.tile.imas = 6;  // so that the separate layers, too, lie in one tile
  const Figures own = run(place_network(chain(3), machine));
  const Figures shared = run(place_network(chain(3), machine, first_layers(3)));
  EXPECT_EQ(shared.at("total"), own.at("total"));
  for (const char* stage : {"stage.1.first_start", "stage.2.first_start", "stage.3.first_start"})
    EXPECT_EQ(shared.at(stage), own.at(stage));
  EXPECT_EQ(own.at("use.ima.instances"), 3 * shared.at("use.ima.instances"));
  EXPECT_EQ(own.at("use.ima.busy"), shared.at("use.ima.busy"));
}

TEST(SharedTiming, TheNextSequenceWaitsForTheLastLayerOfTheOneBefore) {
  arch::Arch machine = round_machine();
  machine.tile.imas = 6;
  const Figures one = run(place_network(chain(3), machine, first_layers(3)));
  const Figures two = run(place_network(chain(3), machine, first_layers(3)), 2);
  const Figures own = run(place_network(chain(3), machine), 2);
  EXPECT_EQ(two.at("image_end.0"), one.at("image_end.0"));
  // The first layer starts with the second sequence when the third has drained the first one: three layers'
  // time later, where layers of their own would follow each other layer by layer.
  const std::int64_t layer = one.at("stage.3.first_start") - one.at("stage.2.first_start");
  EXPECT_GE(two.at("image_end.1") - two.at("image_end.0"), 2 * layer);
  EXPECT_LT(own.at("image_end.1") - own.at("image_end.0"), two.at("image_end.1") - two.at("image_end.0"));
}

TEST(SharedTiming, ParallelLayersTakeTurnsWithoutADeadlock) {
  GraphBuilder g;
  const graph::ValueId x = g.conv(g.input({1, 4, 6, 6}), 4, 1, 1, 0);
  const auto graph = g.output(g.add(g.conv(x, 4, 3, 1, 1), g.conv(x, 4, 3, 1, 1)));
  const Figures f = run(place_network(graph, round_machine(), {-1, -1, 1}), 3);
  EXPECT_EQ(f.at("stage.2.windows"), 3 * 36);
  EXPECT_EQ(f.at("stage.3.windows"), 3 * 36);
  EXPECT_GT(f.at("stage.3.first_start"), f.at("stage.2.first_start"));
}

}  // namespace
}  // namespace bitline::timing_test
