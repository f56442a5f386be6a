// SPDX-License-Identifier: Apache-2.0
// Sample-and-hold circuits at the feet of the bitlines: they keep a read's sums while the next read runs.
#pragma once

#include <cstdint>

#include "models/base/cost.h"
#include "models/base/units.h"

namespace bitline::base {
class Schema;
}

namespace bitline::periphery {

/// One per crossbar column; `cost` is that of all of an IMA. Keys `sample_hold.*`. Cost parts: columns.
struct SampleHoldParams {
  base::Time latency{};  ///< from latch to a value that an ADC can convert
  base::Cost cost;
};

[[nodiscard]] base::Schema schema(SampleHoldParams& params);

/// Energy of holding one column for one read of `read_latency`, where an IMA has `columns` of them.
[[nodiscard]] base::Energy hold_energy(const SampleHoldParams& sample_hold, std::int64_t columns,
                                       base::Time read_latency);

}  // namespace bitline::periphery
