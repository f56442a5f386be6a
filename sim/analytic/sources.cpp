// SPDX-License-Identifier: Apache-2.0
#include "sim/analytic/sources.h"

#include "models/base/errors.h"

namespace bitline::analytic {

using base::Action;

UnitPart part_of(place::Unit unit) {
  switch (unit) {
    case place::Unit::activation:
      return {Part::activation, Action::activation};
    case place::Unit::pooling:
      return {Part::pooling, Action::pooling};
    case place::Unit::elementwise:
      return {Part::elementwise, Action::elementwise};
    case place::Unit::requantise:
      return {Part::requantise, Action::requantise};
    case place::Unit::none:
      break;
  }
  BITLINE_CHECK(false);
  return {};
}

Instant unit_time(const tile::TileParams& tile, Part part, std::int64_t elements) {
  const auto on = [&](const digital::UnitParams& unit) {
    return static_cast<Instant>(digital::occupancy(unit, elements).fs());
  };
  switch (part) {
    case Part::activation:
      return on(tile.activation);
    case Part::pooling:
      return on(tile.pooling);
    case Part::elementwise:
      return on(tile.elementwise);
    default:
      return on(tile.requantise);
  }
}

}  // namespace bitline::analytic
