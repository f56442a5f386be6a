// SPDX-License-Identifier: Apache-2.0
// The adapters of the tile's parts, the mesh and the chip link, each alone: times by hand. Each test is a
// process of its own.
#include <gtest/gtest.h>

#include <map>
#include <stdexcept>
#include <vector>

#include "models/noc/link_module.h"
#include "models/noc/mesh_module.h"
#include "models/tile/tile_module.h"

namespace bitline {
namespace {

using base::Frequency;
using base::Grant;
using base::Time;

Time ns(std::int64_t n) {
  return Time::from_ns(n);
}

const Frequency kGhz(1e9);

/// Asks a part through a port, as a tile does.
class Asker : public sc_core::sc_module {
 public:
  sc_core::sc_port<base::ServiceAccess> part{"part"};
  Asker(const sc_core::sc_module_name& name, base::ServiceModule& module) : sc_core::sc_module(name) {
    part.bind(module.service);
  }
};

void expect_grant(const Grant& grant, Time end, Time waited) {
  EXPECT_EQ(grant.end, end);
  EXPECT_EQ(grant.waited, waited);
}

/// The kernel elaborates (which resolves the ports) without running.
void elaborate() {
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
}

class Adapter : public ::testing::Test {
 protected:
  Adapter() { sc_core::sc_set_time_resolution(1, sc_core::SC_FS); }
};

TEST_F(Adapter, EdramTakesAccessesOverItsBanksAndAddsItsLatency) {
  memory::EdramModule edram("edram", {.width_bits = 32, .banks = 2, .clock = kGhz, .latency = ns(5)});
  Asker asker("asker", edram);
  elaborate();
  // 20 bytes: 5 accesses of 4 bytes, two at a time: 3 cycles, then 5 ns.
  expect_grant(asker.part->take(ns(10), 20, ns(10)), ns(18), {});
  // Asked for at 11, free at 13 (the latency does not occupy it): 1 cycle.
  expect_grant(asker.part->take(ns(11), 8, ns(11)), ns(19), ns(2));
  EXPECT_EQ(asker.part->free(), ns(14));
  EXPECT_EQ(edram.resource().busy(), ns(4));
}

TEST_F(Adapter, BusStartsOnItsOwnEdgesAndMovesAWireEach) {
  memory::BusModule bus("bus", {.wires = 16, .clock = Frequency(5e8)});
  Asker asker("asker", bus);
  elaborate();
  // 33 bits: 3 cycles of 2 ns from the edge at 4.
  expect_grant(asker.part->take(ns(3), 33, ns(3)), ns(10), {});
  // Asked for at 5, held elsewhere until 8, free at 10.
  expect_grant(asker.part->take(ns(8), 16, ns(5)), ns(12), ns(5));
  EXPECT_EQ(bus.resource().waits(), 1);
}

TEST_F(Adapter, DigitalUnitsArePipelined) {
  digital::UnitModule unit("unit", {.units = 4, .clock = kGhz, .latency = ns(7)});
  Asker asker("asker", unit);
  elaborate();
  // 9 elements by 4 units: 3 cycles; the second comes right behind, each 7 ns later out.
  expect_grant(asker.part->take(ns(0), 9, ns(0)), ns(10), {});
  expect_grant(asker.part->take(ns(0), 4, ns(0)), ns(11), ns(3));
}

TEST_F(Adapter, TileShiftAddTakesAdditionsAtItsRate) {
  periphery::TileShiftAddModule adder("adder", {.units = 2, .rate = Frequency(5e8), .latency = ns(3)});
  Asker asker("asker", adder);
  elaborate();
  // 5 additions by 2 units: 3 periods of 2 ns from the edge at 2, then 3.
  expect_grant(asker.part->take(ns(1), 5, ns(1)), ns(11), {});
}

/// Hears of grants and asks for nothing.
class Client : public sc_core::sc_module, public noc::MeshClient {
 public:
  explicit Client(const sc_core::sc_module_name& name) : sc_core::sc_module(name) {}
  void granted(const base::Token& token, Time end, Time waited) override {
    order.push_back(token.stage);
    grants[token.stage] = {end, waited};
  }
  void failed() override { ++failures; }
  std::vector<int> order;
  std::map<int, Grant> grants;
  int failures = 0;
};

base::Token token(int stage) {
  base::Token t;
  t.stage = stage;
  return t;
}

tile::TileParams round_tile() {
  tile::TileParams p;
  p.edram = {.width_bits = 32, .banks = 1, .clock = kGhz, .latency = ns(2)};
  p.bus = {.wires = 16, .clock = kGhz};
  p.shift_add = {.units = 2, .rate = kGhz, .latency = ns(3)};
  p.activation = {.units = 4, .clock = kGhz, .latency = ns(1)};
  p.pooling = p.elementwise = p.requantise = {.units = 1, .clock = kGhz};
  return p;
}

TEST_F(Adapter, TileServesRequestsOfATimeInTheOrderOfTheirTokens) {
  using tile::TileOp;
  tile::TileModule tile("tile", round_tile());
  Client client("client");
  tile.client(client);
  tile.access->request(ns(10), {token(2), TileOp::write, 12});
  tile.access->request(ns(10), {token(1), TileOp::fill, 8});
  tile.access->request(ns(4), {token(3), TileOp::drain, 64});
  tile.access->request(ns(10), {token(4), TileOp::activation, 9});
  sc_core::sc_start(1, sc_core::SC_US);
  EXPECT_EQ(client.order, (std::vector<int>{3, 1, 2, 4}));
  // Drain: 64 bits over 16 wires, 4 .. 8. Fill at 10: eDRAM 2 cycles, bus 4 cycles, + 2.
  expect_grant(client.grants[3], ns(8), {});
  expect_grant(client.grants[1], ns(16), {});
  // The write waits for the fill's two eDRAM cycles: 12 + 3 + 2. The activation is free: 10 + 3 + 1.
  expect_grant(client.grants[2], ns(17), ns(2));
  expect_grant(client.grants[4], ns(14), {});
  EXPECT_EQ(tile.resource(tile::TileModule::edram).uses(), 2);
  EXPECT_EQ(tile.resource(tile::TileModule::bus).busy(), ns(8));
}

TEST_F(Adapter, FillsWaitUntilEdramAndBusAreBothFree) {
  using tile::TileOp;
  tile::TileModule tile("tile", round_tile());
  Client client("client");
  tile.client(client);
  tile.access->request(ns(0), {token(1), TileOp::drain, 160});
  tile.access->request(ns(3), {token(2), TileOp::fill, 4});
  tile.access->request(ns(4), {token(3), TileOp::read, 4});
  sc_core::sc_start(1, sc_core::SC_US);
  // Bus 0 .. 10. The fill of 3 starts at 10: eDRAM 11, bus 12, + 2. The eDRAM is kept for it until then.
  expect_grant(client.grants[2], ns(14), ns(7));
  expect_grant(client.grants[3], ns(14), ns(7));
  EXPECT_EQ(client.failures, 0);
}

TEST_F(Adapter, AnExceptionOfATileReachesTheClient) {
  tile::TileModule tile("tile", round_tile());
  Client client("client");
  tile.client(client);
  tile.access->request(ns(1), {token(1), tile::TileOp::read, 0});
  sc_core::sc_start(1, sc_core::SC_US);
  EXPECT_EQ(client.failures, 1);
  EXPECT_TRUE(client.order.empty());
}

TEST_F(Adapter, MeshTellsWhenTheLastFlitHasLeft) {
  const noc::Topology topology(4, 2, 1);
  noc::MeshModule mesh("mesh", {.clock = kGhz, .router_cycles = 2}, topology);
  Client client("client");
  mesh.client(client);
  const auto packet = [&](int stage, int from, int to, std::int64_t flits) {
    return noc::Packet{token(stage),           topology.router_of(from), topology.tile_port(from),
                       topology.router_of(to), topology.tile_port(to),   flits};
  };
  mesh.access->send(ns(5), packet(2, 0, 3, 4));
  mesh.access->send(ns(5), packet(1, 1, 3, 3));
  sc_core::sc_start(1, sc_core::SC_US);
  // 1: routers 1 and 3, 5 + 2 * 2 + 2. 2: routers 0, 1, 3; its head asks router 1 for the way south at 7,
  // where packet 1 left at 5, 6, 7: it leaves at 8 .. 11, then router 3 from 10: 10 + 3 + 2 = 15, a cycle
  // late.
  expect_grant(client.grants[1], ns(11), {});
  expect_grant(client.grants[2], ns(15), ns(1));
  EXPECT_EQ(mesh.flow().flits_delivered(), 7);
}

TEST_F(Adapter, LinkTakesOneTransferAfterAnotherWithoutAClock) {
  noc::LinkModule link("link", {.links = 2, .bytes_per_second = Frequency(1.6e9)});
  Client client("client");
  link.client(client);
  link.access->request(ns(2), {token(2), 16});
  link.access->request(ns(2), {token(1), 8});
  sc_core::sc_start(1, sc_core::SC_US);
  // 3.2 bytes per ns: 8 bytes 2.5 ns, 16 bytes 5 ns.
  expect_grant(client.grants[1], Time::from_fs(4'500'000), {});
  expect_grant(client.grants[2], Time::from_fs(9'500'000), Time::from_fs(2'500'000));
  EXPECT_EQ(link.resource().busy(), Time::from_fs(7'500'000));
}

}  // namespace
}  // namespace bitline
