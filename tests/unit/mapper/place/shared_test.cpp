// SPDX-License-Identifier: Apache-2.0
// Layers with the same weights on one set of crossbars.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mapper/graph/shared_weights.h"
#include "tests/unit/mapper/place/networks.h"

namespace bitline::place {
namespace {

using ::testing::ElementsAre;
using testing::GraphBuilder;
using testing::sliced_layers;

std::shared_ptr<const graph::Graph> chain(int layers) {
  GraphBuilder g;
  graph::ValueId x = g.input({1, 64});
  for (int i = 0; i < layers; ++i) x = g.linear(x, 64);
  return g.output(x);
}

Program placed(int layers, bool shared, const arch::Arch& arch) {
  const auto graph = chain(layers);
  std::vector<LayerInput> inputs = sliced_layers(*graph, arch);
  for (std::size_t l = 1; l < inputs.size() && shared; ++l) inputs[l] = {inputs[l].node, inputs[0].sliced, 0};
  return place(graph, arch, inputs);
}

TEST(SharedCrossbars, AreCountedOnce) {
  const arch::Arch arch;
  const Program own = placed(3, false, arch);
  const Program shared = placed(3, true, arch);
  EXPECT_EQ(own.crossbars_used, 3 * shared.crossbars_used);
  EXPECT_EQ(shared.crossbars_used, shared.layers[0].crossbars);
  for (std::size_t l = 1; l < 3; ++l) {
    const LayerPlacement& layer = shared.layers[l];
    EXPECT_EQ(layer.shares, 0);
    EXPECT_EQ(layer.crossbars, 0);
    ASSERT_EQ(layer.imas.size(), shared.layers[0].imas.size());
    for (std::size_t i = 0; i < layer.imas.size(); ++i) {
      EXPECT_EQ(layer.imas[i].tile, shared.layers[0].imas[i].tile);
      EXPECT_EQ(layer.imas[i].ima, shared.layers[0].imas[i].ima);
    }
  }
  // The first waits for the last one's image before.
  EXPECT_EQ(shared.layers[0].after, 2);
  EXPECT_EQ(shared.layers[1].after, 0);
  EXPECT_EQ(shared.layers[2].after, 1);
  EXPECT_EQ(own.layers[1].after, -1);
}

TEST(SharedCrossbars, HaveTheCopiesOfTheirFirstLayer) {
  arch::Arch arch;
  arch.mapping.replication = arch::Replication::balanced;
  for (const LayerPlacement& layer : placed(3, true, arch).layers) EXPECT_EQ(layer.replicas, 1);
  GraphBuilder g;
  const graph::ValueId x = g.conv(g.input({1, 8, 8, 8}), 8, 3, 1, 1);
  const auto graph = g.output(g.conv(x, 8, 3, 1, 1));
  arch.mapping.replication = arch::Replication::per_layer;
  arch.mapping.replicas = {3, 1};
  std::vector<LayerInput> inputs = sliced_layers(*graph, arch);
  inputs[1] = {inputs[1].node, inputs[0].sliced, 0};
  const Program program = place(graph, arch, inputs);
  EXPECT_EQ(program.layers[0].replicas, 3);
  EXPECT_EQ(program.layers[1].replicas, 3);
  EXPECT_EQ(program.crossbars_used, program.layers[0].crossbars);
}

TEST(SharedCrossbars, ABranchThatWaitsIsBufferedWhole) {
  GraphBuilder g;
  const graph::ValueId x = g.conv(g.input({1, 8, 8, 8}), 8, 1, 1, 0);
  const auto graph = g.output(g.add(g.conv(x, 8, 1, 1, 0), g.conv(x, 8, 1, 1, 0)));
  const arch::Arch arch;
  std::vector<LayerInput> inputs = sliced_layers(*graph, arch);
  inputs[2] = {inputs[2].node, inputs[1].sliced, 1};
  const Program program = place(graph, arch, inputs);
  const Stage& waiting = program.stages[static_cast<std::size_t>(program.layers[2].stage)];
  EXPECT_GE(program.edges[static_cast<std::size_t>(waiting.inputs[0])].capacity, 64);
}

TEST(FirstWithWeights, AreTensorsAndGridsNotValues) {
  graph::Graph g;
  const auto weight =
      std::make_shared<const tensor::Tensor>(tensor::Tensor{{2, 2}, std::vector<float>(4, 1.0F)});
  const auto equal = std::make_shared<const tensor::Tensor>(*weight);
  const auto grid = std::make_shared<const graph::Grid>();
  const auto add = [&](const std::shared_ptr<const tensor::Tensor>& w,
                       const std::shared_ptr<const graph::Grid>& on) {
    g.nodes.push_back({"fc", "Gemm", graph::Op::linear, graph::LinearAttributes{w, nullptr, on}, {0}, {0}});
  };
  add(weight, nullptr);
  add(equal, nullptr);
  add(weight, grid);
  add(weight, nullptr);
  g.nodes.push_back({"r", "Relu", graph::Op::relu, {}, {0}, {0}});
  add(weight, grid);
  EXPECT_THAT(graph::first_with_weights(g), ElementsAre(0, 1, 2, 0, 4, 2));
}

}  // namespace
}  // namespace bitline::place
