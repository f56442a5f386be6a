// SPDX-License-Identifier: Apache-2.0
#include "models/tile/tile_module.h"

#include <algorithm>

#include "models/base/errors.h"

namespace bitline::tile {

using base::Grant;
using base::Time;

TileModule::TileModule(const sc_core::sc_module_name& name, const TileParams& params)
    : sc_core::sc_module(name),
      edram_latency_(params.edram.latency),
      edram_("edram", params.edram),
      bus_("bus", params.bus),
      shift_add_("shift_add", params.shift_add),
      activation_("activation", params.activation),
      pooling_("pooling", params.pooling),
      elementwise_("elementwise", params.elementwise),
      requantise_("requantise", params.requantise),
      modules_{&edram_, &bus_, &shift_add_, &activation_, &pooling_, &elementwise_, &requantise_} {
  access.bind(*this);
  base::ServiceModule* const parts[] = {&edram_,   &bus_,         &shift_add_, &activation_,
                                        &pooling_, &elementwise_, &requantise_};
  for (std::size_t part = 0; part < parts_; ++part) services_[part].bind(parts[part]->service);
  SC_HAS_PROCESS(TileModule);
  SC_METHOD(serve);
  sensitive << requests_.event();
  dont_initialize();
}

void TileModule::serve() {
  try {
    Time at;
    TileRequest request;
    while (requests_.pop(at, request)) {
      const Grant granted = grant(at, request);
      client->granted(request.token, granted.end, granted.waited);
    }
    requests_.arm();
  } catch (...) {
    client->failed();
  }
}

Grant TileModule::grant(Time at, const TileRequest& request) {
  BITLINE_CHECK(request.amount > 0);
  switch (request.op) {
    case TileOp::fill:
      return fill(at, request);
    case TileOp::drain:
      return take(bus, at, request);
    case TileOp::add:
      return take(shift_add, at, request);
    case TileOp::activation:
      return take(activation, at, request);
    case TileOp::pooling:
      return take(pooling, at, request);
    case TileOp::elementwise:
      return take(elementwise, at, request);
    case TileOp::requantise:
      return take(requantise, at, request);
    case TileOp::read:
    case TileOp::write:
      return take(edram, at, request);
  }
  BITLINE_CHECK(false);
  return {};
}

Grant TileModule::fill(Time at, const TileRequest& request) {
  const Time both_free = std::max({at, services_[edram]->free(), services_[bus]->free()});
  // Each starts on an edge of its own clock; what either waits for the other is its waiting too.
  const Grant read = take(edram, both_free, request.amount, at, request.token);
  const Grant transfer = take(bus, both_free, request.amount * 8, at, request.token);
  return {std::max(read.end, transfer.end + edram_latency_), read.waited, read.start};
}

Grant TileModule::take(Part part, Time at, std::int64_t amount, Time made, const base::Token& token) {
  const Grant granted = services_[part]->take(at, amount, made);
  client->served(*modules_[part], token, granted.start, services_[part]->free());
  return granted;
}

}  // namespace bitline::tile
