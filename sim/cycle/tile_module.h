// SPDX-License-Identifier: Apache-2.0
// A tile's shared parts: eDRAM, bus, shift-add and digital units, each serving requests in the order of their
// times.
#pragma once

#include <array>
#include <cstdint>

#include "mapper/place/program.h"
#include "models/tile/tile_params.h"
#include "sim/cycle/resource.h"
#include "sim/cycle/timed_queue.h"
#include "sim/cycle/token.h"

namespace bitline::cycle {

/// Who hears of grants; `end`: when the service is over (latencies included); `waited`: how long for others.
class GrantClient {
 public:
  virtual ~GrantClient() = default;
  virtual void granted(const Token& token, base::Time end, base::Time waited) = 0;
  /// An exception left a process; the simulation is to stop.
  virtual void failed() = 0;
};

enum class TileOp : std::uint8_t {
  fill,   ///< amount: bytes from eDRAM over the bus
  drain,  ///< bits over the bus
  add,    ///< additions
  activation,
  pooling,
  elementwise,
  requantise,  ///< elements
  read,        ///< bytes from eDRAM
  write,       ///< bytes to eDRAM
};

[[nodiscard]] TileOp op_of(place::Unit unit);

class TileModule final : public sc_core::sc_module {
 public:
  struct Request {
    Token token;
    TileOp op = TileOp::fill;
    std::int64_t amount = 0;
    friend auto operator<=>(const Request&, const Request&) = default;
  };
  TileModule(const sc_core::sc_module_name& name, const tile::TileParams& params, GrantClient& client);

  /// `at` is not before the current time; amount > 0.
  void request(base::Time at, const Request& request) { requests_.push(at, request); }

  enum Part : std::size_t { edram, bus, shift_add, activation, pooling, elementwise, requantise, parts_ };
  [[nodiscard]] const Resource& resource(std::size_t part) const { return resources_[part]; }

 private:
  void serve();  ///< process
  struct Grant {
    base::Time end;
    base::Time waited;
  };
  [[nodiscard]] Grant grant(base::Time at, const Request& request);
  [[nodiscard]] Grant fill(base::Time at, std::int64_t bytes);
  [[nodiscard]] Grant take(Part part, base::Time at, base::Time duration, base::Time latency);
  [[nodiscard]] Grant unit(Part part, const digital::UnitParams& params, base::Time at,
                           std::int64_t elements);

  tile::TileParams params_;
  GrantClient& client_;
  std::array<Resource, parts_> resources_;
  TimedQueue<Request> requests_{kArbitration};
};

}  // namespace bitline::cycle
