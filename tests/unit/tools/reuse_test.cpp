// SPDX-License-Identifier: Apache-2.0
// What is known of layers from other networks changes no figure, and saves computing them again.
#include <gtest/gtest.h>

#include <array>
#include <random>
#include <set>
#include <tuple>

#include "mapper/graph/signs.h"
#include "models/arch/arch_loader.h"
#include "sim/analyse.h"
#include "sim/result/json.h"
#include "tools/oracle/oracle.h"

namespace bitline::oracle {
namespace {

constexpr std::array kOperations = {"max_pool_3x3", "avg_pool_3x3", "skip_connect", "sep_conv_3x3",
                                    "sep_conv_5x5", "dil_conv_3x3", "dil_conv_5x5"};

struct Edge {
  std::string operation;
  unsigned input;
};
using Cell = std::array<Edge, 8>;

struct Genotype {
  Cell normal, reduce;
  std::int64_t layers = 3, channels = 4, resolution = 8;

  [[nodiscard]] std::shared_ptr<const graph::Graph> graph() const {
    const auto text = [](const Cell& cell) {
      Json json = Json::array();
      for (const Edge& edge : cell) json.push_back({edge.operation, edge.input});
      return json;
    };
    workloads::Options options;
    options.genotype = Json{{"normal", text(normal)}, {"reduce", text(reduce)}}.dump();
    options.layers = layers;
    options.channels = channels;
    options.resolution = resolution;
    return std::make_shared<const graph::Graph>(workloads::make_shapes("darts", options));
  }
};

class Random {
 public:
  explicit Random(std::uint32_t seed) : random_(seed) {}
  unsigned below(std::size_t end) { return static_cast<unsigned>(random_() % end); }

  Cell cell() {
    Cell cell;
    for (unsigned node = 0; node < 4; ++node) {
      const unsigned first = below(node + 2);
      cell[2 * node] = {kOperations[below(kOperations.size())], first};
      cell[2 * node + 1] = {kOperations[below(kOperations.size())],
                            (first + 1 + below(node + 1)) % (node + 2)};
    }
    return cell;
  }
  Genotype genotype() {
    Genotype g{cell(), cell()};
    g.layers = 2 + below(3);
    g.channels = 4 + 4 * below(3);
    g.resolution = 8 + 4 * below(3);
    return g;
  }
  /// One edge with another operation.
  Genotype mutated(Genotype g) {
    Edge& edge = (below(2) == 0 ? g.normal : g.reduce)[below(8)];
    const std::string before = edge.operation;
    while (edge.operation == before) edge.operation = kOperations[below(kOperations.size())];
    return g;
  }

