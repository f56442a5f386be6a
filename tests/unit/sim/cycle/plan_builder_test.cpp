// SPDX-License-Identifier: Apache-2.0
// Placement, plan and the IMA's values against the engine, on random layers over all encodings, row blocks,
// groups, converters and slice placements: the same sums and the same data-dependent actions along two
// separate ways.
#include "sim/cycle/plan_builder.h"

#include <gtest/gtest.h>

#include <numeric>

#include "models/ima/ima_function.h"
#include "sim/engine/layer_function.h"
#include "tests/unit/mapper/place/networks.h"
#include "tests/unit/sim/engine/engine_cases.h"

namespace bitline::cycle {
namespace {

struct Placed {
  arch::Arch arch;
  place::Program program;
};

Placed place_case(const test::EngineCase& random, std::uint32_t seed) {
  Placed result;
  result.arch = random.slow.arch;
  result.arch.ima.crossbars = seed % 3 == 0 ? 2 : 8;
  result.arch.slices.placement =
      seed % 2 == 0 ? arch::SlicePlacement::interleaved : arch::SlicePlacement::separate;
  result.arch.ima.input_register.capacity_bytes = 1 << 20;
  result.arch.ima.output_register.capacity_bytes = 1 << 20;
  result.arch.tile.edram.capacity_bytes = 1 << 24;
  place::testing::GraphBuilder g;
  const auto& slow = random.slow;
  const auto y = g.conv(g.input({1, std::int64_t{slow.groups} * slow.rows, 1, 1}),
                        std::int64_t{slow.groups} * slow.outputs, 1, 1, 0, slow.groups);
  result.program = place::place(g.output(y), result.arch, {{0, random.sliced}});
  return result;
}

base::ActionCounts without_registers(base::ActionCounts counts) {
  for (const base::Action a : {base::Action::input_register_write, base::Action::input_register_read,
                               base::Action::output_register_write, base::Action::output_register_read}) {
    counts[a] = 0;
  }
  return counts;
}

/// What the receiver of structural sums takes off: the offset or centre of the encoding and the inputs'
/// zero point.
std::int64_t excess(const test::EngineCase& random, std::span<const std::int32_t> x, int group, int output) {
  const auto& slow = random.slow;
  const auto first = x.begin() + std::ptrdiff_t{group} * slow.rows;
  const auto q = slow.q.begin() + (std::ptrdiff_t{group} * slow.outputs + output) * slow.rows;
  return -random.sliced->centre(group * slow.outputs + output) *
             std::accumulate(first, first + slow.rows, std::int64_t{0}) +
         slow.zero_point * std::accumulate(q, q + slow.rows, std::int64_t{0});
}

TEST(PlanBuilder, PlacedImasComputeWhatTheEngineComputes) {
  std::int64_t conversions = 0, clipped = 0, gated = 0, several_imas = 0, analog = 0, flipped = 0,
               centred = 0;
  for (std::uint32_t seed = 1; seed <= 150; ++seed) {
    const test::EngineCase random = test::random_case(seed);
    SCOPED_TRACE(random.describe());
    const Placed placed = place_case(random, seed);
    const place::LayerPlacement& layer = placed.program.layers.at(0);
    const auto outputs = static_cast<std::size_t>(random.sliced->outputs());
    const auto width = static_cast<std::size_t>(random.slow.groups * random.slow.rows);
    const std::size_t positions = random.x.size() / width;

    std::vector<std::int64_t> expected(positions * outputs);
    engine::LayerFunction engine(random.sliced, place::drive_sets(layer, *random.sliced),
                                 placed.arch.ima.gate_zero_chunks);
    const engine::LayerActivity activity = engine.run(random.x, expected);

    std::vector<std::int64_t> sums(positions * outputs, 0);
    base::ActionCounts actions;
    const LayerSource source{random.sliced, random.slow.input_bits, random.slow.input_signed};
    for (const place::ImaPart& part : layer.imas) {
      const PlannedIma planned = build_plan(part, source, placed.arch, true);
      for (std::size_t p = 0; p < positions; ++p) {
        std::vector<std::int32_t> x;
        for (const int i : planned.inputs) x.push_back(random.x[p * width + static_cast<std::size_t>(i)]);
        const std::vector<std::int64_t> results = ima::functional_mvm(planned.plan, x, actions);
        for (std::size_t r = 0; r < results.size(); ++r) {
          sums[p * outputs + static_cast<std::size_t>(planned.outputs[r])] += results[r];
        }
      }
    }
    for (std::size_t p = 0; p < positions; ++p) {
      const std::span<const std::int32_t> x(random.x.data() + p * width, width);
      for (std::size_t o = 0; o < outputs; ++o) {
        const int group = static_cast<int>(o) / random.slow.outputs;
        const int output = static_cast<int>(o) % random.slow.outputs;
        ASSERT_EQ(sums[p * outputs + o] - excess(random, x, group, output), expected[p * outputs + o]);
      }
    }
    EXPECT_EQ(without_registers(actions), activity.counts);
    conversions += actions.total_conversions();
    clipped += actions.clipped;
    gated += actions.gated;
    several_imas += layer.imas.size() > 1 ? 1 : 0;
    analog += random.sliced->analog ? 1 : 0;
    centred += random.sliced->centres.empty() ? 0 : 1;
    flipped += random.sliced->flipped.empty() ? 0 : 1;
  }
  EXPECT_GT(conversions, 1'000'000);
  EXPECT_GT(clipped, 1000);
  EXPECT_GT(gated, 1000);
  EXPECT_GT(several_imas, 20);
  EXPECT_GT(analog, 10);
  EXPECT_GT(flipped, 10);
  EXPECT_GT(centred, 20);
}

}  // namespace
}  // namespace bitline::cycle
