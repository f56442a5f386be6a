// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "models/base/cost.h"
#include "models/base/units.h"

namespace bitline::crossbar {

/// One crossbar; `cost` is that of all crossbars of an IMA together. Keys `crossbar.*`.
struct CrossbarParams {
  int rows = 128;
  int cols = 128;
  int active_rows = 128;  ///< rows driven (and so converted) together, <= rows
  base::Time read_latency = base::Time::from_ns(100);  ///< DAC drive, settle, until the S+H can latch
  base::Cost cost;
};

}  // namespace bitline::crossbar
