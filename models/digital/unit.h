// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "models/base/cost.h"
#include "models/base/units.h"

namespace bitline::base {
class Schema;
}

namespace bitline::digital {

/// Any of the tile's digital units: `tile.activation.*` (ReLU, clip, sigmoid, softmax), `tile.pooling.*`,
/// `tile.elementwise.*`, `tile.requantise.*`. Pipelined: `units` elements per clock, `latency` after them.
/// Cost parts: units.
struct UnitParams {
  int units = 1;
  base::Frequency clock{1.2e9};
  base::Time latency{};
  base::Cost cost;
};

[[nodiscard]] base::Schema schema(UnitParams& params);

/// How long `elements` occupy the units: ceil(elements / units) cycles. The latency comes on top.
[[nodiscard]] base::Time occupancy(const UnitParams& unit, std::int64_t elements);
/// Energy of one element.
[[nodiscard]] base::Energy element_energy(const UnitParams& unit);

}  // namespace bitline::digital
