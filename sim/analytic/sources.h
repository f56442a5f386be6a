// SPDX-License-Identifier: Apache-2.0
// Where the pixels of a stage are made while one window is probed, and what the probes of layers and of other
// stages have in common.
#pragma once

#include "sim/analytic/stage_probe.h"

namespace bitline::analytic {

/// A place where pixels of a stage are made: a join, or the tile of a digital part.
struct Source {
  int tile;
  std::int64_t before, weight, sum;  ///< its part of each pixel
  Instant ready;
};
using Sources = std::vector<Source>;

/// Part of `total` in proportion to `weight` (as the cycle-level chip shares out pixels).
[[nodiscard]] inline std::int64_t share(std::int64_t total, std::int64_t before, std::int64_t weight,
                                        std::int64_t sum) {
  if (weight == sum) return total;
  return total * (before + weight) / sum - total * before / sum;
}

/// A packet of a window, and its flits.
inline Instant send(Parts& parts, int from, int to, Instant ready, std::int64_t bits, Replica& replica) {
  replica.actions[base::Action::router_flit] += parts.flit_hops(from, to, bits);
  return parts.send(from, to, ready, bits);
}

/// The part of a tile that does a digital unit's work.
struct UnitPart {
  Part part;
  base::Action action;
};
[[nodiscard]] UnitPart part_of(place::Unit unit);
/// How long `elements` keep it busy.
[[nodiscard]] Instant unit_time(const tile::TileParams& tile, Part part, std::int64_t elements);

}  // namespace bitline::analytic
