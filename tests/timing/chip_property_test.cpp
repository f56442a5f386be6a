// SPDX-License-Identifier: Apache-2.0
// What holds for every network on every chip: counts follow from the program alone, nothing is lost on the
// way, no run is faster than its busiest part, and a better part never makes a chain slower.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <utility>

#include "mapper/place/traffic.h"
#include "models/arch/costs.h"
#include "models/noc/topology.h"
#include "tests/timing/random_chip.h"
#include "tests/unit/mapper/place/networks.h"

namespace bitline::timing_test {
namespace {

constexpr std::uint32_t kNetworks = 320;
constexpr std::uint32_t kChains = 320;

/// Actions of a chip that do not depend on data.
constexpr std::pair<base::Action, const char*> kActions[] = {
    {base::Action::input_register_write, "input_register_write"},
    {base::Action::input_register_read, "input_register_read"},
    {base::Action::output_register_write, "output_register_write"},
    {base::Action::output_register_read, "output_register_read"},
    {base::Action::edram_read, "edram_read"},
    {base::Action::edram_write, "edram_write"},
    {base::Action::bus_transfer, "bus_transfer"},
    {base::Action::tile_shift_add, "tile_shift_add"},
    {base::Action::tile_output_register, "tile_output_register"},
    {base::Action::activation, "activation"},
    {base::Action::pooling, "pooling"},
    {base::Action::elementwise, "elementwise"},
    {base::Action::requantise, "requantise"},
    {base::Action::router_flit, "router_flit"},
    {base::Action::chip_link_byte, "chip_link_byte"}};

std::int64_t accesses(const arch::Arch& arch, std::int64_t bytes) {
  return (bytes * 8 + arch.tile.edram.width_bits - 1) / arch.tile.edram.width_bits;
}

/// What a run causes, counted from the program.
struct Planned {
  std::int64_t flits = 0;      ///< into the mesh
  std::int64_t flit_hops = 0;  ///< through routers
  std::int64_t edram_reads = 0;
  std::int64_t edram_writes = 0;
  std::int64_t bus_bits = 0;
  std::int64_t fill_bytes = 0;
  std::int64_t additions = 0;
  std::int64_t link_bytes = 0;
};

class Counter {
 public:
  /// `images`: a multiple of every layer's copies, so that these work on equally many windows.
  Counter(const Network& network, std::int64_t images)
      : arch_(network.arch),
        program_(network.program),
        topology_(arch_.chip.tiles, arch_.chip.mesh_width, arch_.noc.tiles_per_router),
        images_(images) {}

  Planned count() {
    for (const place::LayerPlacement& layer : program_.layers) count_layer(layer);
    for (const place::Stage& stage : program_.stages) count_stage(stage);
    for (const place::Edge& edge : program_.edges) count_edge(edge);
    return planned_;
  }

 private:
  /// That each copy works on.
  std::int64_t windows(const place::LayerPlacement& layer) const {
    return layer.windows * images_ / layer.replicas;
  }

  void send(std::int64_t packets, std::int64_t bits, int from, int to) {
    const std::int64_t flits = packets * ((bits + arch_.noc.flit_bits - 1) / arch_.noc.flit_bits);
    const int a = topology_.router_of(from), b = topology_.router_of(to);
    planned_.flits += flits;
    planned_.flit_hops += flits * topology_.hops(a, b);
  }

  void count_layer(const place::LayerPlacement& layer) {
    for (const place::ImaPart& ima : layer.imas) {
      planned_.fill_bytes += windows(layer) * ima.input_bytes;
      planned_.edram_reads += windows(layer) * accesses(arch_, ima.input_bytes);
      planned_.bus_bits += windows(layer) * (ima.input_bytes * 8 + ima.results() * arch_.ima.output_bits);
      for (const place::Contribution& part : ima.contributions) {
        const int to = layer.joins[static_cast<std::size_t>(part.join)].tile;
        if (to != ima.tile)
          send(windows(layer), std::int64_t{part.results} * arch_.ima.output_bits, ima.tile, to);
      }
    }
    for (const place::Join& join : layer.joins) {
      planned_.additions += windows(layer) * (join.parts - 1) * join.outputs;
    }
  }

