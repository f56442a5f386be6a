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
    while (requests_.pop(at, request)) client_.granted(request.token, grant(at, request));
    requests_.arm();
  } catch (...) {
    client_.failed();
  }
}

Time TileModule::grant(Time at, const Request& request) {
  BITLINE_CHECK(request.amount > 0);
  switch (request.op) {
    case TileOp::fill:
      return fill(at, request.amount);
    case TileOp::drain: {
      const Time duration = memory::occupancy(params_.bus, request.amount);
      return resources_[bus].reserve(at, duration) + duration;
    }
    case TileOp::add: {
      const Time duration = periphery::occupancy(params_.shift_add, request.amount);
      return resources_[shift_add].reserve(at, duration) + duration + params_.shift_add.latency;
    }
    case TileOp::activation:
      return unit(activation, params_.activation, at, request.amount);
    case TileOp::pooling:
      return unit(pooling, params_.pooling, at, request.amount);
    case TileOp::elementwise:
      return unit(elementwise, params_.elementwise, at, request.amount);
    case TileOp::requantise:
      return unit(requantise, params_.requantise, at, request.amount);
    case TileOp::read:
    case TileOp::write: {
      const Time duration = memory::occupancy(params_.edram, request.amount);
      return resources_[edram].reserve(at, duration) + duration + params_.edram.latency;
    }
  }
  BITLINE_CHECK(false);
  return {};
}

Time TileModule::fill(Time at, std::int64_t bytes) {
  const Time both_free = std::max({at, resources_[edram].free(), resources_[bus].free()});
  const Time read = memory::occupancy(params_.edram, bytes);
  const Time transfer = memory::occupancy(params_.bus, bytes * 8);
  const Time read_end = resources_[edram].reserve(both_free, read) + read;
  const Time transfer_end = resources_[bus].reserve(both_free, transfer) + transfer;
  return std::max(read_end, transfer_end) + params_.edram.latency;
}

Time TileModule::unit(Part part, const digital::UnitParams& params, Time at, std::int64_t elements) {
  const Time duration = digital::occupancy(params, elements);
  return resources_[part].reserve(at, duration) + duration + params.latency;
}

}  // namespace bitline::cycle
