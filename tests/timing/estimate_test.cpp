// SPDX-License-Identifier: Apache-2.0
// The analytic estimate against times derived by hand (the derivations are in chip_timing_test.cpp), and
// against the SystemC chip on random networks and machines.
#include <gtest/gtest.h>
#include <hwy/targets.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <random>
#include <vector>

#include "sim/analytic/coupled.h"
#include "sim/analytic/estimate.h"
#include "sim/analytic/feed_forward.h"
#include "sim/analytic/ima_pace.h"
#include "sim/analytic/stream_kernels.h"
#include "sim/cycle/plan_builder.h"
#include "tests/timing/pipeline_times.h"
#include "tests/timing/random_chip.h"
#include "tests/unit/mapper/place/networks.h"

namespace bitline::timing_test {
namespace {

using place::testing::GraphBuilder;

Figures estimated(const Network& network, std::int64_t images = 1) {
  return figures_of(analytic::estimate(network.program, network.arch, network.layers, images));
}

TEST(Estimate, OneFullyConnectedLayer) {
  GraphBuilder g;
  const Figures f = estimated(place_network(g.output(g.relu(g.linear(g.input({1, 8}), 4))), round_machine()));
  EXPECT_EQ(f.at("stage.0.last_end"), 14 * kNs);
  EXPECT_EQ(f.at("stage.1.first_start"), 14 * kNs);
  EXPECT_EQ(f.at("stage.1.last_end"), 138 * kNs);
  EXPECT_EQ(f.at("stage.1.busy"), (100 - 14) * kNs);
  EXPECT_EQ(f.at("total"), 142 * kNs);
}

TEST(Estimate, TwoPipelinedLayers) {
  GraphBuilder g;
  const auto a = g.conv(g.input({1, 8, 1, 3}), 4, 1, 1, 0);
  const Figures f = estimated(place_network(g.output(g.conv(a, 4, 1, 1, 0)), round_machine()));
  EXPECT_EQ(f.at("stage.0.last_end"), 30 * kNs);
  EXPECT_EQ(f.at("stage.1.last_end"), 298 * kNs);
  EXPECT_EQ(f.at("stage.2.first_start"), 138 * kNs);
  EXPECT_EQ(f.at("stage.2.busy"), (390 - 138) * kNs);
  EXPECT_EQ(f.at("stage.2.input_stall"), 0);
  EXPECT_EQ(f.at("total"), 430 * kNs);
}

TEST(Estimate, FullBufferHoldsTheProducer) {
  GraphBuilder g;
  const auto a = g.conv(g.input({1, 8, 1, 3}), 4, 1, 1, 0);
  Network network = place_network(g.output(g.conv(a, 4, 1, 1, 0)), round_machine());
  network.program.edges[1].capacity = 1;
  const Figures f = estimated(network);
  EXPECT_EQ(f.at("stage.1.output_stall"), (42 + 42) * kNs);
  EXPECT_EQ(f.at("stage.1.input_stall"), 0);
  EXPECT_EQ(f.at("stage.2.input_stall"), (38 + 38) * kNs);
  EXPECT_EQ(f.at("total"), 530 * kNs);
}

TEST(Estimate, RowBlocksInTwoImasMeetInTheTile) {
  GraphBuilder g;
  const Figures f = estimated(place_network(g.output(g.linear(g.input({1, 40}), 8)), round_machine()));
  EXPECT_EQ(f.at("stage.1.first_start"), 62 * kNs);
  EXPECT_EQ(f.at("action.tile_shift_add"), 8);
  // By hand 299: the second IMA is filled 4 ns later and starts its reads an edge later; here both drain
  // after the later fill, one after the other: 8 ns more.
  EXPECT_EQ(f.at("stage.1.last_end"), 307 * kNs);
}

constexpr const char* kActions[] = {"input_register_write",
                                    "input_register_read",
                                    "output_register_write",
                                    "output_register_read",
                                    "edram_read",
                                    "edram_write",
                                    "bus_transfer",
                                    "tile_shift_add",
                                    "tile_output_register",
                                    "activation",
                                    "pooling",
                                    "elementwise",
                                    "requantise",
                                    "router_flit",
                                    "chip_link_byte"};

TEST(Estimate, CountsTheActionsOfTheSimulatedChip) {
  for (std::uint32_t seed = 1; seed <= 40; ++seed) {
    const Network network = random_network(seed);
    const Figures simulated = simulate(network, 2);
    const Figures f = estimated(network, 2);
    for (std::size_t s = 0; s < network.program.stages.size(); ++s) {
      for (const char* action : kActions) {
        const std::string name = "stage." + std::to_string(s) + "." + action;
        ASSERT_EQ(f.at(name), simulated.at(name)) << "seed " << seed << " " << name;
      }
    }
    for (const char* part : {"edram", "bus", "tile_shift_add", "activation", "pooling", "elementwise",
                             "requantise", "router_link", "chip_link", "ima", "adc"}) {
      const std::string name = std::string("use.") + part + ".instances";
      ASSERT_EQ(f.at(name), simulated.at(name)) << "seed " << seed << " " << name;
    }
  }
}

/// Small machines that wait everywhere are the worst case; the sample of real networks is in the README.
TEST(Estimate, LatencyOfRandomNetworks) {
  double sum = 0;
  int concordant = 0, pairs = 0;
  std::vector<std::pair<double, double>> known;
  for (std::uint32_t seed = 1; seed <= 40; ++seed) {
    const Network network = random_network(seed);
    const auto simulated = static_cast<double>(simulate(network).at("total"));
    const auto f = static_cast<double>(estimated(network).at("total"));
    sum += std::abs(f / simulated - 1);
    for (const auto& [a, b] : known) {
      ++pairs;
      concordant += (a < simulated) == (b < f) ? 1 : 0;
    }
    known.emplace_back(simulated, f);
  }
  EXPECT_LT(sum / 40, 0.08);
  EXPECT_GT(2.0 * concordant / pairs - 1, 0.9);
}

/// Stage by stage and window by window are two ways to the same solution.
TEST(Estimate, StreamsAreTheCoupledPipeline) {
  int compared = 0, held_up = 0;
  for (std::uint32_t seed = 1; seed <= 150; ++seed) {
    const Network network = seed % 3 == 0 ? random_network(seed) : random_chain(seed, true);
    analytic::Parts parts(network.arch);
    const analytic::PipelineModel model =
        analytic::probe(network.program, network.arch, network.layers, parts);
    // Where parts are contended, who comes first differs.
    if (analytic::Contention(model, parts).busiest() > 0.5) continue;
    for (const std::int64_t images : {1, 3}) {
      const auto streams = analytic::run_feed_forward(network.program, model, parts, images);
      if (!streams) continue;
      ++compared;
      const analytic::PipelineTimes coupled = analytic::run_coupled(network.program, model, parts, images);
      expect_equal(*streams, coupled, seed);
      if (HasFatalFailure()) return;
      for (const analytic::StageTimes& stage : coupled.stages) held_up += stage.output_stall > 0;
    }
  }
  EXPECT_GT(compared, 100);
  EXPECT_GT(held_up, 100);
}

TEST(Estimate, FurtherImagesFollowAtTheInterval) {
  GraphBuilder g;
  const Network network = place_network(g.output(g.conv(g.input({1, 1, 3, 3}), 4, 3, 1, 1)), round_machine());
  const Figures f = estimated(network, 1000);
  // Nine windows of 80 ns, one after another.
  for (int image = 1; image < 1000; ++image)
    ASSERT_EQ(f.at("image_end." + std::to_string(image)) - f.at("image_end." + std::to_string(image - 1)),
              720 * kNs);
  EXPECT_EQ(f.at("stage.1.windows"), 9000);
  EXPECT_EQ(f.at("stage.1.input_register_write"), 9000 * 9);
}

struct Clocked {
  std::vector<double> released, made;
  analytic::StageTimes times;
};

/// Windows of a stage in pieces of `piece`, as next() takes them; 0: one by one.
Clocked clocked(const analytic::StageModel& model, const Network& network, analytic::Contention& contention,
                const std::vector<double>& input, const std::vector<double>& output, std::size_t piece) {
  analytic::StageClock clock(model, network.arch, contention, true);
  Clocked result;
  for (std::size_t w = 0; piece == 0 && w < input.size(); ++w) {
    const analytic::StageClock::Window window = clock.next(input[w], output[w]);
    result.released.push_back(window.released);
    result.made.push_back(window.made);
  }
  if (piece > 0) {
    for (auto* times : {&result.released, &result.made}) times->resize(input.size());
    std::vector<double> earliest(input.size());
    std::transform(input.begin(), input.end(), output.begin(), earliest.begin(),
                   [](double there, double place) { return std::max(there, place); });
    for (std::size_t w = 0; w < input.size(); w += piece)
      clock.next(static_cast<std::int64_t>(std::min(piece, input.size() - w)), &input[w], &earliest[w],
                 &result.released[w], &result.made[w]);
  }
  result.times = clock.times();
  return result;
}

/// Times that never fall: bursts, pauses, and steps near the pace of a stage.
std::vector<double> arrivals(std::mt19937& random, std::size_t count) {
  std::vector<double> times(count, 0);
  for (std::size_t w = 1; w < count; ++w) {
    const std::array<std::uint_fast32_t, 4> steps = {0, random() % 2000, 60'000 + random() % 50'000,
                                                     random() % 1'000'000};
    times[w] = times[w - 1] + 1000.0 * static_cast<double>(steps[random() % steps.size()]);
  }
  return times;
}

/// Some of what takes time beside the crossbars takes as long as several MVMs.
void make_slower(std::mt19937& random, analytic::StageModel& stage) {
  const double mvm = stage.ima.first_read + stage.ima.tail;
  for (double* time :
       {&stage.replicas.front().fill, &stage.replicas.front().drain, &stage.fill_pace, &stage.pace}) {
    if (random() % 4 == 0) *time += std::round(mvm * static_cast<double>(random() % 300) / 100);
  }
}

/// Where its registers suffice, windows of a stage are run a vector at a time.
TEST(StageClock, ManyWindowsAtOnceAreThemOneByOne) {
  std::mt19937 random(1);
  const std::vector<std::int64_t> targets = hwy::SupportedAndGeneratedTargets();
  int compared = 0;
  for (std::uint32_t seed = 1; seed <= 40; ++seed) {
    const Network network = seed % 2 == 0 ? random_network(seed) : random_chain(seed, true);
    analytic::Parts parts(network.arch);
    analytic::PipelineModel model = analytic::probe(network.program, network.arch, network.layers, parts);
    analytic::Contention contention(model, parts);
    for (analytic::StageModel& stage : model.stages) {
      ASSERT_EQ(stage.pace, std::floor(stage.pace)) << seed;
      ASSERT_EQ(stage.fill_pace, std::floor(stage.fill_pace)) << seed;
      if (contention.concerns(stage)) continue;
      make_slower(random, stage);
      const std::vector<double> input = arrivals(random, 77), output = arrivals(random, 77);
      const Clocked expected = clocked(stage, network, contention, input, output, 0);
      for (const std::int64_t target : targets) {
        hwy::SetSupportedTargetsForTest(target);
        for (const std::size_t piece : {77u, 19u, 3u}) {
          const Clocked found = clocked(stage, network, contention, input, output, piece);
          ASSERT_EQ(found.released, expected.released) << seed << " " << hwy::TargetName(target);
          ASSERT_EQ(found.made, expected.made) << seed << " " << hwy::TargetName(target);
          ASSERT_EQ(found.times.busy, expected.times.busy) << seed;
          ASSERT_EQ(found.times.input_stall, expected.times.input_stall) << seed;
          ASSERT_EQ(found.times.output_stall, expected.times.output_stall) << seed;
          ++compared;
        }
      }
      hwy::SetSupportedTargetsForTest(0);
    }
  }
  EXPECT_GT(compared, 300);
}

TEST(StreamKernels, TakeTheLatestAndFindTheLaterOnEveryTarget) {
  std::mt19937 random(2);
  int later = 0, compared = 0;
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
    hwy::SetSupportedTargetsForTest(target);
    for (std::size_t count = 0; count < 40; ++count) {
      const std::vector<double> times = arrivals(random, 50), before = arrivals(random, 50);
      std::vector<std::int32_t> index(count);
      for (std::int32_t& i : index) i = static_cast<std::int32_t>(random() % 50);
      const auto size = static_cast<std::int64_t>(count);
      for (const bool first : {false, true}) {
        for (const bool listed : {false, true}) {
          const analytic::TimeList list{times.data(), listed ? index.data() : nullptr};
          std::vector<double> expected = before, found = before;
          bool any = false;
          for (std::size_t i = 0; i < count; ++i) {
            const double time = times[listed ? static_cast<std::size_t>(index[i]) : i];
            expected[i] = first ? time + 7 : std::max(before[i], time + 7);
            any |= time - 3 > before[i];
          }
          analytic::take_latest(list, 7, first, size, found.data());
          ASSERT_EQ(found, expected) << hwy::TargetName(target) << " " << count;
          ASSERT_EQ(analytic::any_later(list, -3, before.data(), size), any) << hwy::TargetName(target);
          ASSERT_FALSE(analytic::any_later(list, 7, expected.data(), size));
          later += any ? 1 : 0;
          ++compared;
        }
      }
    }
  }
  hwy::SetSupportedTargetsForTest(0);
  EXPECT_GT(later, compared / 4);
  EXPECT_LT(later, compared);
}

/// ima_pace() without columns and ImaTiming with them.
TEST(ImaPace, IsThatOfThePlan) {
  int parts = 0;
  for (std::uint32_t seed = 1; seed <= 60; ++seed) {
    const Network network = random_network(seed);
    for (std::size_t l = 0; l < network.program.layers.size(); ++l) {
      for (const place::ImaPart& part : network.program.layers[l].imas) {
        const auto plan = cycle::build_plan(part, network.layers[l], network.arch, false).plan;
        const ima::ImaTimingParams params = cycle::timing_params(plan, network.arch);
        ima::ImaTiming timing(params);
        timing.loaded({});
        const ima::MvmTimes mvm = timing.next_reads().value();
        const analytic::ImaPace pace = analytic::ima_pace(part, network.layers[l], network.arch);
        const auto loaded = static_cast<double>(mvm.first_read.fs());
        ASSERT_EQ(loaded + pace.first_read, static_cast<double>(mvm.first_latch.fs())) << seed;
        ASSERT_EQ(pace.tail, static_cast<double>((mvm.last_latch - mvm.first_latch).fs())) << seed;
        ASSERT_EQ(pace.convert + static_cast<double>(params.shift_add.fs()),
                  static_cast<double>((mvm.added - mvm.last_latch).fs()))
            << seed;
        ++parts;
      }
    }
  }
  EXPECT_GT(parts, 100);
}

}  // namespace
}  // namespace bitline::timing_test
