// SPDX-License-Identifier: Apache-2.0
#include "tests/timing/random_chip.h"

#include <random>
#include <vector>

#include "models/base/errors.h"
#include "tests/unit/mapper/place/networks.h"

namespace bitline::timing_test {

namespace {

using base::Frequency;
using base::Time;

class Random {
 public:
  explicit Random(std::uint32_t seed) : engine_(seed) {}
  /// From 0 to n - 1. (Not a distribution of the library: those differ between libraries.)
  int below(int n) { return static_cast<int>(engine_() % static_cast<unsigned>(n)); }
  int one_of(const std::vector<int>& values) {
    return values[static_cast<std::size_t>(below(static_cast<int>(values.size())))];
  }
  Frequency clock() { return Frequency(1e6 * one_of({100, 333, 500, 1000, 1280})); }
  Time latency() { return Time::from_ns(one_of({0, 1, 3, 10})); }

 private:
  std::mt19937 engine_;
};

}  // namespace

std::shared_ptr<const graph::Graph> random_graph(std::uint32_t seed) {
  Random r(seed);
  place::testing::GraphBuilder g;
  std::int64_t size = r.one_of({1, 3, 5, 6});
  std::int64_t channels = r.one_of({1, 3, 4, 8});
  auto x = g.input({1, channels, size, size});
  const auto conv = [&](std::int64_t outputs, std::int64_t kernel, std::int64_t stride) {
    x = g.conv(x, outputs, kernel, stride, kernel / 2);
    channels = outputs;
    size = (size + 2 * (kernel / 2) - kernel) / stride + 1;
    if (r.below(2) == 0) x = g.relu(x);
  };
  const int layers = 1 + r.below(5);
  for (int l = 0; l < layers; ++l) {
    const int kind = l == 0 ? 0 : r.below(6);
    if (kind <= 1) conv(r.one_of({2, 4, 10, 20}), r.one_of({1, 3}), size > 2 ? r.one_of({1, 1, 2}) : 1);
    if (kind == 2) x = g.add(g.conv(x, channels, 1, 1, 0), x);
    if (kind == 3) {
      x = g.concat(g.conv(x, 4, 3, 1, 1), x);
      channels += 4;
    }
    if (kind == 4 && size >= 2) {
      x = g.max_pool(x, 2, 2);
      size /= 2;
    }
    if (kind == 5) x = g.conv(x, channels, 3, 1, 1, channels);
  }
  const int end = r.below(3);
  if (end == 0) x = g.linear(g.flatten(g.global_pool(x)), 5);
  if (end == 1) x = g.linear(g.flatten(x), 7);
  return g.output(x);
}

arch::Arch random_machine(std::uint32_t seed) {
  Random r(seed * 2654435761U + 1);
  arch::Arch a = round_machine();
  a.crossbar.rows = a.crossbar.cols = a.crossbar.active_rows = r.one_of({8, 16, 32});
  if (r.below(3) == 0) a.crossbar.active_rows /= 2;
  a.crossbar.read_latency = Time::from_ns(r.one_of({5, 10, 33}));
  a.dac.bits = r.one_of({1, 2});
  a.adc.per_ima = r.one_of({1, 2, 4});
  a.adc.rate = r.clock();
  a.precision.activations.bits = r.one_of({2, 4, 8});
  a.ima.crossbars = r.one_of({1, 2, 4});
  a.ima.clock = r.clock();
  a.ima.input_register.buffers = r.one_of({1, 2, 3});
  a.ima.output_register.buffers = r.one_of({1, 2});
  a.ima.input_register.latency = r.latency();
  a.tile.imas = r.one_of({1, 2, 4});
  a.tile.edram.width_bits = r.one_of({8, 32, 256});
  a.tile.edram.banks = r.one_of({1, 2});
  a.tile.edram.clock = r.clock();
  a.tile.edram.latency = r.latency();
  a.tile.bus.wires = r.one_of({8, 16, 100});
  a.tile.bus.clock = r.clock();
  for (digital::UnitParams* unit :
       {&a.tile.activation, &a.tile.pooling, &a.tile.elementwise, &a.tile.requantise}) {
    *unit = {.units = r.one_of({1, 4}), .clock = r.clock(), .latency = r.latency()};
  }
  a.noc.tiles_per_router = r.one_of({1, 2, 4});
  a.noc.flit_bits = r.one_of({8, 32});
  a.noc.clock = r.clock();
  a.noc.router_cycles = r.one_of({1, 3});
  a.noc.buffer_flits = r.one_of({1, 2, 8});
  a.chip.tiles = 512;
  a.chip.mesh_width = r.one_of({4, 16});
  a.chip.link.bytes_per_second = r.clock();
  if (r.below(2) == 0) {
    a.mapping.replication = arch::Replication::per_layer;
    a.mapping.replicas = {r.one_of({1, 2, 3})};
  }
  const int placement = r.below(8);
  if (placement < 3)
    a.mapping.placement = placement == 0 ? arch::Placement::annealed : arch::Placement::snake;
  return a;
}

Network random_network(std::uint32_t seed) {
  // At most one copy per window: where a layer has fewer, there is one copy of each.
  arch::Arch machine = random_machine(seed);
  try {
    return place_network(random_graph(seed), machine);
  } catch (const base::MappingError&) {
    machine.mapping.replication = arch::Replication::none;
    return place_network(random_graph(seed), machine);
  }
}

Network random_chain(std::uint32_t seed, bool fast_bus) {
  Random r(seed);
  arch::Arch a = random_machine(seed);
  const Frequency fast(1e12);
  a.mapping.replication = arch::Replication::none;
  a.tile.imas = 64;
  if (fast_bus) a.tile.bus = {.wires = 1 << 16, .clock = fast};
  a.tile.edram = {.capacity_bytes = 1 << 24, .width_bits = 1 << 16, .banks = 64, .clock = fast};
  for (digital::UnitParams* unit :
       {&a.tile.activation, &a.tile.pooling, &a.tile.elementwise, &a.tile.requantise}) {
    *unit = {.units = 1024, .clock = fast};
  }
  a.tile.shift_add = {.units = 1024, .rate = fast};
  a.noc = {.tiles_per_router = 1, .flit_bits = 1 << 16, .clock = fast};
  a.chip.link.bytes_per_second = Frequency(1e15);
  place::testing::GraphBuilder g;
  auto x = g.input({1, 3, 6, 6});
  const int layers = 1 + r.below(4);
  for (int l = 0; l < layers; ++l) x = g.conv(x, r.one_of({2, 4, 10}), 3, 1, 1);
  return place_network(g.output(x), a);
}

}  // namespace bitline::timing_test
