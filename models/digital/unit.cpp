// SPDX-License-Identifier: Apache-2.0
#include "models/digital/unit.h"

#include "models/base/schema.h"

namespace bitline::digital {

base::Schema schema(UnitParams& params) {
  base::Schema s;
  s.integer("units", params.units, 1, 1 << 20, "elements taken per cycle");
  s.frequency("clock", params.clock, base::Frequency(1e3), base::Frequency(1e12),
              "of the units; full rate: an element per unit and cycle");
  s.time("latency", params.latency, {}, base::kMaxLatency, "after the last element was taken");
  s.cost(params.cost, "units");
  return s;
}

base::Time occupancy(const UnitParams& unit, std::int64_t elements) {
  return base::period(unit.clock) * ((elements + unit.units - 1) / unit.units);
}

base::Energy element_energy(const UnitParams& unit) {
  return unit.cost.power_of_one(unit.units) / unit.clock;
}

}  // namespace bitline::digital