  void count_stage(const place::Stage& stage) {
    const bool link = stage.kind == place::StageKind::input || stage.kind == place::StageKind::output;
    if (link) planned_.link_bytes += images_ * stage.pixels * stage.pixel_bytes;
    if (stage.kind != place::StageKind::digital) return;
    // All inputs of a window are read together; what is reduced is read pixel by pixel as it arrives.
    for (std::int64_t window = 0; window < stage.pixels; ++window) {
      std::int64_t bytes = 0;
      for (const place::EdgeId e : stage.inputs) {
        const place::Edge& edge = program_.edges[static_cast<std::size_t>(e)];
        for (const place::Delivery& delivery : edge.deliveries) {
          if (edge.window.kind != place::Window::Kind::reduce)
            bytes += edge.window.taken(window) * delivery.pixel_bytes;
        }
      }
      planned_.edram_reads += images_ * accesses(arch_, bytes);
    }
    for (const place::EdgeId e : stage.inputs) {
      const place::Edge& edge = program_.edges[static_cast<std::size_t>(e)];
      if (edge.window.kind != place::Window::Kind::reduce) continue;
      planned_.edram_reads += images_ * program_.stages[static_cast<std::size_t>(edge.producer)].pixels *
                              accesses(arch_, edge.deliveries.at(0).pixel_bytes);
    }
  }

  /// Where a pixel of a stage comes from, and how many of its outputs: per copy, all together.
  struct Origin {
    int tile = 0;
    int copy = 0;
    std::int64_t before = 0, outputs = 0, all = 0;
  };
  std::vector<Origin> origins(const place::Stage& stage) const {
    if (stage.layer < 0) return {{stage.tiles.at(0), 0, 0, 1, 1}};
    const place::LayerPlacement& layer = program_.layers[static_cast<std::size_t>(stage.layer)];
    std::vector<Origin> found;
    std::vector<std::int64_t> sum(static_cast<std::size_t>(layer.replicas), 0);
    for (const place::Join& join : layer.joins) {
      std::int64_t& before = sum[static_cast<std::size_t>(join.replica)];
      found.push_back({join.tile, join.replica, before, join.outputs, 0});
      before += join.outputs;
    }
    for (Origin& origin : found) origin.all = sum[static_cast<std::size_t>(origin.copy)];
    return found;
  }

  void count_edge(const place::Edge& edge) {
    const place::Stage& producer = program_.stages[static_cast<std::size_t>(edge.producer)];
    const bool leaves =
        program_.stages[static_cast<std::size_t>(edge.consumer)].kind == place::StageKind::output;
    const bool enters = producer.kind == place::StageKind::input;
    const std::int64_t pixels = producer.layer < 0
                                    ? producer.pixels * images_
                                    : windows(program_.layers[static_cast<std::size_t>(producer.layer)]);
    for (const Origin& origin : origins(producer)) {
      for (const place::Delivery& delivery : edge.deliveries) {
        const std::int64_t bytes = delivery.pixel_bytes * (origin.before + origin.outputs) / origin.all -
                                   delivery.pixel_bytes * origin.before / origin.all;
        if (bytes == 0) continue;
        if (!leaves) planned_.edram_writes += pixels * accesses(arch_, bytes);
        const int from = enters ? 0 : origin.tile;
        if (leaves) send(pixels, bytes * 8, from, 0);
        if (!leaves && (enters || from != delivery.tile)) send(pixels, bytes * 8, from, delivery.tile);
      }
    }
  }

