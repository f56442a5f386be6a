// SPDX-License-Identifier: Apache-2.0
// The routers and links of the mesh as a module.
#pragma once

#include "models/base/service.h"
#include "models/base/timed_queue.h"
#include "models/noc/mesh_flow.h"

namespace bitline::noc {

class MeshAccess : public sc_core::sc_interface {
 public:
  /// The client hears when the last flit has left at the destination port. `at` is not before the current
  /// time.
  virtual void send(base::Time at, const Packet& packet) = 0;
};

class MeshClient : public base::GrantClient {
 public:
  /// For traces: a packet's flits leave `router` by `port` one after another.
  virtual void passed(const base::Token& /*token*/, int /*router*/, int /*port*/, base::Time /*start*/,
                      base::Time /*end*/) {}
};

/// All routers and links of the mesh: one event per packet and router.
class MeshModule final : public sc_core::sc_module, private MeshAccess, private MeshFlow::Client {
 public:
  sc_core::sc_export<MeshAccess> access{"access"};
  sc_core::sc_port<MeshClient> client{"client"};

  /// The client knows its routers by their numbers from `first_router` on.
  MeshModule(const sc_core::sc_module_name& name, const NocParams& params, const Topology& topology,
             int first_router = 0);

  [[nodiscard]] const MeshFlow& flow() const { return flow_; }

 private:
  void send(base::Time at, const Packet& packet) override { flow_.inject(at, packet); }
  void serve();  ///< process
  void head_at(base::Time at, const MeshFlow::Head& head) override { heads_.push(at, head); }
  void delivered(const base::Token& token, base::Time end, base::Time waited) override;
  void passed(const base::Token& token, int router, int port, base::Time start, base::Time end) override;

  int first_router_;
  MeshFlow flow_;
  base::TimedQueue<MeshFlow::Head> heads_{base::kArbitration};
};

}  // namespace bitline::noc
