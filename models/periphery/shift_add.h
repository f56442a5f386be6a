// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "models/base/cost.h"
#include "models/base/units.h"

namespace bitline::periphery {

/// Shift-and-add units of an IMA (`ima.shift_add.*`) or of a tile (`tile.shift_add.*`). Pipelined: one sample per
/// ADC and sample period, `latency` after it.
struct ShiftAddParams {
  int units = 4;
  base::Time latency = base::Time::from_ns(100);
  base::Cost cost;
};

}  // namespace bitline::periphery
