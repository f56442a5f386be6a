// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "models/base/cost.h"
#include "models/base/units.h"

namespace bitline::base {
class Schema;
}

namespace bitline::periphery {

/// Shift-and-add units of an IMA (`ima.shift_add.*`) or of a tile (`tile.shift_add.*`). In an IMA they take
/// every sample as the ADCs deliver it; in a tile partial sums queue for them. Cost parts: units.
struct ShiftAddParams {
  int units = 4;
  base::Frequency rate{1.2e9};  ///< additions per second of one unit, pipelined; power is given at this rate
  base::Time latency = base::Time::from_ns(100);  ///< after the last addition
  base::Cost cost;
};

[[nodiscard]] base::Schema schema(ShiftAddParams& params);

/// How long `additions` occupy the units: ceil(additions / units) periods of `rate`. The latency comes on
/// top.
[[nodiscard]] base::Time occupancy(const ShiftAddParams& shift_add, std::int64_t additions);
/// Energy of one addition.
[[nodiscard]] base::Energy add_energy(const ShiftAddParams& shift_add);

}  // namespace bitline::periphery
