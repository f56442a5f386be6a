// SPDX-License-Identifier: Apache-2.0
#include "models/periphery/sample_hold.h"

#include "models/base/schema.h"

namespace bitline::periphery {

base::Schema schema(SampleHoldParams& params) {
  base::Schema s;
  s.time("latency", params.latency, {}, base::kMaxLatency, "from latch to a value that an ADC can convert");
  s.cost(params.cost, "sample-and-holds of an IMA (one per crossbar column)");
  return s;
}

base::Energy hold_energy(const SampleHoldParams& sample_hold, std::int64_t columns, base::Time read_latency) {
  return sample_hold.cost.power_of_one(columns) * read_latency;
}

}  // namespace bitline::periphery
