// SPDX-License-Identifier: Apache-2.0
#include "models/periphery/shift_add.h"

namespace bitline::periphery {

base::Time occupancy(const ShiftAddParams& shift_add, std::int64_t additions) {
  return base::period(shift_add.rate) * ((additions + shift_add.units - 1) / shift_add.units);
}

base::Energy add_energy(const ShiftAddParams& shift_add) {
  return shift_add.cost.power_of_one(shift_add.units) / shift_add.rate;
}

}  // namespace bitline::periphery
