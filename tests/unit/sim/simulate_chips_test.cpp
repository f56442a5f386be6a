// SPDX-License-Identifier: Apache-2.0
// Faults from a file, and the faults that hurt most.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>

#include "models/arch/arch_loader.h"
#include "models/base/errors.h"
#include "sim/chips.h"
#include "sim/faults.h"

namespace bitline::sim {
namespace {

const arch::Arch& any_machine() {
  static const arch::Arch arch;
  return arch;
}

using device::Stuck;
using ::testing::HasSubstr;

class FaultMap : public testing::Test {
 protected:
  FaultMap() : path_(testing::TempDir() + "/faults.csv") {}
  ~FaultMap() override { std::filesystem::remove(path_); }
  auto read(const std::string& text) {
    std::ofstream(path_) << text;
    return read_fault_map(path_, any_machine());
  }
  std::vector<base::Problem> problems(const std::string& text) {
    try {
      (void)read(text);
    } catch (const base::ConfigError& error) {
      return error.problems();
    }
    return {};
  }
  std::string path_;
};

TEST_F(FaultMap, ListsCells) {
  const auto faults = read("# a chip\n\n0,1,2,3,4,off\n 5 , 6 , 7 , 8 , 127 , on \r\n");
  ASSERT_EQ(faults.size(), 2U);
  EXPECT_EQ(faults.at({0, 1, 2, 3, 4}), Stuck::off);
  EXPECT_EQ(faults.at({5, 6, 7, 8, 127}), Stuck::on);
}

TEST_F(FaultMap, NamesEveryFaultyLine) {
  const auto found = problems(
      "0,0,0,0,off\n0,0,0,0,x,on\n168,0,0,0,0,on\n0,0,0,128,0,on\n0,0,0,0,0,up\n1,1,1,1,1,on\n1,1,1,1,1,"
      "off\n");
  ASSERT_EQ(found.size(), 6U);
  EXPECT_EQ(found[0].where, path_ + ":1");
  EXPECT_THAT(found[0].given, HasSubstr("5 fields"));
  EXPECT_THAT(found[0].allowed, HasSubstr("tile,ima,crossbar,row,column,off (or on)"));
  EXPECT_THAT(found[1].given, HasSubstr("'x' is no column"));
  EXPECT_THAT(found[2].given, HasSubstr("tile 168"));
  EXPECT_THAT(found[2].allowed, HasSubstr("0 ... 167, less than chip.tiles"));
  EXPECT_THAT(found[3].allowed, HasSubstr("less than crossbar.rows"));
  EXPECT_THAT(found[4].given, HasSubstr("state 'up'"));
  EXPECT_EQ(found[5].where, path_ + ":7");
  EXPECT_THAT(found[5].given, HasSubstr("a line above"));
}

TEST_F(FaultMap, EndsAfterManyFaults) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "nothing\n";
  EXPECT_EQ(problems(text).size(), 20U);
}

TEST(FaultMapFile, MustBeThere) {
  try {
    (void)read_fault_map("/nowhere/faults.csv", any_machine());
    FAIL();
  } catch (const base::ConfigError& error) {
    EXPECT_THAT(error.what(), HasSubstr("device.stuck.map: /nowhere/faults.csv"));
  }
}

constexpr int kInputs = 9;
constexpr int kOutputs = 4;

std::shared_ptr<const graph::Graph> one_layer() {
  auto graph = std::make_shared<graph::Graph>();
  graph->name = "layer";
  std::mt19937 random(3);
  std::vector<float> weights(kInputs * kOutputs);
  for (float& w : weights) w = static_cast<float>(static_cast<int>(random() % 2001) - 1000) / 1000.0F;
  graph->values = {{.name = "x", .shape = {1, kInputs}, .producer = -1, .constant = nullptr},
                   {.name = "y", .shape = {1, kOutputs}, .producer = 0, .constant = nullptr}};
  graph->nodes = {
      {.name = "fc",
       .onnx_type = "Gemm",
       .op = graph::Op::linear,
       .attributes = graph::LinearAttributes{.weight = std::make_shared<tensor::Tensor>(
                                                 tensor::Tensor{{kOutputs, kInputs}, std::move(weights)}),
                                             .bias = nullptr},
       .inputs = {0},
       .outputs = {1}}};
  graph->inputs = {0};
  graph->outputs = {1};
  return graph;
}

class WorstCells : public testing::Test {
 protected:
  WorstCells() {
    std::mt19937 random(4);
    for (int image = 0; image < 12; ++image) {
      std::vector<float> x(kInputs);
      for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(random() % 16 * (i + 1)) / 16.0F;
      images_.push_back({tensor::Tensor{{1, kInputs}, std::move(x)}});
    }
  }
  Mapping map(const std::vector<std::string>& more) const {
    std::vector<std::string> sets{"precision.weights.bits=5",      "precision.activations.bits=4",
                                  "adc.resolution.policy=fixed",   "adc.resolution.bits=12",
                                  "encoding.weights=differential", "ima.output_register.capacity=1 KiB"};
    sets.insert(sets.end(), more.begin(), more.end());
    const auto graph = one_layer();
    return map_network(
        arch::parse_arch("name: test", "test", sets), graph,
        quantize::calibrate(reference::Executor(graph), images_, arch::PrecisionParams{}.activations));
  }
  static engine::NetworkFunction function(const Mapping& mapping) {
    return {mapping.graph, {{mapping.quants[0], mapping.sliced[0], {}}}, false};
  }
  /// What really happens to the outputs when one cell is stuck: squares summed over images.
  [[nodiscard]] double harm(const Mapping& mapping, const engine::NetworkFunction& network,
                            const engine::WeightCell& cell, Stuck stuck) const {
    engine::AnalogSetup setup = analog_setup(mapping.arch(), 1);
    setup.faults.by_weight[cell] = stuck;
    const engine::AnalogChip chip(analog_sources(mapping), setup);
    double squares = 0;
    for (const quantize::Inputs& image : images_) {
      engine::AnalogImage analog(chip, 0);
      const auto got = network.run(image, {.runner = &analog}).outputs.front().as<float>();
      const auto ideal = network.run(image).outputs.front().as<float>();
      for (std::size_t i = 0; i < got.size(); ++i) squares += std::pow(double{got[i]} - double{ideal[i]}, 2);
    }
    return squares;
  }

