// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "models/digital/unit.h"
#include "models/memory/memory.h"
#include "models/periphery/shift_add.h"

namespace bitline::tile {

/// Keys `tile.*`.
struct TileParams {
  int imas = 12;
  int write_rows = 1;  ///< rows of its crossbars that are programmed together
  memory::EdramParams edram;
  memory::BusParams bus;
  periphery::ShiftAddParams shift_add{.units = 1, .latency = {}, .cost = {}};
  memory::RegisterParams output_register{
      .capacity_bytes = 3072, .bandwidth = base::Frequency(1.92e9), .cost = {}};
  digital::UnitParams activation{.units = 2};
  digital::UnitParams pooling;
  digital::UnitParams elementwise;
  digital::UnitParams requantise;
};

[[nodiscard]] base::Schema schema(TileParams& params);

}  // namespace bitline::tile
