// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "models/base/cost.h"
#include "models/base/units.h"

namespace bitline::memory {

/// `ima.input_register.*`, `ima.output_register.*`, `tile.output_register.*`.
struct RegisterParams {
  std::int64_t capacity_bytes = 2048;
  int buffers = 2;         ///< 2: the next vector is loaded while this one is used
  base::Time latency{};    ///< of a write
  base::Cost cost;
};

/// The tile's buffer for layer inputs. `tile.edram.*`.
struct EdramParams {
  std::int64_t capacity_bytes = 64 * 1024;
  int width_bits = 256;
  int banks = 2;                   ///< accesses that can be under way together
  base::Frequency clock{1.2e9};    ///< one access per bank and cycle
  base::Time latency{};            ///< from request to data, beside the transfer
  base::Cost cost;
};

/// eDRAM to IMA bus, one per tile. `tile.bus.*`.
struct BusParams {
  int wires = 384;
  base::Frequency clock{1.2e9};
  base::Cost cost;
};

}  // namespace bitline::memory
