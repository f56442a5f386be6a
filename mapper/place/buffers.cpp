// SPDX-License-Identifier: Apache-2.0
#include "mapper/place/buffers.h"

#include <algorithm>
#include <vector>

#include "mapper/place/raster_schedule.h"
#include "mapper/place/window_table.h"

namespace bitline::place {
namespace {

std::size_t index(int id) {
  return static_cast<std::size_t>(id);
}

/// Most input pixels that one output pixel needs beyond those released before it.
std::int64_t span(const Edge& edge) {
  return edge.window.kind == Window::Kind::reduce ? 1 : edge.table->span;
}

}  // namespace

void size_buffers(Program& program, const Slack& slack) {
  std::vector<std::int64_t> depth(program.stages.size(), 0);
  for (std::size_t s = 0; s < program.stages.size(); ++s) {
    for (EdgeId e : program.stages[s].inputs) {
      depth[s] = std::max(depth[s], depth[index(program.edges[index(e)].producer)] + 1);
    }
  }
  for (Edge& e : program.edges) e.table = window_table(e.window, program.stages[index(e.consumer)].pixels);
  const std::vector<RasterPace> paces = raster_schedule(program);
  for (Edge& e : program.edges) {
    const std::int64_t steps = depth[index(e.consumer)] - depth[index(e.producer)];
    const std::int64_t rows = slack.rows * e.window.in_w;
    const std::int64_t flight = slack.pixels * steps;
    const std::int64_t buffered = most_buffered(e, paces[index(e.producer)], paces[index(e.consumer)]);
    e.capacity = std::max(span(e) + flight + rows * (steps - 1), buffered + flight + (steps > 1 ? rows : 0));
  }
  for (Edge& e : program.edges) {
    // Never more than all pixels of an image and those of the next that are on the way.
    const std::int64_t pixels = program.stages[index(e.producer)].pixels;
    e.capacity = std::min(e.capacity, std::max<std::int64_t>(2 * pixels, 1));
  }
}

}  // namespace bitline::place
