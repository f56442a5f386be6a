// SPDX-License-Identifier: Apache-2.0
// A group of digital units of a tile as a module; amounts are elements.
#pragma once

#include "models/base/service.h"
#include "models/digital/unit.h"

namespace bitline::digital {

class UnitModule final : public base::ServiceModule {
 public:
  UnitModule(const sc_core::sc_module_name& name, const UnitParams& params)
      : ServiceModule(name, base::period(params.clock), params.latency), params_(params) {}

 private:
  [[nodiscard]] base::Time occupied(std::int64_t elements) const override {
    return occupancy(params_, elements);
  }
  UnitParams params_;
};

}  // namespace bitline::digital
