// SPDX-License-Identifier: Apache-2.0
#include "sim/cycle/tile_module.h"

#include <algorithm>

#include "models/base/errors.h"

namespace bitline::cycle {

using base::Time;

TileOp op_of(place::Unit unit) {
  switch (unit) {
    case place::Unit::activation:
      return TileOp::activation;
    case place::Unit::pooling:
      return TileOp::pooling;
    case place::Unit::elementwise:
      return TileOp::elementwise;
    case place::Unit::requantise:
      return TileOp::requantise;
    case place::Unit::none:
      break;
  }
  BITLINE_CHECK(false);
  return TileOp::activation;
}

TileModule::TileModule(const sc_core::sc_module_name& name, const tile::TileParams& params,
                       GrantClient& client)
    : sc_core::sc_module(name), params_(params), client_(client) {
  resources_[edram] = Resource(base::period(params.edram.clock));
  resources_[bus] = Resource(base::period(params.bus.clock));
  resources_[shift_add] = Resource(base::period(params.shift_add.rate));
  resources_[activation] = Resource(base::period(params.activation.clock));
  resources_[pooling] = Resource(base::period(params.pooling.clock));
  resources_[elementwise] = Resource(base::period(params.elementwise.clock));
  resources_[requantise] = Resource(base::period(params.requantise.clock));
  SC_HAS_PROCESS(TileModule);
  SC_METHOD(serve);
  sensitive << requests_.event();
  dont_initialize();
}

void TileModule::serve() {
  try {
    Time at;
    Request request;
    while (requests_.pop(at, request)) {
      const Grant granted = grant(at, request);
      client_.granted(request.token, granted.end, granted.waited);
    }
    requests_.arm();
  } catch (...) {
    client_.failed();
  }
}

TileModule::Grant TileModule::grant(Time at, const Request& request) {
  BITLINE_CHECK(request.amount > 0);
  switch (request.op) {
    case TileOp::fill:
      return fill(at, request.amount);
    case TileOp::drain:
      return take(bus, at, memory::occupancy(params_.bus, request.amount), {});
    case TileOp::add:
      return take(shift_add, at, periphery::occupancy(params_.shift_add, request.amount),
                  params_.shift_add.latency);
    case TileOp::activation:
      return unit(activation, params_.activation, at, request.amount);
    case TileOp::pooling:
      return unit(pooling, params_.pooling, at, request.amount);
    case TileOp::elementwise:
      return unit(elementwise, params_.elementwise, at, request.amount);
    case TileOp::requantise:
      return unit(requantise, params_.requantise, at, request.amount);
    case TileOp::read:
    case TileOp::write:
      return take(edram, at, memory::occupancy(params_.edram, request.amount), params_.edram.latency);
  }
  BITLINE_CHECK(false);
  return {};
}

TileModule::Grant TileModule::fill(Time at, std::int64_t bytes) {
  Resource& from = resources_[edram];
  Resource& over = resources_[bus];
  const Time both_free = std::max({at, from.free(), over.free()});
  const Time read = memory::occupancy(params_.edram, bytes);
  const Time transfer = memory::occupancy(params_.bus, bytes * 8);
  // Each starts on an edge of its own clock; what either waits for the other is its waiting too.
  const Time read_start = from.reserve(both_free, read, at);
  const Time transfer_start = over.reserve(both_free, transfer, at);
  const Time end = std::max(read_start + read, transfer_start + transfer) + params_.edram.latency;
  return {end, both_free - at};
}

TileModule::Grant TileModule::take(Part part, Time at, Time duration, Time latency) {
  const Time waited = std::max(resources_[part].free() - at, Time());
  return {resources_[part].reserve(at, duration) + duration + latency, waited};
}

TileModule::Grant TileModule::unit(Part part, const digital::UnitParams& params, Time at,
                                   std::int64_t elements) {
  return take(part, at, digital::occupancy(params, elements), params.latency);
}

}  // namespace bitline::cycle
