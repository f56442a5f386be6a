// SPDX-License-Identifier: Apache-2.0
#include "models/digital/unit.h"

namespace bitline::digital {

base::Time occupancy(const UnitParams& unit, std::int64_t elements) {
  return base::period(unit.clock) * ((elements + unit.units - 1) / unit.units);
}

base::Energy element_energy(const UnitParams& unit) {
  return unit.cost.power_of_one(unit.units) / unit.clock;
}

}  // namespace bitline::digital
