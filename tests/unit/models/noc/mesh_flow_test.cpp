// SPDX-License-Identifier: Apache-2.0
// The mesh, run by run, against a plain machine that moves every flit in every cycle.
#include "models/noc/mesh_flow.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <queue>
#include <random>
#include <set>

namespace bitline::noc {
namespace {

using base::Time;
using base::Token;

constexpr std::int64_t kCycle = 1'000'000;  ///< fs

struct Sent {
  Packet packet;
  std::int64_t cycle = 0;
};

/// Cycle of delivery by packet (Token::window).
using Deliveries = std::map<std::int64_t, std::int64_t>;

/// Hands heads back in their order, as a kernel would.
class Driver final : public MeshFlow::Client {
 public:
  void head_at(Time at, const MeshFlow::Head& head) override { heads_.push({at, head}); }
  void delivered(const Token& token, Time end, Time waited) override {
    deliveries[token.window] = end.fs() / kCycle;
    waits[token.window] = waited.fs() / kCycle;
    EXPECT_EQ(end.fs() % kCycle, 0);
  }
  void passed(const Token&, int, int, Time start, Time end) override { EXPECT_LT(start, end); }
  void run(MeshFlow& flow) {
    Time last;
    while (!heads_.empty()) {
      const auto [at, head] = heads_.top();
      EXPECT_GE(at, last);
      last = at;
      heads_.pop();
      flow.head_due(at, head);
    }
  }
  Deliveries deliveries;
  Deliveries waits;

 private:
  using Item = std::pair<Time, MeshFlow::Head>;
  std::priority_queue<Item, std::vector<Item>, std::greater<>> heads_;
};

/// Every buffer place and every link, cycle by cycle.
class FlitMachine {
 public:
  FlitMachine(const NocParams& params, const Topology& topology) : params_(params), topology_(topology) {}

  Deliveries run(std::vector<Sent> packets) {
    std::sort(packets.begin(), packets.end(), [](const Sent& a, const Sent& b) {
      return std::pair(a.cycle, a.packet.token) < std::pair(b.cycle, b.packet.token);
    });
    std::size_t left = packets.size();
    for (std::int64_t now = 0; left > deliveries_.size(); ++now) {
      if (now > 1'000'000) ADD_FAILURE() << "no end";
      if (now > 1'000'000) break;
      for (const Sent& sent : packets) {
        if (sent.cycle != now) continue;
        const std::pair<int, int> key{sent.packet.from_router, 100 + sent.packet.from_port};
        for (std::int64_t f = 0; f < sent.packet.flits; ++f) buffers_[key].push_back({sent.packet, f, now});
      }
      ask(now);
      move(now);
    }
    return deliveries_;
  }

 private:
  struct Flit {
    Packet packet;
    std::int64_t index = 0;
    std::int64_t arrival = 0;
  };
  struct Output {
    std::deque<std::pair<Token, std::pair<int, int>>> order;  ///< heads that asked: packet, buffer
    std::deque<std::int64_t> free_places;                     ///< cycles from which on each is free
    bool made = false;
  };

  int port(int router, const Packet& packet) const {
    return router == packet.to_router ? packet.to_port
                                      : static_cast<int>(topology_.towards(router, packet.to_router));
  }
  Output& output(int router, int port) {
    Output& out = outputs_[{router, port}];
    if (!out.made) out.free_places.assign(static_cast<std::size_t>(params_.buffer_flits), 0);
    out.made = true;
    return out;
  }

  /// Heads that are first in their buffer ask for their output, in the order of their packets.
  void ask(std::int64_t now) {
    std::map<Token, std::pair<int, int>> asking;
    for (auto& [key, buffer] : buffers_) {
      if (buffer.empty() || buffer.front().index != 0 || buffer.front().arrival > now) continue;
      if (!asked_.insert({buffer.front().packet.token, key.first}).second) continue;
      output(key.first, port(key.first, buffer.front().packet))
          .order.push_back({buffer.front().packet.token, key});
      reorder_.push_back({key.first, port(key.first, buffer.front().packet)});
    }
    // Those that asked in this cycle: by packet.
    for (const auto& where : reorder_) {
      auto& order = outputs_[where].order;
      const std::size_t before = seen_[where];
      std::sort(order.begin() + static_cast<std::ptrdiff_t>(before), order.end());
    }
    for (auto& [where, out] : outputs_) seen_[where] = out.order.size();
    reorder_.clear();
  }

  /// One flit over every link.
  void move(std::int64_t now) {
    struct Step {
      std::pair<int, int> from;
      int router, port;
    };
    std::vector<Step> steps;
    for (auto& [where, out] : outputs_) {
      if (out.order.empty()) continue;
      const auto& buffer = buffers_[out.order.front().second];
      if (buffer.empty() || !(buffer.front().packet.token == out.order.front().first)) continue;
      if (buffer.front().arrival > now) continue;
      const bool last = where.first == buffer.front().packet.to_router;
      if (!last && (out.free_places.empty() || out.free_places.front() > now)) continue;
      steps.push_back({out.order.front().second, where.first, where.second});
    }
    for (const Step& step : steps) take(step.from, step.router, step.port, now);
  }

  void take(std::pair<int, int> from, int router, int port, std::int64_t now) {
    Flit flit = buffers_[from].front();
    buffers_[from].pop_front();
    // The place that it leaves is free in the next cycle: from.second is the feeding output + 1000 * its
    // router.
    if (from.second >= 1000)
      output(from.second / 1000 - 1, from.second % 1000).free_places.push_back(now + 1);
    Output& out = output(router, port);
    if (flit.index + 1 == flit.packet.flits) {
      out.order.pop_front();
      --seen_[{router, port}];
    }
    if (router == flit.packet.to_router) {
      if (flit.index + 1 == flit.packet.flits)
        deliveries_[flit.packet.token.window] = now + params_.router_cycles;
      return;
    }
    out.free_places.pop_front();
    flit.arrival = now + params_.router_cycles;
    const int next = topology_.neighbour(router, static_cast<Port>(port));
    buffers_[{next, (router + 1) * 1000 + port}].push_back(flit);
  }

