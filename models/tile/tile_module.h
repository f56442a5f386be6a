// SPDX-License-Identifier: Apache-2.0
// A tile's shared parts: eDRAM, bus, shift-add and digital units, each a module of its own. The tile collects
// the requests of a time and passes them to its parts in the order of their tokens.
#pragma once

#include <array>
#include <cstdint>

#include "models/base/service.h"
#include "models/base/timed_queue.h"
#include "models/digital/unit_module.h"
#include "models/memory/bus_module.h"
#include "models/memory/edram_module.h"
#include "models/periphery/tile_shift_add_module.h"
#include "models/tile/tile_params.h"

namespace bitline::tile {

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

struct TileRequest {
  base::Token token;
  TileOp op = TileOp::fill;
  std::int64_t amount = 0;
  friend auto operator<=>(const TileRequest&, const TileRequest&) = default;
};

class TileAccess : public sc_core::sc_interface {
 public:
  /// The client hears when it is granted. `at` is not before the current time; amount > 0.
  virtual void request(base::Time at, const TileRequest& request) = 0;
};

class TileModule final : public sc_core::sc_module, private TileAccess {
 public:
  sc_core::sc_export<TileAccess> access{"access"};
  sc_core::sc_port<base::GrantClient> client{"client"};

  TileModule(const sc_core::sc_module_name& name, const TileParams& params);

  enum Part : std::size_t { edram, bus, shift_add, activation, pooling, elementwise, requantise, parts_ };
  [[nodiscard]] const base::Resource& resource(std::size_t part) const { return modules_[part]->resource(); }

 private:
  void request(base::Time at, const TileRequest& request) override { requests_.push(at, request); }
  void serve();  ///< process
  [[nodiscard]] base::Grant grant(base::Time at, const TileRequest& request);
  [[nodiscard]] base::Grant fill(base::Time at, const TileRequest& request);
  [[nodiscard]] base::Grant take(Part part, base::Time at, const TileRequest& request) {
    return take(part, at, request.amount, at, request.token);
  }
  [[nodiscard]] base::Grant take(Part part, base::Time at, std::int64_t amount, base::Time made,
                                 const base::Token& token);

  base::Time edram_latency_;
  memory::EdramModule edram_;
  memory::BusModule bus_;
  periphery::TileShiftAddModule shift_add_;
  digital::UnitModule activation_;
  digital::UnitModule pooling_;
  digital::UnitModule elementwise_;
  digital::UnitModule requantise_;
  std::array<const base::ServiceModule*, parts_> modules_;
  sc_core::sc_vector<sc_core::sc_port<base::ServiceAccess>> services_{"part", parts_};
  base::TimedQueue<TileRequest> requests_{base::kArbitration};
};

}  // namespace bitline::tile
