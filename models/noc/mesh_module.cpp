// SPDX-License-Identifier: Apache-2.0
#include "models/noc/mesh_module.h"

namespace bitline::noc {

using base::Time;

MeshModule::MeshModule(const sc_core::sc_module_name& name, const NocParams& params, const Topology& topology,
                       int first_router)
    : sc_core::sc_module(name), first_router_(first_router), flow_(params, topology, *this) {
  access.bind(*this);
  SC_HAS_PROCESS(MeshModule);
  SC_METHOD(serve);
  sensitive << heads_.event();
  dont_initialize();
}

void MeshModule::serve() {
  try {
    Time at;
    MeshFlow::Head head;
    while (heads_.pop(at, head)) flow_.head_due(at, head);
    heads_.arm();
  } catch (...) {
    client->failed();
  }
}

void MeshModule::delivered(const base::Token& token, Time end, Time waited) {
  client->granted(token, end, waited);
}
void MeshModule::passed(const base::Token& token, int router, int port, Time start, Time end) {
  client->passed(token, first_router_ + router, port, start, end);
}

}  // namespace bitline::noc
