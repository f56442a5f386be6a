// SPDX-License-Identifier: Apache-2.0
// A part of the chip that several ask for, as a module: it serves one request after another, in the order of
// the calls, each from an edge of its own clock on. Who asks is bound through `service`; who collects
// requests of one time and puts them in order is the tile, the mesh or the link.
#pragma once

#include <algorithm>
#include <cstdint>

#include "models/base/resource.h"
#include "models/base/systemc.h"
#include "models/base/token.h"

namespace bitline::base {

/// `end`: when the service is over, latencies included; `waited`: how long for others; `start`: of the
/// service.
struct Grant {
  Time end;
  Time waited;
  Time start;
};

class ServiceAccess : public sc_core::sc_interface {
 public:
  /// Takes the part for `amount` (> 0) of what it moves or computes, from `at` on or as soon as it is free.
  /// `made` <= `at`: when that was asked for, where the asker waited for another part first.
  virtual Grant take(Time at, std::int64_t amount, Time made) = 0;
  /// When it has served all that it was asked for.
  [[nodiscard]] virtual Time free() const = 0;
};

/// The adapter of a component: how long an amount occupies it is the component's own equation.
class ServiceModule : public sc_core::sc_module, private ServiceAccess {
 public:
  sc_core::sc_export<ServiceAccess> service{"service"};

  [[nodiscard]] const Resource& resource() const { return resource_; }

 protected:
  ServiceModule(const sc_core::sc_module_name& name, Time period, Time latency)
      : sc_core::sc_module(name), resource_(period), latency_(latency) {
    service.bind(*this);
  }
  [[nodiscard]] virtual Time occupied(std::int64_t amount) const = 0;

 private:
  Grant take(Time at, std::int64_t amount, Time made) final {
    const Time waited = std::max(resource_.free(), at) - made;
    const Time duration = occupied(amount);
    const Time start = resource_.reserve(at, duration, made);
    return {start + duration + latency_, waited, start};
  }
  [[nodiscard]] Time free() const final { return resource_.free(); }

  Resource resource_;
  Time latency_;
};

/// Who asked a tile, the mesh or the link, and hears of grants.
class GrantClient : public sc_core::sc_interface {
 public:
  virtual void granted(const Token& token, Time end, Time waited) = 0;
  /// An exception left a process; the simulation is to stop.
  virtual void failed() = 0;
  /// For traces: what `part` did for a token, latencies left out.
  virtual void served(const sc_core::sc_object& /*part*/, const Token& /*token*/, Time /*start*/,
                      Time /*end*/) {}
};

}  // namespace bitline::base
