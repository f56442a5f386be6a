// SPDX-License-Identifier: Apache-2.0
// Row drivers: the bits of an input they drive per read, and what that costs.
#pragma once

#include <cstdint>

#include "models/base/cost.h"
#include "models/base/units.h"

namespace bitline::base {
class Schema;
}

namespace bitline::periphery {

/// Row drivers; `cost` is that of all DACs of an IMA (one per crossbar row). Keys `dac.*`. Cost parts: rows.
struct DacParams {
  int bits = 1;  ///< input bits driven per read
  base::Cost cost;
};

[[nodiscard]] base::Schema schema(DacParams& params);

/// Energy of driving one row for one read of `read_latency`, where an IMA has `rows` DACs.
[[nodiscard]] base::Energy drive_energy(const DacParams& dac, std::int64_t rows, base::Time read_latency);

}  // namespace bitline::periphery
