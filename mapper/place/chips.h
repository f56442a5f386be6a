// SPDX-License-Identifier: Apache-2.0
// Tiles and links of several chips. What names a tile may also name a chip's external link.
#pragma once

#include "models/arch/arch.h"
#include "models/noc/topology.h"

namespace bitline::place {

/// Stands for the external link of a chip, at the router of its tile 0.
[[nodiscard]] constexpr int link_of(int chip) {
  return noc::kChipLink - chip;
}
[[nodiscard]] constexpr bool is_link(int end) {
  return end < 0;
}
/// The chip of a tile or link.
[[nodiscard]] inline int chip_of(int end, const arch::Arch& arch) {
  return is_link(end) ? noc::kChipLink - end : end / arch.chip.tiles;
}
/// A tile (tile 0 for a link) within its chip.
[[nodiscard]] inline int tile_in_chip(int end, const arch::Arch& arch) {
  return is_link(end) ? 0 : end % arch.chip.tiles;
}

}  // namespace bitline::place
