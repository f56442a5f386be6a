// SPDX-License-Identifier: Apache-2.0
// The schedule carried out, window by window, on random streams.
#include "mapper/place/raster_schedule.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <tuple>

#include "mapper/place/window_table.h"
#include "random_program.h"

namespace bitline::place {
namespace {

std::size_t at(int id) {
  return static_cast<std::size_t>(id);
}

struct Made {
  RasterTime time;
  std::size_t stage;
  std::int64_t window;
};

/// All windows, by time; at the same time as the stages follow each other.
std::vector<Made> in_order(const Program& program, const std::vector<RasterPace>& paces) {
  std::vector<Made> all;
  for (std::size_t s = 0; s < paces.size(); ++s) {
    for (std::int64_t j = 0; j < program.stages[s].pixels; ++j) all.push_back({paces[s].time(j), s, j});
  }
  std::stable_sort(all.begin(), all.end(), [](const Made& a, const Made& b) {
    return std::tie(a.time, a.stage) < std::tie(b.time, b.stage);
  });
  return all;
}

TEST(RasterSchedule, FindsItsInputsAndSaysWhatLiesInBuffers) {
  std::array<std::int64_t, 5> of_kind = {};
  std::int64_t turns = 0;
  for (std::uint32_t seed = 0; seed < 1000; ++seed) {
    Program program = testing::RandomProgram(seed).make();
    for (Edge& e : program.edges) e.table = window_table(e.window, program.stages[at(e.consumer)].pixels);
    const std::vector<RasterPace> paces = raster_schedule(program);

    std::vector<std::int64_t> made(program.stages.size(), 0), most(program.edges.size(), 1);
    for (const Made& next : in_order(program, paces)) {
      ASSERT_EQ(next.window, made[next.stage]);
      const Stage& stage = program.stages[next.stage];
      for (const EdgeId id : stage.inputs) {
        const Edge& e = program.edges[at(id)];
        const std::int64_t there = made[at(e.producer)];
        ASSERT_LE(e.window.needed(next.window), there) << "network " << seed << " edge " << id;
        if (e.window.kind == Window::Kind::reduce) continue;
        const std::int64_t gone = next.window == 0 ? 0 : e.window.released(next.window - 1);
        most[at(id)] = std::max(most[at(id)], there - gone);
      }
      if (const LayerId before = stage.layer < 0 ? -1 : program.layers[at(stage.layer)].after;
          before >= 0 && before < stage.layer) {
        const StageId user = program.layers[at(before)].stage;
        ASSERT_EQ(made[at(user)], program.stages[at(user)].pixels) << "network " << seed;
        ++turns;
      }
      ++made[next.stage];
    }
    for (std::size_t e = 0; e < program.edges.size(); ++e) {
      const Edge& edge = program.edges[e];
      EXPECT_EQ(most_buffered(edge, paces[at(edge.producer)], paces[at(edge.consumer)]), most[e])
          << "network " << seed << " edge " << e;
      ++of_kind[static_cast<std::size_t>(edge.window.kind)];
    }
  }
  for (const std::int64_t edges : of_kind) EXPECT_GT(edges, 500);
  EXPECT_GT(turns, 1000);
}

}  // namespace
}  // namespace bitline::place
