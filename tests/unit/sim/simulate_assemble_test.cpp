// SPDX-License-Identifier: Apache-2.0
// The costs of counts made up here, against sums written out by hand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "sim/assemble.h"

namespace bitline::sim {
namespace {

using base::Action;
using base::Time;

constexpr const char* kMachine = R"(
crossbar: {rows: 4, cols: 8, active_rows: 4}
adc: {per_ima: 8, power: 16 mW, area: 0.0096 mm2, static_power: 1 mW}
precision: {weights: {bits: 4}, activations: {bits: 4}}
encoding: {weights: offset}
tile: {imas: 2, edram: {power: 20 mW, area: 0.083 mm2}}
chip: {tiles: 4, mesh_width: 2, clock: 10 MHz}
)";

/// A 1x1 convolution of one channel on 2x2 pixels: stages input, conv, output.
Mapping mapping() {
  Mapping m;
  m.machine = arch::parse_arch(kMachine, "machine.yaml");
  auto graph = std::make_shared<graph::Graph>();
  const auto weight =
      std::make_shared<tensor::Tensor>(tensor::Tensor{{1, 1, 1, 1}, std::vector<float>{0.5F}});
  graph->values = {{"x", {1, 1, 2, 2}, -1, nullptr}, {"y", {1, 1, 2, 2}, 0, nullptr}};
  graph->nodes = {{"conv1",
                   "Conv",
                   graph::Op::conv,
                   graph::ConvAttributes{{1, 1}, {1, 1}, {0, 0, 0, 0}, {1, 1}, 1, weight, nullptr},
                   {0},
                   {1}}};
  graph->inputs = {0};
  graph->outputs = {1};
  m.graph = graph;
  for (quantize::LayerQuant& quant :
       quantize::quantize(*graph, std::vector<quantize::Range>(2, {0.0, 1.0}), m.arch().precision))
    m.quants.push_back(std::make_shared<const quantize::LayerQuant>(std::move(quant)));
  m.sliced = {std::make_shared<const slice::SlicedLayer>(
      slice::slice_layer(slice::layer_shape(graph->nodes[0]), *m.quants[0], m.arch()))};
  m.unpruned = {{slice::layer_shape(graph->nodes[0]), 4, 1}};
  m.folded.resize(1);
  m.program.graph = graph;
  m.program.stages = {{place::StageKind::input, "x", 0},
                      {place::StageKind::crossbar, "conv1", 1, 0},
                      {place::StageKind::output, "y", 1}};
  place::LayerPlacement layer;
  layer.name = "conv1";
  layer.imas.resize(1);
  layer.crossbars = 2;
  layer.cell_utilization = 0.25;
  m.program.layers = {layer};
  m.program.crossbars_used = 2;
  m.program.crossbars_available = 64;
  return m;
}

/// Two images, the second 400 ns after the first.
cycle::CycleResult timed() {
  cycle::CycleResult t;
  t.total = Time::from_ns(1050);
  t.image_start = {Time(), Time::from_ns(100)};
  t.image_end = {Time::from_ns(650), Time::from_ns(1050)};
  t.stages.resize(3);
  t.stages[0].actions[Action::chip_link_byte] = 8;
  t.stages[1].actions[Action::edram_read] = 10;
  t.stages[1].first_start = Time::from_ns(100);
  t.stages[1].last_end = Time::from_ns(1000);
  t.stages[1].busy = Time::from_ns(700);
  t.stages[1].input_stall = Time::from_ns(150);
  t.stages[1].output_stall = Time::from_ns(50);
  t.end = t.total;
  t.stages[1].bus_wait = Time::from_ns(3);
  t.stages[1].noc_wait = Time::from_ns(4);
  t.stages[1].adc_wait = Time::from_ns(5);
  t.resources.push_back({"bus", 2, Time::from_ns(420), Time::from_ns(315), 9, 3, Time::from_ns(6)});
  t.stages[2].actions[Action::chip_link_byte] = 8;
  return t;
}

/// Of each image: six conversions of four bits on the second of two slices, one of them clipped.
std::vector<engine::ImageResult> values() {
  engine::ImageResult image;
  image.activity.resize(1);
  image.activity[0].counts.conversions[4] = 6;
  image.activity[0].counts.clipped = 1;
  image.activity[0].conversions_per_slice = {0, 6};
  image.activity[0].slice_conversions.resize(2);
  image.activity[0].slice_conversions[1][4] = 6;
  image.activity[0].clipped_per_slice = {0, 1};
  return {image, image};
}

double of(const result::Breakdown& parts, const std::string& name) {
  for (const auto& [key, value] : parts)
    if (key == name) return value;
  ADD_FAILURE() << "no component " << name;
  return std::nan("");
}

class Assemble : public ::testing::Test {
 protected:
  const Mapping mapping_ = mapping();
  const std::vector<engine::ImageResult> values_ = values();
  const result::Result r_ = assemble(mapping_, timed(), values_);
};

TEST_F(Assemble, TimesAreThoseOfTheStreamedImages) {
  EXPECT_DOUBLE_EQ(r_.latency.image, 650e-9);
  EXPECT_DOUBLE_EQ(r_.latency.interval, 400e-9);
  EXPECT_DOUBLE_EQ(r_.latency.total, 1050e-9);
  EXPECT_EQ(r_.cycles, 11);  // 1050 ns are ten and a half cycles of 10 MHz
  EXPECT_DOUBLE_EQ(r_.throughput_ips, 2.5e6);
}

TEST_F(Assemble, EnergyOfAComponentIsCountsTimesEnergyPlusStaticPowerPerImage) {
  // eDRAM: 20 mW at full rate, two banks at 1.2 GHz: 8.333 pJ per access; ten accesses for two images.
  EXPECT_NEAR(of(r_.energy.by_component, "edram"), 5 * 20e-3 / 2.4e9, 1e-24);
  // ADC: static 1 mW in each of 8 IMAs for 1050 ns, shared by two images, beside the conversions.
  const double conversions = 6 * cost_model(mapping_).conversion_energy(4, 4).value();
  EXPECT_GT(conversions, 0.0);
  EXPECT_NEAR(of(r_.energy.by_component, "adc"), conversions + 8 * 1e-3 * 1050e-9 / 2, 1e-18);
  EXPECT_DOUBLE_EQ(r_.energy.fixed, 8 * 1e-3 * 1050e-9 / 2);
}

TEST_F(Assemble, TotalsAreSumsOverLayersAndOverComponents) {
  double layers = 0;
  double components = 0;
  for (const result::LayerResult& layer : r_.layers) layers += layer.energy.total;
  for (const auto& [name, value] : r_.energy.by_component) components += value;
  EXPECT_NEAR(layers, r_.energy.total, 1e-9 * r_.energy.total);
  EXPECT_NEAR(components, r_.energy.total, 1e-9 * r_.energy.total);
  EXPECT_DOUBLE_EQ(r_.energy.dynamic + r_.energy.fixed, r_.energy.total);
  double area = 0;
  for (const auto& [name, value] : r_.area_by_component) area += value;
  EXPECT_NEAR(area, r_.area_mm2, 1e-9 * r_.area_mm2);
}

TEST_F(Assemble, FiguresFollowFromEachOther) {
  EXPECT_DOUBLE_EQ(r_.power_w, 2 * r_.energy.total / 1050e-9);
  EXPECT_DOUBLE_EQ(r_.tops, 2 * 4 * 2.5e6 * 1e-12);  // four multiply-accumulates: one per pixel
  EXPECT_DOUBLE_EQ(*r_.tops_per_w, r_.tops / r_.power_w);
  EXPECT_DOUBLE_EQ(*r_.tops_per_mm2, r_.tops / r_.area_mm2);
  EXPECT_EQ(r_.conversions, 12);
  EXPECT_EQ(r_.clipped, 2);
  EXPECT_EQ(r_.crossbars_used, 2);
  EXPECT_EQ(r_.crossbars_available, 64);
  EXPECT_DOUBLE_EQ(r_.cell_utilization, 0.25);
}

TEST_F(Assemble, PartsAreSharesOfTheRun) {
  ASSERT_EQ(r_.parts.size(), 1U);
  EXPECT_EQ(r_.parts[0].name, "bus");
  EXPECT_EQ(r_.parts[0].used, 2);
  EXPECT_DOUBLE_EQ(r_.parts[0].utilization, 0.2);
  EXPECT_DOUBLE_EQ(r_.parts[0].busiest, 0.3);
  EXPECT_EQ(r_.parts[0].requests, 9);
  EXPECT_EQ(r_.parts[0].stalls, 3);
  EXPECT_DOUBLE_EQ(r_.parts[0].stalled, 6e-9);
}

TEST_F(Assemble, ALayerCarriesItsShapeTimesAndSlices) {
  ASSERT_EQ(r_.layers.size(), 3U);
  EXPECT_EQ(r_.layers[0].op, "input");
  EXPECT_EQ(r_.layers[2].op, "output");
  const result::LayerResult& conv = r_.layers[1];
  EXPECT_EQ(conv.name, "conv1");
  EXPECT_EQ(conv.op, "conv");
  EXPECT_EQ(conv.rows, 1);
  EXPECT_EQ(conv.cols, 1);
  EXPECT_DOUBLE_EQ(conv.start, 100e-9);
  EXPECT_DOUBLE_EQ(conv.latency, 900e-9);
  EXPECT_DOUBLE_EQ(conv.busy, 700e-9);
  EXPECT_DOUBLE_EQ(conv.stalls.input, 150e-9);
  EXPECT_DOUBLE_EQ(conv.stalls.output, 50e-9);
  EXPECT_DOUBLE_EQ(conv.stalls.bus, 3e-9);
  EXPECT_DOUBLE_EQ(conv.stalls.noc, 4e-9);
  EXPECT_DOUBLE_EQ(conv.stalls.adc, 5e-9);
  ASSERT_EQ(conv.slices.size(), 2U);
  EXPECT_EQ(conv.slices[1].conversions, 12);
  EXPECT_EQ(conv.slices[1].clipped, 2);
  // The weight 0.5 is code 7; with offset 8 the cells hold 15: 3 in both slices of two bits.
  EXPECT_EQ(conv.slices[0].max_column_sum, 3);
  EXPECT_DOUBLE_EQ(conv.zero_weights, 0.25);
  EXPECT_FALSE(conv.pruned.has_value());
  EXPECT_EQ(conv.slices[0].nonzero_ratio, 1.0);
}

TEST_F(Assemble, ALayerSaysWhatItDoesAndWhereItLies) {
  Mapping m = mapping();
  m.program.edges = {{0, 1}, {1, 2}};
  m.program.stages[0].tiles = {0};
  m.program.stages[1].inputs = {0};
  m.program.stages[1].tiles = {2};
  m.program.layers[0].imas[0].tile = 3;
  m.program.layers[0].imas[0].crossbars.own().resize(2);
  cycle::CycleResult times = timed();
  times.stages[1].actions[Action::bus_transfer] = 160;
  const result::LayerResult conv = assemble(m, times, values_).layers[1];
  EXPECT_EQ(conv.operators, std::vector<std::string>{"conv 1x1"});
  EXPECT_EQ(conv.inputs, std::vector<int>{0});
  EXPECT_EQ(conv.macs, 4);
  EXPECT_DOUBLE_EQ(conv.bus_bytes, 10);  // 160 bits for two images
  ASSERT_EQ(conv.placement.size(), 2U);
  EXPECT_EQ(conv.placement[0].tile, 2);  // its sums meet there
  EXPECT_EQ(conv.placement[0].crossbars, 0);
  EXPECT_EQ(conv.placement[1].tile, 3);
  EXPECT_EQ(conv.placement[1].crossbars, 2);
  EXPECT_EQ(conv.placement[1].imas, 1);
}

TEST_F(Assemble, ATileIsAsFastAsItsPartsAre) {
  EXPECT_EQ(r_.machine.tiles, 4);
  EXPECT_EQ(r_.machine.mesh_width, 2);
  EXPECT_EQ(r_.machine.tile_imas, 2);
  EXPECT_EQ(r_.machine.ima_crossbars, 8);
  // 4 x 8 cells of 2 bits hold 4 x 4 weights of 4 bits; four chunks of one bit, a read of 100 ns each.
  EXPECT_DOUBLE_EQ(r_.machine.tile_macs_per_s, 2 * 8 * 16 / 400e-9);
  // The bus: 384 wires at 1.2 GHz; the eDRAM has 2 x 256 bits.
  EXPECT_DOUBLE_EQ(r_.machine.tile_bytes_per_s, 384 * 1.2e9 / 8);
}

TEST_F(Assemble, WaitsAreOnOneScaleAndAbsentWhereNobodyKnowsThem) {
  EXPECT_FALSE(r_.waits_bin.has_value());
  EXPECT_FALSE(r_.layers[1].waits.has_value());
  cycle::CycleResult times = timed();
  times.stall_bins.resize(times.stages.size());
  const auto bin = Time::from_fs(1 << 23);                                         // 128 of them hold 1050 ns
  EXPECT_DOUBLE_EQ(*assemble(mapping_, times, values_).waits_bin, bin.seconds());  // though nothing waited
  times.stall_bins[2].input.add(bin * 2, bin * 4);
  times.stall_bins[2].output.add(bin * 4, bin * 4 + Time::from_fs(1 << 22));
  const result::Result r = assemble(mapping_, times, values_);
  EXPECT_DOUBLE_EQ(*r.waits_bin, bin.seconds());
  EXPECT_TRUE(r.layers[0].waits->input.empty());
  EXPECT_EQ(r.layers[0].waits->first_bin, 0);
  EXPECT_EQ(r.layers[2].waits->first_bin, 2);
  EXPECT_EQ(r.layers[2].waits->input, (std::vector<int>{35, 35, 0}));
  EXPECT_EQ(r.layers[2].waits->output, (std::vector<int>{0, 0, 18}));
}

TEST(AssembleWithoutCosts, RatiosWithoutMeaningAreAbsent) {
  Mapping m = mapping();
  m.machine = arch::parse_arch(
      "precision: {weights: {bits: 4}, activations: {bits: 4}}\n"
      "ima: {output_register: {capacity: 1 KiB}}\n",
      "free.yaml");
  const result::Result r = assemble(m, timed(), values());
  EXPECT_EQ(r.energy.total, 0.0);
  EXPECT_FALSE(r.tops_per_w.has_value());
  EXPECT_FALSE(r.tops_per_mm2.has_value());
}

}  // namespace
}  // namespace bitline::sim
