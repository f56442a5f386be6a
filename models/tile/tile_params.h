// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "models/digital/unit.h"
#include "models/memory/memory.h"
#include "models/periphery/shift_add.h"

namespace bitline::tile {

/// Keys `tile.*`.
struct TileParams {
  int imas = 12;
  memory::EdramParams edram;
  memory::BusParams bus;
  periphery::ShiftAddParams shift_add{.units = 1};
  memory::RegisterParams output_register{.capacity_bytes = 3072};
  digital::UnitParams activation{.units = 2};
  digital::UnitParams pooling;
  digital::UnitParams elementwise;
  digital::UnitParams requantise;
};

}  // namespace bitline::tile
