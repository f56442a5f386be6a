// SPDX-License-Identifier: Apache-2.0
// How many pixels each edge must be able to buffer.
#pragma once

#include "mapper/place/program.h"

namespace bitline::place {

/// What an edge buffers beyond the need of its window, per pipeline step between producer and consumer.
struct Slack {
  std::int64_t pixels = 0;  ///< for windows in flight
  std::int64_t rows = 0;    ///< for each step that a skip path passes by: rows come in bursts after a stride
};

/// Sets `table` and `capacity` of every edge: what lies in it when the image passes by the raster schedule
/// (raster_schedule.h), and the slack on top, so that paths of different lengths keep the pace of the busiest
/// stage. With what that schedule needs no run can block: stages are deterministic, so whatever some have
/// done before, the first window of the schedule that is not made can be made; and an image leaves all
/// buffers empty.
void size_buffers(Program& program, const Slack& slack);

}  // namespace bitline::place
