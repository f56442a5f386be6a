// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "models/base/units.h"

namespace bitline::base {

/// Cost of a group of equal parts as published: power at full rate and area of the whole group (all ADCs of an
/// IMA, all DACs of an IMA, the eDRAM of a tile, ...). The energy of one action is the dynamic part of the power
/// divided by the actions per second of the group at full rate.
struct Cost {
  Power power{0.0};         ///< dynamic power of the group at full rate
  Power static_power{0.0};  ///< burnt all the time, beside `power`
  Area area{0.0};
};

}  // namespace bitline::base
