// SPDX-License-Identifier: Apache-2.0
// The crossbar: analog sums of cells over driven rows, its read time and the energy of a cell read.
#pragma once

#include <cstdint>
#include <span>

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
  int active_rows = 128;  ///< rows driven (and so converted) together, <= rows
  base::Time read_latency = base::Time::from_ns(100);  ///< DAC drive, settle, until the S+H can latch
  base::Cost cost;
};

[[nodiscard]] base::Schema schema(CrossbarParams& params);

/// Analog sum of one column: sum of inputs[i] * cells[i], exact as the device is ideal. Equal lengths.
[[nodiscard]] std::int64_t column_sum(std::span<const std::int32_t> inputs, std::span<const std::int32_t> cells);

/// Published energy of one cell read where an IMA has `cells` cells: its share of the power during read_latency.
[[nodiscard]] base::Energy cell_read_energy(const CrossbarParams& crossbar, std::int64_t cells);

}  // namespace bitline::crossbar