  std::vector<quantize::Inputs> images_;
};

TEST_F(WorstCells, AreThoseWhoseFaultsMoveTheOutputsMost) {
  constexpr std::size_t kChosen = 8;
  const Mapping mapping = map({"device.worst_case.cells=8"});
  const engine::NetworkFunction network = function(mapping);
  const auto chosen = worst_cells(mapping, network, images_, 1);
  ASSERT_EQ(chosen.size(), kChosen);
  double least = 1e300;
  for (const auto& [cell, stuck] : chosen) least = std::min(least, harm(mapping, network, cell, stuck));
  int compared = 0;
  for (int array = 0; array < 2; ++array)
    for (int slice = 0; slice < 2; ++slice)
      for (int output = 0; output < kOutputs; ++output)
        for (int row = 0; row < kInputs; ++row) {
          const engine::WeightCell cell{0, 0, array, slice, output, row};
          if (chosen.contains(cell)) continue;
          for (const Stuck stuck : {Stuck::off, Stuck::on})
            EXPECT_LE(harm(mapping, network, cell, stuck), least * (1 + 1e-5)) << output << " " << row;
          ++compared;
        }
  EXPECT_EQ(compared, 2 * 2 * kOutputs * kInputs - static_cast<int>(kChosen));
}

TEST_F(WorstCells, RandomOnesFollowTheSeedAndComeFromEverywhere) {
  const Mapping mapping = map({"device.worst_case.cells=3", "device.worst_case.choice=random"});
  const engine::NetworkFunction network = function(mapping);
  std::set<engine::WeightCell> seen;
  for (std::uint64_t seed = 0; seed < 600; ++seed) {
    const auto chosen = worst_cells(mapping, network, images_, seed);
    EXPECT_EQ(chosen.size(), 3U);
    EXPECT_EQ(chosen, worst_cells(mapping, network, images_, seed));
    for (const auto& [cell, stuck] : chosen) seen.insert(cell);
  }
  EXPECT_EQ(seen.size(), 2U * 2U * kOutputs * kInputs);  // each is missed with probability 5e-6
}

TEST_F(WorstCells, NoMoreThanThereAreAreBroken) {
  const Mapping mapping = map({"device.worst_case.cells=100000"});
  EXPECT_EQ(worst_cells(mapping, function(mapping), images_, 1).size(), 2U * 2U * kOutputs * kInputs);
}

}  // namespace
}  // namespace bitline::sim
