// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "models/base/cost.h"
#include "models/base/units.h"

namespace bitline::periphery {

/// One per crossbar column; `cost` is that of all of an IMA. Keys `sample_hold.*`.
struct SampleHoldParams {
  base::Time latency{};  ///< from latch to a value that an ADC can convert
  base::Cost cost;
};

}  // namespace bitline::periphery
