// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "models/base/cost.h"
#include "models/base/units.h"

namespace bitline::digital {

/// Any of the tile's digital units: `tile.activation.*` (ReLU, clip, sigmoid, softmax), `tile.pooling.*`,
/// `tile.elementwise.*`, `tile.requantise.*`. Pipelined: `units` elements per clock, `latency` after them.
struct UnitParams {
  int units = 1;
  base::Frequency clock{1.2e9};
  base::Time latency{};
  base::Cost cost;
};

}  // namespace bitline::digital
