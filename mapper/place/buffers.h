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

/// Sets `capacity` of every edge. It starts from the window (what one output pixel spans) and is raised where
/// an untimed run of one image blocks: the smallest full buffer in front of a starving consumer grows (Parks,
/// "Bounded scheduling of process networks", 1995). The slack comes on top, so that paths of different
/// lengths keep the pace of the busiest stage. A greedy run that completes once proves that no later one can
/// block, because stages are deterministic and one image returns all buffers to empty. Throws
/// base::MappingError naming the stage if no buffer can help.
void size_buffers(Program& program, const Slack& slack);

}  // namespace bitline::place
