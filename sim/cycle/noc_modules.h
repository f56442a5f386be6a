// SPDX-License-Identifier: Apache-2.0
// Routers of the mesh and the chip's external link. Wormhole switching: a packet's head takes hop_latency per
// router, its body follows one flit per cycle, and every output link on the way is taken for as many cycles
// as it has flits. Buffers inside routers are not bounded.
#pragma once

#include <cstdint>
#include <vector>

#include "models/noc/noc.h"
#include "sim/cycle/resource.h"
#include "sim/cycle/tile_module.h"
#include "sim/cycle/timed_queue.h"
#include "sim/cycle/token.h"
#include "sim/cycle/topology.h"

namespace bitline::cycle {

struct Packet {
  Token token;
  int router = 0;  ///< destination
  int port = 0;    ///< and its output there
  std::int64_t flits = 0;
  friend auto operator<=>(const Packet&, const Packet&) = default;
};

class RouterModule final : public sc_core::sc_module {
 public:
  RouterModule(const sc_core::sc_module_name& name, int index, const noc::NocParams& params,
               const Topology& topology, GrantClient& client);

  /// All routers of the mesh, by index; before the simulation starts.
  void connect(const std::vector<RouterModule*>& routers) { routers_ = routers; }
  /// The head of `packet` arrives at `at`. The client hears when the last flit has left at the destination
  /// port.
  void arrive(base::Time at, const Packet& packet) { arrivals_.push(at, packet); }

  [[nodiscard]] const std::vector<Resource>& links() const { return links_; }

 private:
  void serve();  ///< process
  void forward(base::Time at, const Packet& packet);

  int index_;
  base::Time cycle_;
  base::Time hop_latency_;
  const Topology& topology_;
  GrantClient& client_;
  std::vector<RouterModule*> routers_;
  std::vector<Resource> links_;  ///< by output port
  TimedQueue<Packet> arrivals_{kArbitration};
};

/// The chip's external link: one pixel after another, over all links together.
class ChipLinkModule final : public sc_core::sc_module {
 public:
  struct Request {
    Token token;
    std::int64_t bytes = 0;
    friend auto operator<=>(const Request&, const Request&) = default;
  };
  ChipLinkModule(const sc_core::sc_module_name& name, const noc::LinkParams& params, GrantClient& client);
  void request(base::Time at, const Request& request) { requests_.push(at, request); }
  [[nodiscard]] const Resource& resource() const { return resource_; }

 private:
  void serve();  ///< process

  noc::LinkParams params_;
  GrantClient& client_;
  Resource resource_;
  TimedQueue<Request> requests_{kArbitration};
};

}  // namespace bitline::cycle