  const NocParams& params_;
  const Topology& topology_;
  std::map<std::pair<int, int>, std::deque<Flit>> buffers_;  ///< router and what fills it
  std::map<std::pair<int, int>, Output> outputs_;
  std::map<std::pair<int, int>, std::size_t> seen_;
  std::set<std::pair<Token, int>> asked_;
  std::vector<std::pair<int, int>> reorder_;
  Deliveries deliveries_;
};

Sent packet(const Topology& topology, int id, int from, int to, std::int64_t flits, std::int64_t cycle) {
  Sent sent;
  sent.packet.token.window = id;
  sent.packet.from_router = topology.router_of(from);
  sent.packet.from_port = topology.tile_port(from);
  sent.packet.to_router = topology.router_of(to);
  sent.packet.to_port = topology.tile_port(to);
  sent.packet.flits = flits;
  sent.cycle = cycle;
  return sent;
}

Driver flow(const NocParams& params, const Topology& topology, const std::vector<Sent>& packets) {
  Driver driver;
  MeshFlow mesh(params, topology, driver);
  for (const Sent& sent : packets) mesh.inject(Time::from_fs(sent.cycle * kCycle), sent.packet);
  driver.run(mesh);
  EXPECT_EQ(mesh.flits_sent(), mesh.flits_delivered());
  return driver;
}

TEST(MeshFlow, APacketAloneTakesItsHopsAndFlits) {
  NocParams params;
  params.router_cycles = 3;
  params.buffer_flits = 4;  // router_cycles + 1: a place comes back in time
  const Topology topology(16, 4, 1);
  const Driver driver = flow(params, topology, {packet(topology, 0, 0, 15, 9, 5)});
  // Seven routers of 3 cycles, then 8 more flits.
  EXPECT_EQ(driver.deliveries.at(0), 5 + 7 * 3 + 8);
  EXPECT_EQ(driver.waits.at(0), 0);
}

TEST(MeshFlow, FewPlacesSlowALongPacketDown) {
  NocParams params;
  params.router_cycles = 3;
  params.buffer_flits = 1;
  const Topology topology(2, 2, 1);
  // A flit leaves the first router every 4 cycles: 3 to the next router, and its place is free a cycle later.
  const Driver driver = flow(params, topology, {packet(topology, 0, 0, 1, 5, 0)});
  EXPECT_EQ(driver.deliveries.at(0), 4 * 4 + 2 * 3);
  EXPECT_EQ(driver.waits.at(0), 4 * 4 - 4);
}

TEST(MeshFlow, ABlockedPacketHoldsTheLinksBehindIt) {
  NocParams params;
  params.buffer_flits = 2;
  const Topology topology(3, 3, 1);
  // 0: tile 2 to itself, 20 flits from cycle 0, leaves by tile 2's port in 0 .. 19.
  // 1: tile 0 to tile 2, 6 flits: head at router 1 in 1, router 2 in 2, where the port is taken until 20. Two
  // flits
  //    wait in router 2, two in router 1, two in the tile. The port passes them in 20 .. 25.
  // 2: tile 0 to tile 1, offered at 1: behind 1 in tile 0. Flits of 1 leave router 1 at 1, 2, 21 .. 24 and
  // router 0
  //    at 0 .. 3, 22, 23; so 2 leaves router 0 at 24 (the fifth flit's place is free again) and router 1
  //    at 25.
  const Driver driver = flow(
      params, topology,
      {packet(topology, 0, 2, 2, 20, 0), packet(topology, 1, 0, 2, 6, 0), packet(topology, 2, 0, 1, 1, 1)});
  EXPECT_EQ(driver.deliveries.at(0), 20);
  EXPECT_EQ(driver.deliveries.at(1), 26);
  EXPECT_EQ(driver.waits.at(1), 26 - 8);
  EXPECT_EQ(driver.deliveries.at(2), 26);
  EXPECT_EQ(driver.deliveries, FlitMachine(params, topology)
                                   .run({packet(topology, 0, 2, 2, 20, 0), packet(topology, 1, 0, 2, 6, 0),
                                         packet(topology, 2, 0, 1, 1, 1)}));
}

TEST(MeshFlow, EqualsAMachineThatMovesEveryFlitInEveryCycle) {
  std::mt19937 random(11);
  const auto pick = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  std::int64_t waited = 0;
  for (int trial = 0; trial < 400; ++trial) {
    NocParams params;
    params.buffer_flits = 1 + pick(6);
    params.router_cycles = 1 + pick(4);
    params.tiles_per_router = 1 << pick(3);
    const int width = 1 + pick(5);
    const int tiles = width * (1 + pick(5));
    const Topology topology(tiles, width, params.tiles_per_router);
    std::vector<Sent> packets;
    const int count = 1 + pick(60);
    const int span = 1 + pick(200);
    for (int i = 0; i < count; ++i) {
      packets.push_back(packet(topology, i, pick(tiles), pick(tiles), 1 + pick(20), pick(span)));
    }
    const Driver driver = flow(params, topology, packets);
    ASSERT_EQ(driver.deliveries, FlitMachine(params, topology).run(packets)) << "trial " << trial;
    for (const auto& [id, wait] : driver.waits) {
      ASSERT_GE(wait, 0);
      waited += wait;
    }
  }
  EXPECT_GT(waited, 10'000);
}

}  // namespace
}  // namespace bitline::noc
