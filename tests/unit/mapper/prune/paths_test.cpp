// SPDX-License-Identifier: Apache-2.0
#include "mapper/prune/paths.h"

#include <gmock/gmock.h>

namespace bitline::prune {
namespace {

using graph::Op;
using testing::ElementsAre;
using testing::IsEmpty;

/// Networks of 1x1 convolutions on 2x2 pixels, a node after another.
class Network {
 public:
  explicit Network(std::int64_t channels) { value("x", channels, -1); }

  int conv(int x, std::int64_t outputs, std::vector<float> weights, std::vector<float> bias = {}) {
    graph::ConvAttributes conv{{1, 1}, {1, 1}, {0, 0, 0, 0}, {1, 1}, 1, nullptr, nullptr};
    const std::int64_t inputs = graph_.shape(x)[1];
    conv.weight =
        std::make_shared<tensor::Tensor>(tensor::Tensor{{outputs, inputs, 1, 1}, std::move(weights)});
    if (!bias.empty())
      conv.bias = std::make_shared<tensor::Tensor>(tensor::Tensor{{outputs}, std::move(bias)});
    return node(Op::conv, {x}, outputs, std::move(conv));
  }
  int node(Op op, graph::ValueIds inputs, std::int64_t channels, graph::Attributes attributes = {}) {
    const auto id = static_cast<int>(graph_.nodes.size());
    const std::string name = std::string("n").append(std::to_string(id));
    const int out = value(name, channels, id);
    graph_.nodes.push_back({name, "", op, std::move(attributes), std::move(inputs), {out}});
    return out;
  }

  Paths pruned(int output) {
    graph_.inputs = {0};
    graph_.outputs = {output};
    auto graph = std::make_shared<const graph::Graph>(graph_);
    const std::vector<quantize::Range> ranges(graph->values.size(), {0.0, 1.0});
    return remove_unused_paths(graph, quantize::quantize(*graph, ranges, {}));
  }

 private:
  int value(const std::string& name, std::int64_t channels, int producer) {
    graph_.values.push_back({name, {1, channels, 2, 2}, producer, nullptr});
    return static_cast<int>(graph_.values.size()) - 1;
  }
  graph::Graph graph_;
};

std::int64_t channels(const Paths& paths, int value) {
  return paths.graph->shape(value)[1];
}

TEST(Paths, ThroughAddBothProducersMustBeEmptyOrUnread) {
  Network net(1);
  const int a = net.conv(0, 3, {1, 0, 0});
  const int b = net.conv(0, 3, {1, 1, 0});
  const int sum = net.node(Op::add, {a, b}, 3);
  const int y = net.conv(sum, 2, {1, 1, 1, 1, 1, 1});
  const Paths paths = net.pruned(y);
  EXPECT_EQ(channels(paths, sum), 2);  // channel 2 is zero in both, channel 1 in one only
  EXPECT_EQ(channels(paths, a), 2);
  EXPECT_THAT(paths.layers[2].weights.codes, testing::SizeIs(4));
  EXPECT_THAT(paths.folded[2], IsEmpty());
}

TEST(Paths, ThroughConcatAndBack) {
  Network net(1);
  const int a = net.conv(0, 2, {1, 1});
  const int b = net.conv(0, 2, {0, 1});
  const int both = net.node(Op::concat, {a, b}, 4, graph::AxisAttributes{1});
  const int relu = net.node(Op::relu, {both}, 4);
  const int y = net.conv(relu, 1, {1, 0, 1, 1});  // does not read channel 1; channel 2 is empty
  const Paths paths = net.pruned(y);
  EXPECT_EQ(channels(paths, a), 1);
  EXPECT_EQ(channels(paths, b), 1);
  EXPECT_EQ(channels(paths, relu), 2);
}

TEST(Paths, TheShiftOfABatchNormalisationIsFolded) {
  Network net(1);
  const int a = net.conv(0, 2, {0, 1});
  const int scaled = net.node(Op::scale_shift, {a}, 2, graph::ScaleShiftAttributes{{2, 2}, {0.5, 0.25}});
  const int y = net.conv(scaled, 2, {1, 1, -0.5, 1});
  const Paths paths = net.pruned(y);
  EXPECT_EQ(channels(paths, a), 1);
  const auto& cut = std::get<graph::ScaleShiftAttributes>(paths.graph->nodes[1].attributes);
  EXPECT_THAT(cut.shift, ElementsAre(0.25F));
  // 16 bits: 0.5 has code rint(0.5 * 65535), the weights 32767 and -16384 (half to even).
  EXPECT_THAT(paths.folded[1], ElementsAre(32768LL * 32767, 32768LL * -16384));
}

TEST(Paths, WhatReachesAnOutputStays) {
  Network net(1);
  const int a = net.conv(0, 2, {0, 1}, {0.5, 0});
  const Paths paths = net.pruned(net.node(Op::relu, {a}, 2));
  EXPECT_EQ(channels(paths, a), 2);
}

TEST(Paths, ADeadLayerKeepsOneChannel) {
  Network net(1);
  const int a = net.conv(0, 4, {1, 1, 1, 1});
  const int y = net.conv(a, 1, {0, 0, 0, 0});
  const Paths paths = net.pruned(y);
  EXPECT_EQ(channels(paths, a), 1);
  EXPECT_EQ(channels(paths, y), 1);
}

TEST(Paths, ASecondPassFindsNothing) {
  Network net(1);
  const int a = net.conv(0, 4, {1, 0, 1, 1}, {0, 0.5, 0, 0});
  const int b = net.conv(a, 4, {1, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0});
  const int c = net.conv(b, 2, {1, 1, 1, 0, 0, 1, 1, 0});
  const Paths once = net.pruned(c);
  EXPECT_EQ(channels(once, a), 1);
  EXPECT_EQ(channels(once, b), 1);
  const Paths twice = remove_unused_paths(once.graph, once.layers);
  for (const int v : {a, b, c}) EXPECT_EQ(channels(twice, v), channels(once, v));
  for (std::size_t l = 0; l < 3; ++l) EXPECT_EQ(twice.layers[l].weights.codes, once.layers[l].weights.codes);
}

}  // namespace
}  // namespace bitline::prune
