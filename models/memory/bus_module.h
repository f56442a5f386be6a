// SPDX-License-Identifier: Apache-2.0
// The bus between a tile's eDRAM and its IMAs as a module; amounts are bits.
#pragma once

#include "models/base/service.h"
#include "models/memory/memory.h"

namespace bitline::memory {

class BusModule final : public base::ServiceModule {
 public:
  BusModule(const sc_core::sc_module_name& name, const BusParams& params)
      : ServiceModule(name, base::period(params.clock), {}), params_(params) {}

 private:
  [[nodiscard]] base::Time occupied(std::int64_t bits) const override { return occupancy(params_, bits); }
  BusParams params_;
};

}  // namespace bitline::memory
