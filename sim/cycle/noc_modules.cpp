// SPDX-License-Identifier: Apache-2.0
#include "sim/cycle/noc_modules.h"

namespace bitline::cycle {

using base::Time;

MeshModule::MeshModule(const sc_core::sc_module_name& name, const noc::NocParams& params,
                       const Topology& topology, GrantClient& client)
    : sc_core::sc_module(name), client_(client), flow_(params, topology, *this) {
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
    client_.failed();
  }
}

void MeshModule::delivered(const Token& token, Time end, Time waited) {
  client_.granted(token, end, waited);
}
void MeshModule::passed(const Token&, int, Time, Time) {}

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
      const Time start = resource_.reserve(at, duration);
      client_.granted(request.token, start + duration, start - at);
    }
    requests_.arm();
  } catch (...) {
    client_.failed();
  }
}

}  // namespace bitline::cycle
