// SPDX-License-Identifier: Apache-2.0
// The mesh and the chip's external link as modules.
#pragma once

#include <cstdint>

#include "models/noc/noc.h"
#include "sim/cycle/mesh_flow.h"
#include "sim/cycle/resource.h"
#include "sim/cycle/tile_module.h"
#include "sim/cycle/timed_queue.h"
#include "sim/cycle/token.h"
#include "sim/cycle/topology.h"

namespace bitline::cycle {

/// All routers and links of the mesh: one event per packet and router.
class MeshModule final : public sc_core::sc_module, private MeshFlow::Client {
 public:
  MeshModule(const sc_core::sc_module_name& name, const noc::NocParams& params, const Topology& topology,
             GrantClient& client);

  /// The client hears when the last flit has left at the destination port. `at` is not before the current
  /// time.
  void send(base::Time at, const Packet& packet) { flow_.inject(at, packet); }
  [[nodiscard]] const MeshFlow& flow() const { return flow_; }

 private:
  void serve();  ///< process
  void head_at(base::Time at, const MeshFlow::Head& head) override { heads_.push(at, head); }
  void delivered(const Token& token, base::Time end, base::Time waited) override;
  void passed(const Token& token, int router, base::Time start, base::Time end) override;

  GrantClient& client_;
  MeshFlow flow_;
  TimedQueue<MeshFlow::Head> heads_{kArbitration};
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
