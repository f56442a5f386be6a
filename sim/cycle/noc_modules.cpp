// SPDX-License-Identifier: Apache-2.0
#include "sim/cycle/noc_modules.h"

#include "models/base/errors.h"

namespace bitline::cycle {

using base::Time;

RouterModule::RouterModule(const sc_core::sc_module_name& name, int index, const noc::NocParams& params,
                           const Topology& topology, GrantClient& client)
    : sc_core::sc_module(name),
      index_(index),
      cycle_(base::period(params.clock)),
      hop_latency_(noc::hop_latency(params)),
      topology_(topology),
      client_(client),
      links_(static_cast<std::size_t>(topology.ports()), Resource(cycle_)) {
  SC_HAS_PROCESS(RouterModule);
  SC_METHOD(serve);
  sensitive << arrivals_.event();
  dont_initialize();
}

void RouterModule::serve() {
  try {
    Time at;
    Packet packet;
    while (arrivals_.pop(at, packet)) forward(at, packet);
    arrivals_.arm();
  } catch (...) {
    client_.failed();
  }
}

void RouterModule::forward(Time at, const Packet& packet) {
  BITLINE_CHECK(packet.flits > 0);
  const bool arrived = packet.router == index_;
  const Port way = arrived ? Port::chip_link : topology_.towards(index_, packet.router);
  const int port = arrived ? packet.port : static_cast<int>(way);
  const Time head = links_[static_cast<std::size_t>(port)].reserve(at, cycle_ * packet.flits) + hop_latency_;
  if (arrived) {
    client_.granted(packet.token, head + cycle_ * (packet.flits - 1));
  } else {
    routers_[static_cast<std::size_t>(topology_.neighbour(index_, way))]->arrive(head, packet);
  }
}

ChipLinkModule::ChipLinkModule(const sc_core::sc_module_name& name, const noc::LinkParams& params,
                               GrantClient& client)
    : sc_core::sc_module(name), params_(params), client_(client) {
  SC_HAS_PROCESS(ChipLinkModule);
  SC_METHOD(serve);
  sensitive << requests_.event();
  dont_initialize();
}

void ChipLinkModule::serve() {
  try {
    Time at;
    Request request;
    while (requests_.pop(at, request)) {
      const Time duration = noc::occupancy(params_, request.bytes);
      client_.granted(request.token, resource_.reserve(at, duration) + duration);
    }
    requests_.arm();
  } catch (...) {
    client_.failed();
  }
}

}  // namespace bitline::cycle
