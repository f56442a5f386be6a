// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "models/base/units.h"

namespace bitline::base {

/// Cost of a group of equal parts as published: power at full rate and area of the whole group (all ADCs of
/// an IMA, all DACs of an IMA, the eDRAM of a tile, ...). The energy of one action is the dynamic part of the
/// power divided by the actions per second of the group at full rate.
struct Cost {
  Power power{0.0};         ///< dynamic power of the group at full rate
  Power static_power{0.0};  ///< burnt all the time, beside `power`
  Area area{0.0};
  /// How many parts (ADCs, rows, cells, wires, bytes: each component says which) the three are given for.
  /// 0: as many as the machine has, so a count that changes keeps the group's cost.
  std::int64_t parts = 0;

  /// Share of `count` parts in a group cost.
  [[nodiscard]] Power power_of(std::int64_t count) const { return power * scale(count); }
  [[nodiscard]] Power static_power_of(std::int64_t count) const { return static_power * scale(count); }
  [[nodiscard]] Area area_of(std::int64_t count) const { return area * scale(count); }
  /// Dynamic power of one part at full rate where the machine has `count` of them.
  [[nodiscard]] Power power_of_one(std::int64_t count) const {
    return power / static_cast<double>(parts > 0 ? parts : count);
  }

 private:
  [[nodiscard]] double scale(std::int64_t count) const {
    return parts > 0 ? static_cast<double>(count) / static_cast<double>(parts) : 1.0;
  }
};

}  // namespace bitline::base
