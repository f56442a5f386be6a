// SPDX-License-Identifier: Apache-2.0
#include "models/noc/mesh_flow.h"

#include <algorithm>
#include <utility>

#include "models/base/errors.h"

namespace bitline::noc {

using base::Time;

void Train::append(Time first, std::int64_t flits, Time cycle) {
  if (!empty() && runs_.back().first + cycle * runs_.back().flits == first) {
    runs_.back().flits += flits;
  } else {
    runs_.push_back({first, flits});
  }
}

void Train::drop(std::int64_t flits, Time cycle) {
  constexpr std::size_t kMostGone = 16;
  Run& run = runs_[front_];
  run.first += cycle * flits;
  run.flits -= flits;
  if (run.flits > 0) return;
  ++front_;
  if (empty()) {
    clear();
  } else if (front_ >= kMostGone && 2 * front_ >= runs_.size()) {
    runs_.erase(runs_.begin(), runs_.begin() + static_cast<std::ptrdiff_t>(front_));
    front_ = 0;
  }
}

void Train::clear() {
  runs_.clear();
  front_ = 0;
}

/// A packet at one router on its way.
struct MeshFlow::Hop {
  Packet packet;
  int router = 0;
  Input* input = nullptr;
  Link* link = nullptr;
  Hop* next = nullptr;    ///< at the router behind `link`
  bool last = false;      ///< `link` leaves the mesh
  bool offered = false;   ///< in its input (always, but for packets that enter the mesh later)
  bool asked = false;     ///< for head_due
  Train arrived;          ///< flits that have come or will, and not yet left
  std::int64_t left = 0;  ///< flits
  Time at;                ///< when its head could ask for the link
  Time first_left;
  Time last_left;
  Time unhindered;  ///< when the last flit would leave the mesh, were all routers empty
};

MeshFlow::MeshFlow(const NocParams& params, const Topology& topology, Client& client)
    : cycle_(base::period(params.clock)),
      hop_latency_(hop_latency(params)),
      topology_(topology),
      client_(client),
      links_(static_cast<std::size_t>(topology.routers()) * static_cast<std::size_t>(topology.ports())),
      sources_(links_.size()) {
  for (Link& link : links_) {
    link.buffer.feeder = &link;
    // All places have been free for long.
    link.credits.append(cycle_ * -params.buffer_flits, params.buffer_flits, cycle_);
  }
}

MeshFlow::~MeshFlow() = default;

MeshFlow::Hop& MeshFlow::make_hop(const Packet& packet, int router, Input& input) {
  if (unused_.empty()) {
    pool_.push_back(std::make_unique<Hop>());
    unused_.push_back(pool_.back().get());
  }
  Hop& hop = *unused_.back();
  unused_.pop_back();
  Train arrived = std::move(hop.arrived);
  arrived.clear();
  hop = Hop();
  hop.arrived = std::move(arrived);
  hop.packet = packet;
  hop.router = router;
  hop.input = &input;
  hop.last = router == packet.to_router;
  const int port = hop.last ? packet.to_port : static_cast<int>(topology_.towards(router, packet.to_router));
  hop.link = &links_[static_cast<std::size_t>(router) * static_cast<std::size_t>(topology_.ports()) +
                     static_cast<std::size_t>(port)];
  return hop;
}

void MeshFlow::inject(Time at, const Packet& packet) {
  BITLINE_CHECK(packet.flits > 0);
  const int source = packet.from_router * topology_.ports() + packet.from_port;
  Hop& hop = make_hop(packet, packet.from_router, sources_[static_cast<std::size_t>(source)]);
  hop.arrived.append(at, packet.flits, cycle_);
  hop.unhindered = base::align_up(at, cycle_) +
                   hop_latency_ * topology_.hops(packet.from_router, packet.to_router) +
                   cycle_ * (packet.flits - 1);
  sent_ += packet.flits;
  client_.head_at(at, {packet.token, hop.router, &hop});
}

void MeshFlow::head_due(Time at, const Head& head) {
  Hop& hop = *head.hop;
  if (!hop.offered && hop.input->feeder == nullptr) {
    hop.offered = true;
    hop.input->packets.push_back(&hop);
    if (hop.input->packets.size() > 1) return;
    if (hop.input->free > at) {
      when_first(hop);
      return;
    }
    hop.asked = true;
  }
  hop.at = at;
  hop.link->waiting.push_back(&hop);
  changed_.push_back(&hop);
  settle();
}

void MeshFlow::when_first(Hop& hop) {
  if (hop.asked || hop.input->packets.front() != &hop) return;
  hop.asked = true;
  client_.head_at(std::max(hop.arrived.front().first, hop.input->free), {hop.packet.token, hop.router, &hop});
}

void MeshFlow::settle() {
  while (!changed_.empty()) {
    Hop& hop = *changed_.back();
    changed_.pop_back();
    extend(hop);
  }
}

void MeshFlow::extend(Hop& hop) {
  Link& link = *hop.link;
  if (link.waiting.empty() || link.waiting.front() != &hop) return;
  while (hop.left < hop.packet.flits && !hop.arrived.empty() && (hop.last || !link.credits.empty())) {
    Time first = hop.left == 0 ? std::max(hop.at, link.free) : hop.last_left + cycle_;
    std::int64_t flits = hop.arrived.front().flits;
    first = std::max(first, hop.arrived.front().first);
    if (!hop.last) {
      first = std::max(first, link.credits.front().first);
      flits = std::min(flits, link.credits.front().flits);
    }
    emit(hop, base::align_up(first, cycle_), flits);
  }
  if (hop.left == hop.packet.flits) finish(hop);
}

void MeshFlow::emit(Hop& hop, Time first, std::int64_t flits) {
  if (hop.left == 0) hop.first_left = first;
  hop.left += flits;
  hop.last_left = first + cycle_ * (flits - 1);
  hop.arrived.drop(flits, cycle_);
  if (Link* feeder = hop.input->feeder; feeder != nullptr) {
    feeder->credits.append(first + cycle_, flits, cycle_);
    if (!feeder->waiting.empty()) changed_.push_back(feeder->waiting.front());
  }
  if (hop.last) return;
  hop.link->credits.drop(flits, cycle_);
  if (hop.next == nullptr) {
    const Port way = topology_.towards(hop.router, hop.packet.to_router);
    hop.next = &make_hop(hop.packet, topology_.neighbour(hop.router, way), hop.link->buffer);
    hop.next->unhindered = hop.unhindered;
    hop.next->offered = true;
    hop.link->buffer.packets.push_back(hop.next);
  }
  hop.next->arrived.append(first + hop_latency_, flits, cycle_);
  when_first(*hop.next);
  changed_.push_back(hop.next);
}

void MeshFlow::finish(Hop& hop) {
  Link& link = *hop.link;
  Input& input = *hop.input;
  const Time end = hop.last_left + cycle_;
  link.free = end;
  link.use.busy += cycle_ * hop.packet.flits;
  const Time waited = hop.last_left - base::align_up(hop.at, cycle_) - cycle_ * (hop.packet.flits - 1);
  link.use.waited += waited;
  ++link.use.packets;
  link.use.waits += waited > Time() ? 1 : 0;
  const auto port = static_cast<int>((&link - links_.data()) % topology_.ports());
  client_.passed(hop.packet.token, hop.router, port, hop.first_left, end);
  link.waiting.pop_front();
  if (!link.waiting.empty()) changed_.push_back(link.waiting.front());
  input.free = end;
  input.packets.pop_front();
  if (!input.packets.empty()) when_first(*input.packets.front());
  if (hop.last) {
    delivered_ += hop.packet.flits;
    const Time delivered = hop.last_left + hop_latency_;
    client_.delivered(hop.packet.token, delivered, delivered - hop.unhindered);
  }
  unused_.push_back(&hop);
}

std::vector<MeshFlow::LinkUse> MeshFlow::links() const {
  std::vector<LinkUse> uses;
  uses.reserve(links_.size());
  for (const Link& link : links_) uses.push_back(link.use);
  return uses;
}

}  // namespace bitline::noc