  const arch::Arch& arch_;
  const place::Program& program_;
  noc::Topology topology_;
  std::int64_t images_;
  Planned planned_;
};

/// So many images give every copy of a layer equally many windows.
std::int64_t copies(const Network& network) {
  std::int64_t all = 1;
  for (const place::LayerPlacement& layer : network.program.layers)
    all = std::lcm(all, std::int64_t{layer.replicas});
  return all;
}

TEST(ChipProperties, NothingIsLostAndCountsFollowFromTheProgram) {
  std::int64_t several_copies = 0, packets = 0, joins = 0;
  for (std::uint32_t seed = 0; seed < kNetworks; ++seed) {
    SCOPED_TRACE("network " + std::to_string(seed));
    const Network network = random_network(seed);
    const std::int64_t images = copies(network);
    const Planned planned = Counter(network, images).count();
    const Figures f = simulate(network, images);
    ASSERT_TRUE(f.count("total")) << f.begin()->first;
    EXPECT_EQ(f.at("flits_sent"), f.at("flits_delivered"));
    EXPECT_EQ(f.at("flits_sent"), planned.flits);
    EXPECT_EQ(f.at("action.router_flit"), planned.flit_hops);
    EXPECT_EQ(f.at("action.edram_read"), planned.edram_reads);
    EXPECT_EQ(f.at("action.edram_write"), planned.edram_writes);
    EXPECT_EQ(f.at("action.bus_transfer"), planned.bus_bits);
    EXPECT_EQ(f.at("action.input_register_write"), planned.fill_bytes);
    EXPECT_EQ(f.at("action.tile_shift_add"), planned.additions);
    EXPECT_EQ(f.at("action.chip_link_byte"), planned.link_bytes);
    several_copies += images > 1 ? 1 : 0;
    packets += planned.flits > 0 ? 1 : 0;
    joins += planned.additions > 0 ? 1 : 0;
  }
  EXPECT_GT(several_copies, 50);
  EXPECT_GT(packets, 300);
  EXPECT_GT(joins, 50);
}

TEST(ChipProperties, HopBytesAreTheBytesThatCrossLinks) {
  int several_routers = 0;
  for (std::uint32_t seed = 0; seed < kNetworks; ++seed) {
    SCOPED_TRACE("network " + std::to_string(seed));
    Network network = random_network(seed);
    network.arch.noc.flit_bits = 8;  // a flit is a byte, and passes a router more than links
    const place::NocTraffic traffic = place::noc_traffic(network.program, network.arch);
    const Figures f = simulate(network);
    EXPECT_EQ(f.at("flits_sent"), traffic.bytes);
    EXPECT_EQ(f.at("action.router_flit") - f.at("flits_sent"), traffic.hop_bytes);
    several_routers += traffic.hop_bytes > 0 ? 1 : 0;
  }
  EXPECT_GT(several_routers, 160);
}

/// The energy of a run from its totals, and from its stages, without what depends on data.
double energy(const arch::CostModel& costs, const Figures& f, const std::string& prefix) {
  base::ActionCounts counts;
  for (const auto& [action, name] : kActions) counts[action] = f.at(prefix + name);
  return costs.energy(counts).total().value();
}

TEST(ChipProperties, NoRunIsFasterThanItsBusiestPartAndTotalsAreSums) {
  int needed = 0;
  for (std::uint32_t seed = 0; seed < kNetworks; ++seed) {
    SCOPED_TRACE("network " + std::to_string(seed));
    Network network = random_network(seed);
    network.arch.tile.edram.cost.power = network.arch.tile.bus.cost.power = base::Power(0.02);
    network.arch.tile.requantise.cost.power = network.arch.noc.cost.power = base::Power(0.03);
    network.arch.chip.link.cost.power = network.arch.ima.input_register.cost.power = base::Power(0.1);
    const Figures f = simulate(network, 2);
    const arch::CostModel costs(network.arch, {8});
    // Pixels that are in nobody's window may be worked on after the last output: the last ones of a layer, or
    // those of a copy that is behind.
    const bool all_needed =
        copies(network) == 1 &&
        std::all_of(network.program.edges.begin(), network.program.edges.end(), [&](const place::Edge& e) {
          const auto& stages = network.program.stages;
          return e.window.needed(stages[static_cast<std::size_t>(e.consumer)].pixels - 1) ==
                 stages[static_cast<std::size_t>(e.producer)].pixels;
        });
    const std::int64_t end = f.at("end");
    ASSERT_GT(f.at("total"), 0);
    EXPECT_GE(end, f.at("total"));
    if (all_needed) {
      EXPECT_EQ(end, f.at("total"));
    }
    needed += all_needed ? 1 : 0;
    for (const auto& [name, value] : f) {
      if (name.rfind("use.", 0) != 0 || name.find(".busiest") == std::string::npos) continue;
      EXPECT_LE(value, end) << name;
    }
    double stages = 0;
    for (std::size_t s = 0; s < network.program.stages.size(); ++s) {
      const std::string prefix = "stage." + std::to_string(s) + ".";
      EXPECT_GE(f.at(prefix + "first_start"), 0);
      EXPECT_GT(f.at(prefix + "last_end"), f.at(prefix + "first_start"));
      EXPECT_LE(f.at(prefix + "last_end"), end);
      for (const char* wait : {"input_stall", "output_stall", "bus_wait", "noc_wait", "adc_wait"})
        EXPECT_GE(f.at(prefix + wait), 0) << wait;
      EXPECT_EQ(f.at(prefix + "windows"), 2 * network.program.stages[s].pixels);
      stages += energy(costs, f, prefix);
    }
    const double total = energy(costs, f, "action.");
    EXPECT_GT(total, 0);
    EXPECT_NEAR(stages, total, 1e-9 * total);
  }
  EXPECT_GT(needed, 100);
}

/// A part made better, on a chain whose other parts are not contended. (Where several layers share a bus, the
/// order in which they get it changes with everything, and may be unlucky.)
struct Better {
  const char* what;
  bool fast_bus;
  void (*improve)(Network& network);
};
void larger_buffers(Network& network) {
  for (place::Edge& edge : network.program.edges) edge.capacity += 3;
}
void wider_bus(Network& network) {
  network.arch.tile.bus.wires *= 2;
}
void faster_adc(Network& network) {
  network.arch.adc.rate = base::Frequency(network.arch.adc.rate.value() * 2);
}

TEST(ChipProperties, ABetterPartNeverMakesAChainSlower) {
  constexpr Better kBetter[] = {
      {"buffers", true, larger_buffers}, {"bus", false, wider_bus}, {"adc", true, faster_adc}};
  std::map<std::string, int> faster;
  for (std::uint32_t seed = 0; seed < kChains; ++seed) {
    for (const Better& better : kBetter) {
      Network network = random_chain(seed, better.fast_bus);
      const std::int64_t before = simulate(network, 2).at("total");
      better.improve(network);
      const std::int64_t after = simulate(network, 2).at("total");
      EXPECT_LE(after, before) << better.what << ", chain " << seed;
      faster[better.what] += after < before ? 1 : 0;
    }
  }
  for (const Better& better : kBetter) EXPECT_GT(faster[better.what], 8) << better.what;
}

/// A part on another clock.
struct Clock {
  std::string own;
  void (*change)(arch::Arch& arch);
};
base::Frequency other(base::Frequency clock) {
  return base::Frequency(clock.value() * 0.7);
}

TEST(ChipProperties, EveryPartHasAClockOfItsOwn) {
  const Clock clocks[] = {
      {"adc", [](arch::Arch& a) { a.adc.rate = other(a.adc.rate); }},
      {"ima", [](arch::Arch& a) { a.ima.clock = other(a.ima.clock); }},
      {"bus", [](arch::Arch& a) { a.tile.bus.clock = other(a.tile.bus.clock); }},
      {"edram", [](arch::Arch& a) { a.tile.edram.clock = other(a.tile.edram.clock); }},
      {"tile_shift_add", [](arch::Arch& a) { a.tile.shift_add.rate = other(a.tile.shift_add.rate); }},
      {"activation", [](arch::Arch& a) { a.tile.activation.clock = other(a.tile.activation.clock); }},
      {"pooling", [](arch::Arch& a) { a.tile.pooling.clock = other(a.tile.pooling.clock); }},
      {"elementwise", [](arch::Arch& a) { a.tile.elementwise.clock = other(a.tile.elementwise.clock); }},
      {"requantise", [](arch::Arch& a) { a.tile.requantise.clock = other(a.tile.requantise.clock); }},
      {"router_link", [](arch::Arch& a) { a.noc.clock = other(a.noc.clock); }},
      {"chip_link",
       [](arch::Arch& a) { a.chip.link.bytes_per_second = other(a.chip.link.bytes_per_second); }}};
  std::map<std::string, int> slower;
  for (std::uint32_t seed = 0; seed < 60; ++seed) {
    Network network = random_network(seed);
    const Figures before = simulate(network);
    for (const Clock& clock : clocks) {
      Network changed = network;
      clock.change(changed.arch);
      const Figures after = simulate(changed);
      for (const auto& [name, value] : before) {
        // How long all that a part serves keeps it busy: its speed, whenever it is asked. (An IMA is taken
        // from the first read to the last, so also while it waits.)
        if (name.rfind("use.", 0) != 0 || name.find(".busy") != name.size() - 5) continue;
        const std::string part = name.substr(4, name.size() - 9);
        if (part == "ima") continue;
        const bool own = part == clock.own;
        if (!own) {
          EXPECT_EQ(after.at(name), value) << part << " with another clock of " << clock.own << ", " << seed;
        }
        slower[part] += own && after.at(name) > value ? 1 : 0;
      }
    }
  }
  for (const Clock& clock : clocks) {
    if (clock.own != "ima") {
      EXPECT_GT(slower[clock.own], 0) << clock.own;
    }
  }
}

TEST(ChipProperties, MoreBitsPerCellNeverNeedMoreCrossbars) {
  int fewer = 0;
  for (std::uint32_t seed = 0; seed < kNetworks; ++seed) {
    arch::Arch machine = random_machine(seed);
    machine.mapping.replication = arch::Replication::none;
    std::int64_t before = 0;
    for (const int bits : {1, 2, 4}) {
      machine.device.bits_per_cell = bits;
      const std::int64_t used = place_network(random_graph(seed), machine).program.crossbars_used;
      if (before > 0) {
        EXPECT_LE(used, before) << "network " << seed << ", " << bits << " bits";
      }
      fewer += before > used ? 1 : 0;
      before = used;
    }
  }
  EXPECT_GT(fewer, 100);
}

TEST(ChipProperties, MoreAdcBitsNeverCostLess) {
  for (const periphery::AdcModel model : {periphery::AdcModel::isaac_fit, periphery::AdcModel::power_law}) {
    for (std::uint32_t seed = 0; seed < kNetworks; ++seed) {
      arch::Arch machine = random_machine(seed);
      machine.adc.model = model;
      machine.adc.cost.power = base::Power(0.016);
      machine.adc.cost.area = base::Area(0.0096);
      base::Energy last{};
      for (int bits = 1; bits <= 12; ++bits) {
        const arch::CostModel costs(machine, {bits});
        const base::Energy now = costs.conversion_energy(bits, bits);
        EXPECT_GT(now, last) << bits << " bits, machine " << seed;
        last = now;
      }
    }
  }
}

}  // namespace
}  // namespace bitline::timing_test
