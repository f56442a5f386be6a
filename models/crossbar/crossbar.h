// SPDX-License-Identifier: Apache-2.0
// The crossbar: its size, its read time and the energy of a cell read. What it computes is in models/ima.
#pragma once

#include <cstdint>

#include "models/base/cost.h"
#include "models/base/units.h"

namespace bitline::base {
class Schema;
}

namespace bitline::crossbar {

/// One crossbar; `cost` is that of all crossbars of an IMA together. Keys `crossbar.*`. Cost parts: cells.
struct CrossbarParams {
  int rows = 128;
  int cols = 128;
  int active_rows = 128;                               ///< rows driven (and so converted) together, <= rows
  base::Time read_latency = base::Time::from_ns(100);  ///< DAC drive, settle, until the S+H can latch
  base::Cost cost;
};

[[nodiscard]] base::Schema schema(CrossbarParams& params);

/// Published energy of one cell read where an IMA has `cells` cells: its share of the power during
/// read_latency.
[[nodiscard]] base::Energy cell_read_energy(const CrossbarParams& crossbar, std::int64_t cells);

}  // namespace bitline::crossbar
