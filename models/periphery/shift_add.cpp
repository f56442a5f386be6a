// SPDX-License-Identifier: Apache-2.0
#include "models/periphery/shift_add.h"

#include "models/base/schema.h"

namespace bitline::periphery {

base::Schema schema(ShiftAddParams& params) {
  base::Schema s;
  s.integer("units", params.units, 1, 1 << 20, "shift-and-add units");
  s.frequency(
      "rate", params.rate, base::Frequency(1e3), base::Frequency(1e12),
      "additions per second of one unit, at which `power` is given; in a tile also its speed (in an IMA the "
      "units take every sample as the ADCs deliver it)");
  s.time("latency", params.latency, {}, base::kMaxLatency, "after the last addition");
  s.cost(params.cost, "units");
  return s;
}

base::Time occupancy(const ShiftAddParams& shift_add, std::int64_t additions) {
  return base::period(shift_add.rate) * ((additions + shift_add.units - 1) / shift_add.units);
}

base::Energy add_energy(const ShiftAddParams& shift_add) {
  return shift_add.cost.power_of_one(shift_add.units) / shift_add.rate;
}

}  // namespace bitline::periphery
