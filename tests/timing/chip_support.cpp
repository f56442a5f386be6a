// SPDX-License-Identifier: Apache-2.0
#include "tests/timing/chip_support.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <span>
#include <string>

#include "models/base/errors.h"
#include "tests/unit/mapper/place/networks.h"

namespace bitline::timing_test {

namespace {

using base::Frequency;
using base::Time;

/// The product of a window's inputs and an IMA's cells, by plain integers.
class PlainProduct {
 public:
  explicit PlainProduct(const Network& network) : network_(network) {
    data_.input = [](const cycle::MvmId& id, std::vector<std::int32_t>& x) { x = input(id); };
    data_.result = [this](const cycle::MvmId& id, std::span<const int> outputs,
                          std::span<const std::int64_t> values) { check(id, outputs, values); };
  }
  [[nodiscard]] const cycle::StructuralData& data() const { return data_; }
  std::int64_t sums = 0;
  std::int64_t mismatches = 0;

 private:
  static std::vector<std::int32_t> input(const cycle::MvmId& id) {
    std::vector<std::int32_t> x(1024);
    for (std::size_t i = 0; i < x.size(); ++i) {
      x[i] = static_cast<std::int32_t>(
          (i * 37 + static_cast<std::size_t>(id.window) * 101 + static_cast<std::size_t>(id.layer) * 53) *
                  2654435761u >>
              7 &
          0xff);
    }
    return x;
  }

  void check(const cycle::MvmId& id, std::span<const int> outputs, std::span<const std::int64_t> values) {
    const auto layer = static_cast<std::size_t>(id.layer);
    const slice::SlicedLayer& sliced = *network_.layers[layer].sliced;
    const place::ImaPart& part = network_.program.layers[layer].imas[static_cast<std::size_t>(id.ima_part)];
    const std::vector<std::int32_t> x = input(id);
    std::map<int, std::int64_t> expected;
    for (const place::CrossbarPart& crossbar : part.crossbars) {
      for (const place::Phase& phase : crossbar.phases) {
        const slice::RowBlock& block = sliced.blocks[static_cast<std::size_t>(phase.block)];
        for (int g = phase.group_first; g < phase.group_first + phase.group_count; ++g) {
          for (int o = crossbar.output_first; o < crossbar.output_first + crossbar.output_count; ++o) {
            std::int64_t& sum = expected[g * sliced.outputs_per_group + o];
            for (int row = block.first; row < block.last; ++row) {
              sum += std::int64_t{x[static_cast<std::size_t>(g * sliced.rows_per_group + row)]} *
                     sliced.code(crossbar.array, g, o, row);
            }
          }
        }
      }
    }
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      ++sums;
      mismatches += expected.at(outputs[i]) == values[i] ? 0 : 1;
    }
    mismatches += expected.size() == outputs.size() ? 0 : 1;
  }

  const Network& network_;
  cycle::StructuralData data_;
};

const char* const kActionNames[] = {"cell_read",
                                    "dac_drive",
                                    "sample_hold",
                                    "shift_add",
                                    "input_register_write",
                                    "input_register_read",
                                    "output_register_write",
                                    "output_register_read",
                                    "edram_read",
                                    "edram_write",
                                    "bus_transfer",
                                    "tile_shift_add",
                                    "tile_output_register",
                                    "activation",
                                    "pooling",
                                    "elementwise",
                                    "requantise",
                                    "router_flit",
                                    "chip_link_byte",
                                    "cell_write"};
static_assert(std::size(kActionNames) == base::kActions);

void add_actions(Figures& figures, const std::string& prefix, const base::ActionCounts& actions) {
  for (std::size_t a = 0; a < base::kActions; ++a) figures[prefix + kActionNames[a]] = actions.counts[a];
}

}  // namespace

Figures figures_of(const cycle::CycleResult& result) {
  Figures figures;
  figures["total"] = result.total.fs();
  figures["end"] = result.end.fs();
  figures["programming"] = result.programming.fs();
  figures["written_levels"] = result.actions.written_level_sum;
  for (std::size_t i = 0; i < result.image_end.size(); ++i) {
    figures["image_start." + std::to_string(i)] = result.image_start[i].fs();
    figures["image_end." + std::to_string(i)] = result.image_end[i].fs();
  }
  for (std::size_t s = 0; s < result.stages.size(); ++s) {
    const cycle::StageStatistics& stage = result.stages[s];
    const std::string prefix = "stage." + std::to_string(s) + ".";
    figures[prefix + "first_start"] = stage.first_start.fs();
    figures[prefix + "last_end"] = stage.last_end.fs();
    figures[prefix + "busy"] = stage.busy.fs();
    figures[prefix + "input_stall"] = stage.input_stall.fs();
    figures[prefix + "output_stall"] = stage.output_stall.fs();
    figures[prefix + "bus_wait"] = stage.bus_wait.fs();
    figures[prefix + "noc_wait"] = stage.noc_wait.fs();
    figures[prefix + "adc_wait"] = stage.adc_wait.fs();
    figures[prefix + "windows"] = stage.windows;
    add_actions(figures, prefix, stage.actions);
  }
  for (const cycle::ResourceUse& use : result.resources) {
    figures["use." + use.name + ".busy"] = use.busy.fs();
    figures["use." + use.name + ".busiest"] = use.busiest.fs();
    figures["use." + use.name + ".uses"] = use.uses;
    figures["use." + use.name + ".waits"] = use.waits;
    figures["use." + use.name + ".waited"] = use.waited.fs();
    figures["use." + use.name + ".instances"] = use.instances;
  }
  figures["flits_sent"] = result.flits_sent;
  figures["flits_delivered"] = result.flits_delivered;
  add_actions(figures, "action.", result.actions);
  for (std::size_t l = 0; l < result.structural_actions.size(); ++l) {
    figures["live." + std::to_string(l) + ".conversions"] = result.structural_actions[l].total_conversions();
    figures["live." + std::to_string(l) + ".input_register_read"] =
        result.structural_actions[l][base::Action::input_register_read];
  }
  return figures;
}

