// SPDX-License-Identifier: Apache-2.0
#include "models/periphery/dac.h"

#include "models/base/schema.h"

namespace bitline::periphery {

base::Schema schema(DacParams& params) {
  base::Schema s;
  s.integer("bits", params.bits, 1, 8, "input bits driven onto a row per read (1: no DAC but a driver)");
  s.cost(params.cost, "DACs of an IMA (one per crossbar row)");
  return s;
}

base::Energy drive_energy(const DacParams& dac, std::int64_t rows, base::Time read_latency) {
  return dac.cost.power_of_one(rows) * read_latency;
}

}  // namespace bitline::periphery