 private:
  std::mt19937 random_;
};

/// All fields, but how long it took.
Json figures(result::Result r) {
  r.wall_time = {};
  return Json::parse(result::to_json(r));
}

arch::LoadedArch machine(const std::string& name, const std::vector<std::string>& overrides) {
  return arch::load_arch(std::string(BITLINE_SOURCE_DIR) + "/configs/" + name + ".yaml", overrides);
}

/// Networks and one-edge mutations of them on one machine, one after another with all that is known so far
/// against each with nothing known.
void expect_no_difference(const arch::LoadedArch& loaded, int networks, std::uint32_t seed) {
  const sim::KnownLayers known(loaded);
  Random random(seed);
  for (int n = 0; n < networks; ++n) {
    const Genotype parent = random.genotype();
    for (const Genotype& g : {parent, random.mutated(parent), random.mutated(parent)}) {
      const auto graph = g.graph();
      const std::int64_t batch = 1 + random.below(6);
      const result::Result whole = sim::analyse(loaded, graph, batch, {});
      EXPECT_EQ(figures(sim::analyse(known, graph, batch, {})), figures(whole)) << "network " << n;
      EXPECT_EQ(cost_json(sim::analyse(known, graph, batch, {}, sim::Rows::none), false),
                cost_json(whole, false))
          << "network " << n;
    }
  }
  const sim::KnownLayers::Counts counts = known.counts();
  EXPECT_GT(counts.cuts_asked, 5 * counts.cuts_made);
  // Under centre_offset additions depend on which crossbars lie in the same IMA.
  if (loaded.arch.encoding.weights == arch::WeightEncoding::centre_offset) return;
  EXPECT_GT(counts.activities_asked, 2 * counts.activities_made);
}

TEST(Reuse, ChangesNoFigureOnIsaac) {
  expect_no_difference(machine("isaac", {}), 30, 1);
}
TEST(Reuse, ChangesNoFigureOnIsaac8bit) {
  expect_no_difference(machine("isaac-8bit", {}), 30, 2);
}
TEST(Reuse, ChangesNoFigureOnBitsliceL1) {
  expect_no_difference(machine("bitslice-l1", {}), 30, 3);
}
TEST(Reuse, ChangesNoFigureOnRaella) {
  expect_no_difference(machine("raella", {}), 10, 4);
}
TEST(Reuse, ChangesNoFigureOfBalancedCopies) {
  expect_no_difference(machine("isaac-8bit", {"mapping.replication=balanced"}), 3, 5);
}
TEST(Reuse, ChangesNoFigureOfLayersOfTheirOwn) {
  expect_no_difference(machine("isaac-8bit", {"mapping.depthwise=digital", "mapping.oversize=more_chips"}),
                       10, 6);
}

/// What a layer's crossbars follow from, and what its activity does, read off the graph.
using Shape = std::tuple<std::int64_t, std::int64_t, std::int64_t, bool>;
using Use = std::tuple<Shape, std::int64_t, int, std::int64_t>;
struct Layers {
  std::set<Shape> shapes;
  std::set<Use> uses;
  std::int64_t all = 0;
};

Layers layers_of(const graph::Graph& graph) {
  const std::vector<bool> negative = graph::can_be_negative(graph, false);
  Layers layers;
  for (const graph::Node& node : graph.nodes) {
    const auto* conv = std::get_if<graph::ConvAttributes>(&node.attributes);
    const auto* linear = std::get_if<graph::LinearAttributes>(&node.attributes);
    if (conv == nullptr && linear == nullptr) continue;
    ++layers.all;
    const graph::ValueId input = node.inputs.front();
    const graph::Shape& weight = conv != nullptr ? conv->weight->shape : linear->weight->shape;
    const std::int64_t groups = conv != nullptr ? conv->group : 1;
    const bool is_signed = negative[static_cast<std::size_t>(input)];
    const Shape shape{groups, weight[0] / groups, tensor::element_count(weight) / weight[0], is_signed};
    layers.shapes.insert(shape);
    // Where its inputs come from, its windows, and how many pixels in all of them are not padding.
    const graph::NodeId producer = graph.values[static_cast<std::size_t>(input)].producer;
    const auto* before =
        producer < 0 ? nullptr : std::get_if<graph::ConvAttributes>(&graph.node(producer).attributes);
    const int kind = producer < 0 ? 0 : !is_signed ? 1 : before != nullptr && before->group > 1 ? 2 : 3;
    const graph::Shape& out = graph.shape(node.outputs.front());
    const std::int64_t windows = out.size() == 4 ? out[2] * out[3] : 1;
    std::int64_t inside = 1;
    for (std::size_t d = 0; conv != nullptr && d < 2; ++d) {
      std::int64_t along = 0;
      for (std::int64_t o = 0; o < out[2 + d]; ++o) {
        for (std::int64_t tap = 0; tap < conv->kernel[d]; ++tap) {
          const std::int64_t at = o * conv->strides[d] - conv->pads[d] + tap * conv->dilations[d];
          along += at >= 0 && at < graph.shape(input)[2 + d] ? 1 : 0;
        }
      }
      inside *= along;
    }
    layers.uses.insert({shape, windows, kind, inside});
  }
  return layers;
}

template <class T>
std::int64_t new_ones(const std::set<T>& after, const std::set<T>& before) {
  std::int64_t count = 0;
  for (const T& one : after) count += before.count(one) == 0 ? 1 : 0;
  return count;
}

TEST(Reuse, OneChangedEdgePaysForOneEdge) {
  const sim::KnownLayers known(machine("isaac-8bit", {}));
  Random random(7);
  Layers before;
  int paid = 0;
  for (int n = 0; n < 30; ++n) {
    const auto evaluate = [&](const Genotype& g) {
      const Layers layers = layers_of(*g.graph());
      const sim::KnownLayers::Counts start = known.counts();
      static_cast<void>(sim::analyse(known, g.graph(), 1, {}));
      const sim::KnownLayers::Counts end = known.counts();
      EXPECT_EQ(end.cuts_asked - start.cuts_asked, layers.all);
      EXPECT_EQ(end.activities_asked - start.activities_asked, layers.all);
      EXPECT_EQ(end.cuts_made - start.cuts_made, new_ones(layers.shapes, before.shapes));
      EXPECT_EQ(end.activities_made - start.activities_made, new_ones(layers.uses, before.uses)) << n;
      before.shapes.insert(layers.shapes.begin(), layers.shapes.end());
      before.uses.insert(layers.uses.begin(), layers.uses.end());
      return end.cuts_made - start.cuts_made;
    };
    // Channels of its own, so that other networks leave little known.
    Genotype parent = random.genotype();
    parent.channels = 20 + 2 * n;
    for (Cell* cell : {&parent.normal, &parent.reduce}) {
      for (Edge& edge : *cell)
        if (edge.operation.ends_with("5x5")) edge.operation = "skip_connect";  // left for the mutation
    }
    evaluate(parent);
    EXPECT_EQ(evaluate(parent), 0);
    const Genotype child = random.mutated(parent);
    // At most the layers of one operation, at the channels of three stages.
    const std::int64_t of_child = evaluate(child);
    EXPECT_LE(of_child, 3 * 4);
    paid += of_child > 0 ? 1 : 0;
  }
  EXPECT_GT(paid, 3);  // some mutations brought layers that were new
}

TEST(Reuse, ForgetsWhatIsTooMuch) {
  const arch::LoadedArch loaded = machine("isaac-8bit", {});
  const sim::KnownLayers few(loaded, 5);
  Random random(8);
  const auto graph = random.genotype().graph();
  const Json expected = figures(sim::analyse(loaded, graph, 1, {}));
  for (int i = 0; i < 2; ++i) EXPECT_EQ(figures(sim::analyse(few, graph, 1, {})), expected);
  const sim::KnownLayers::Counts counts = few.counts();
  const Layers layers = layers_of(*graph);
  EXPECT_GT(counts.cuts_made, static_cast<std::int64_t>(layers.shapes.size()));
}

TEST(Reuse, TheOracleCountsByMachine) {
  Oracle oracle("none");
  Request request;
  request.arch = std::string(BITLINE_SOURCE_DIR) + "/configs/isaac-8bit.yaml";
  request.network.workload = "resnet20";
  Request other = request;
  other.overrides = {"chip.tiles=200"};
  static_cast<void>(oracle.analyse(request));
  static_cast<void>(oracle.analyse(other));
  static_cast<void>(oracle.analyse(request));
  EXPECT_EQ(oracle.layer_counts(request).cuts_asked, 2 * oracle.layer_counts(other).cuts_asked);
  EXPECT_EQ(oracle.layer_counts(request).cuts_made, oracle.layer_counts(other).cuts_made);
}

}  // namespace
}  // namespace bitline::oracle