arch::Arch round_machine() {
  const Frequency ghz(1e9);
  arch::Arch a;
  a.device.bits_per_cell = 2;
  a.crossbar.rows = a.crossbar.cols = a.crossbar.active_rows = 16;
  a.crossbar.read_latency = Time::from_ns(10);
  a.dac.bits = 1;
  a.sample_hold.latency = {};
  a.adc.per_ima = 2;
  a.adc.rated_bits = 8;
  a.adc.rate = ghz;
  a.precision.weights.bits = 4;
  a.precision.activations.bits = 8;
  a.ima.crossbars = 2;
  a.ima.clock = Frequency(1e8);
  a.ima.output_bits = 16;
  a.ima.input_register = {.capacity_bytes = 1024, .buffers = 2};
  a.ima.output_register = {.capacity_bytes = 1024, .buffers = 2, .latency = Time::from_ns(10)};
  a.ima.shift_add.latency = Time::from_ns(10);
  a.tile.imas = 2;
  a.tile.edram = {
      .capacity_bytes = 1 << 20, .width_bits = 32, .banks = 1, .clock = ghz, .latency = Time::from_ns(2)};
  a.tile.bus = {.wires = 16, .clock = ghz};
  a.tile.shift_add = {.units = 2, .rate = ghz, .latency = Time::from_ns(3)};
  a.tile.output_register.latency = {};
  a.tile.activation = {.units = 4, .clock = ghz, .latency = Time::from_ns(1)};
  a.tile.pooling = {.units = 1, .clock = ghz, .latency = Time::from_ns(1)};
  a.tile.elementwise = {.units = 2, .clock = ghz, .latency = Time::from_ns(1)};
  a.tile.requantise = {.units = 4, .clock = ghz};
  a.noc.tiles_per_router = 1;
  a.noc.flit_bits = 32;
  a.noc.clock = ghz;
  a.noc.router_cycles = 1;
  a.chip.tiles = 4;
  a.chip.mesh_width = 2;
  a.chip.link.links = 1;
  a.chip.link.bytes_per_second = ghz;
  return a;
}

Network place_network(std::shared_ptr<const graph::Graph> graph, const arch::Arch& arch,
                      const std::vector<place::LayerId>& shares) {
  std::mt19937 random(7);
  Network network{arch, {}, {}};
  std::vector<place::LayerInput> inputs = place::testing::sliced_layers(*graph, arch);
  for (std::size_t l = 0; l < inputs.size(); ++l) {
    place::LayerInput& input = inputs[l];
    if (!shares.empty() && shares[l] >= 0) {
      const auto owner = static_cast<std::size_t>(shares[l]);
      input.sliced = inputs[owner].sliced;
      input.shares = shares[l];
      network.layers.push_back(network.layers[owner]);
      continue;
    }
    auto layer = std::make_shared<slice::SlicedLayer>(*input.sliced);
    const std::size_t codes = static_cast<std::size_t>(layer->arrays) *
                              static_cast<std::size_t>(layer->outputs()) *
                              static_cast<std::size_t>(layer->rows_per_group);
    const auto levels = static_cast<std::uint32_t>(1 << arch.precision.weights.bits);
    for (std::size_t i = 0; i < codes; ++i)
      layer->codes.push_back(static_cast<std::uint32_t>(random()) % levels);
    layer->activation_bits = arch.precision.activations.bits;
    network.layers.push_back({layer, arch.precision.activations.bits, false});
    input.sliced = layer;
  }
  network.program = place::place(graph, arch, inputs);
  return network;
}

Figures simulate(const Network& network, std::int64_t images) {
  return in_child([&] {
    cycle::CycleOptions options;
    options.images = images;
    return figures_of(cycle::simulate_cycles(network.program, network.arch, network.layers, options));
  });
}

Figures simulate_structural(const Network& network, std::int64_t images) {
  return in_child([&] {
    PlainProduct product(network);
    cycle::CycleOptions options;
    options.images = images;
    options.structural = &product.data();
    Figures figures =
        figures_of(cycle::simulate_cycles(network.program, network.arch, network.layers, options));
    figures["sums"] = product.sums;
    figures["mismatches"] = product.mismatches;
    return figures;
  });
}

Figures run(const Network& network, std::int64_t images) {
  const Figures cycle = simulate(network, images);
  const Figures structural = simulate_structural(network, images);
  for (const auto& [name, value] : cycle) {
    const auto other = structural.find(name);
    EXPECT_TRUE(other != structural.end() && other->second == value) << name;
  }
  EXPECT_GT(structural.at("sums"), 0);
  EXPECT_EQ(structural.at("mismatches"), 0);
  return cycle;
}

}  // namespace bitline::timing_test
