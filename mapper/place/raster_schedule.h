// SPDX-License-Identifier: Apache-2.0
// A schedule of an image that no buffer delays: pixels of the inputs come row by row, and every stage makes
// its windows row by row at their pace, each as soon as what it takes is there on every path. It says how
// many pixels lie in each buffer at most.
//
// Its times are places of a raster, compared by row, then by column: window (r, c) of a stage has
// first + (r, c) * step. Behind a convolution `first` is later by what its windows reach beyond their place
// (borders count as if pixels came there, so that windows on them do not come all at once), and behind a
// stride steps are longer.
#pragma once

#include <compare>
#include <cstdint>
#include <vector>

#include "mapper/place/program.h"

namespace bitline::place {

struct RasterTime {
  std::int64_t row = 0, column = 0;
  friend auto operator<=>(const RasterTime&, const RasterTime&) = default;
};

/// When the windows of a stage are made, of an image of h x w.
struct RasterPace {
  std::int64_t h = 1, w = 1;
  RasterTime first, step;
  [[nodiscard]] RasterTime time(std::int64_t window) const {
    return {first.row + window / w * step.row, first.column + window % w * step.column};
  }
  /// Windows made at `time` or before.
  [[nodiscard]] std::int64_t made(RasterTime time) const;
};

/// By stage, of a program whose edges have their tables. Also where layers take turns on crossbars, which
/// wait for each other then.
[[nodiscard]] std::vector<RasterPace> raster_schedule(const Program& program);

/// Most pixels of an edge that are made and not yet released in that schedule.
[[nodiscard]] std::int64_t most_buffered(const Edge& edge, const RasterPace& producer,
                                         const RasterPace& consumer);

}  // namespace bitline::place
