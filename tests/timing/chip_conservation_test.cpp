// SPDX-License-Identifier: Apache-2.0
// What holds for every chip: counts equal closed forms of the program, totals equal sums, structural equals
// cycle, runs repeat exactly, and a pipeline that cannot go on says so.
#include <gtest/gtest.h>

#include "tests/timing/chip_support.h"
#include "tests/unit/mapper/place/networks.h"

namespace bitline::timing_test {
namespace {

using place::testing::GraphBuilder;

/// Convolutions with stride, groups and several row blocks, a residual, global pooling and a wide last layer,
/// on several tiles.
Network mixed_network(int active_rows = 16) {
  GraphBuilder g;
  const auto x = g.relu(g.conv(g.input({1, 3, 9, 7}), 8, 3, 2, 1));
  const auto grouped = g.conv(x, 8, 3, 1, 1, 4);
  const auto sum = g.relu(g.add(g.conv(grouped, 8, 1, 1, 0), x));
  const auto wide = g.conv(sum, 20, 3, 1, 0);
  arch::Arch arch = round_machine();
  arch.chip.tiles = 64;
  arch.chip.mesh_width = 8;
  arch.noc.tiles_per_router = 2;
  arch.crossbar.active_rows = active_rows;
  return place_network(g.output(g.linear(g.flatten(g.global_pool(wide)), 10)), arch);
}

std::string stage(std::size_t s, const char* figure) {
  return "stage." + std::to_string(s) + "." + figure;
}

TEST(ChipConservation, CountsEqualTheirClosedForms) {
  constexpr std::int64_t kImages = 2;
  const Network network = mixed_network();
  const place::Program& program = network.program;
  const Figures f = simulate(network, kImages);
  std::int64_t fills = 0, drains = 0, writes = 0, reads = 0, additions = 0, link = 0, several_parts = 0;
  for (std::size_t s = 0; s < program.stages.size(); ++s) {
    const place::Stage& p = program.stages[s];
    EXPECT_EQ(f.at(stage(s, "windows")), p.pixels * kImages) << p.name;
    if (p.kind == place::StageKind::input || p.kind == place::StageKind::output)
      link += p.pixels * p.pixel_bytes;
  }
  for (const place::LayerPlacement& layer : program.layers) {
    for (const place::ImaPart& ima : layer.imas) {
      fills += layer.windows * ima.input_bytes;
      drains += layer.windows * ima.results();
      reads += layer.windows * ((ima.input_bytes * 8 + 31) / 32);
    }
    for (const place::Join& join : layer.joins) {
      additions += layer.windows * (join.parts - 1) * join.outputs;
      several_parts += join.parts > 1 ? 1 : 0;
    }
  }
  EXPECT_GT(several_parts, 0);
  EXPECT_EQ(f.at("action.input_register_write"), kImages * fills);
  EXPECT_EQ(f.at("action.output_register_write"), kImages * drains * 2);
  EXPECT_EQ(f.at("action.output_register_read"), kImages * drains * 2);
  EXPECT_EQ(f.at("action.bus_transfer"), kImages * (fills * 8 + drains * 16));
  EXPECT_EQ(f.at("action.tile_shift_add"), kImages * additions);
  EXPECT_EQ(f.at("action.chip_link_byte"), kImages * link);
  // eDRAM: fills, the addition's two pixels, every pixel of the pooling once; writes by delivery where the
  // source is one join, which every edge of this network's digital and input stages has.
  for (const place::Edge& edge : program.edges) {
    const place::Stage& producer = program.stages[static_cast<std::size_t>(edge.producer)];
    const place::Stage& consumer = program.stages[static_cast<std::size_t>(edge.consumer)];
    for (const place::Delivery& d : edge.deliveries) {
      const std::int64_t accesses = (d.pixel_bytes * 8 + 31) / 32;
      if (consumer.kind == place::StageKind::digital && edge.window.kind == place::Window::Kind::reduce) {
        reads += producer.pixels * accesses;
      }
      if (producer.kind == place::StageKind::input) writes += producer.pixels * accesses;
    }
    if (consumer.kind == place::StageKind::digital && edge.window.kind == place::Window::Kind::pixelwise &&
        consumer.inputs.front() == static_cast<int>(&edge - program.edges.data())) {
      std::int64_t bytes = 0;
      for (const int e : consumer.inputs)
        bytes += program.edges[static_cast<std::size_t>(e)].deliveries[0].pixel_bytes;
      reads += consumer.pixels * ((bytes * 8 + 31) / 32);
    }
  }
  EXPECT_EQ(f.at("action.edram_read"), kImages * reads);
  EXPECT_EQ(f.at(stage(0, "edram_write")), kImages * writes);
}

TEST(ChipConservation, TotalsAreTheSumsOfTheStages) {
  const Network network = mixed_network();
  const Figures f = simulate(network);
  int checked = 0;
  for (const auto& [name, value] : f) {
    if (name.rfind("action.", 0) != 0) continue;
    std::int64_t sum = 0;
    for (std::size_t s = 0; s < network.program.stages.size(); ++s) sum += f.at(stage(s, name.c_str() + 7));
    EXPECT_EQ(value, sum) << name;
    checked += value > 0 ? 1 : 0;
  }
  EXPECT_GT(checked, 10);
}

TEST(ChipConservation, StructuralEqualsCycle) {
  for (const int active_rows : {16, 8, 5}) {
    const Network network = mixed_network(active_rows);
    const Figures cycle = simulate(network, 2);
    const Figures structural = simulate_structural(network, 2);
    for (const auto& [name, value] : cycle) EXPECT_EQ(structural.at(name), value) << name;
    EXPECT_GT(structural.at("sums"), 1000);
    EXPECT_EQ(structural.at("mismatches"), 0);
  }
}

TEST(ChipConservation, TimesAreConsistent) {
  const Network network = mixed_network();
  const Figures f = simulate(network, 3);
  EXPECT_EQ(f.at("total"), f.at("image_end.2"));
  EXPECT_LT(f.at("image_end.0"), f.at("image_end.1"));
  for (std::size_t s = 0; s < network.program.stages.size(); ++s) {
    EXPECT_GT(f.at(stage(s, "busy")), 0);
    EXPECT_LE(f.at(stage(s, "first_start")) + f.at(stage(s, "busy")) + f.at(stage(s, "input_stall")) +
                  f.at(stage(s, "output_stall")),
              f.at(stage(s, "last_end")));
  }
  // An image alone takes as long as the first of several.
  EXPECT_EQ(simulate(network).at("total"), f.at("image_end.0"));
}

TEST(ChipConservation, RunsRepeat) {
  const Network network = mixed_network();
  EXPECT_EQ(simulate(network, 2), simulate(network, 2));
}

TEST(ChipErrors, APipelineThatStopsNamesItsStages) {
  Network network = mixed_network();
  network.program.edges[1].capacity = 0;
  const Figures f = simulate(network);
  ASSERT_EQ(f.size(), 1u);
  const std::string message = f.begin()->first;
  EXPECT_NE(message.find(network.program.stages[1].name +
                         ": stopped after 0 of 20 output pixels, waits for room in a "
                         "consumer's buffer"),
            std::string::npos)
      << message;
  EXPECT_NE(message.find("waits for input pixels"), std::string::npos) << message;
}

TEST(ChipErrors, OneSimulationPerProcess) {
  const Network network = mixed_network();
  const Figures f = in_child([&] {
    static_cast<void>(cycle::simulate_cycles(network.program, network.arch, network.layers));
    static_cast<void>(cycle::simulate_cycles(network.program, network.arch, network.layers));
    return Figures{};
  });
  ASSERT_EQ(f.size(), 1u);
  EXPECT_NE(f.begin()->first.find("a second simulation in one process"), std::string::npos)
      << f.begin()->first;
}

TEST(ChipErrors, WallClockLimit) {
  const Network network = mixed_network();
  const Figures f = in_child([&] {
    cycle::CycleOptions options;
    options.images = 100'000;
    options.wall_clock_limit_s = 0.05;
    return figures_of(cycle::simulate_cycles(network.program, network.arch, network.layers, options));
  });
  ASSERT_EQ(f.size(), 1u);
  EXPECT_NE(f.begin()->first.find("wall-clock limit"), std::string::npos) << f.begin()->first;
}

TEST(ChipErrors, AnExceptionOfACallbackComesThrough) {
  const Network network = mixed_network();
  const Figures f = in_child([&] {
    cycle::StructuralData data;
    data.input = [](const cycle::MvmId&, std::vector<std::int32_t>&) {
      throw std::runtime_error("no such window");
    };
    data.result = [](const cycle::MvmId&, std::span<const int>, std::span<const std::int64_t>) {};
    cycle::CycleOptions options;
    options.structural = &data;
    return figures_of(cycle::simulate_cycles(network.program, network.arch, network.layers, options));
  });
  EXPECT_EQ(f, (Figures{{"error: no such window", 1}}));
}

}  // namespace
}  // namespace bitline::timing_test
