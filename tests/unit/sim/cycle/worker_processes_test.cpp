// SPDX-License-Identifier: Apache-2.0
#include "sim/cycle/worker_processes.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <csignal>
#include <stdexcept>

#include "models/base/errors.h"

namespace bitline::cycle {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// A result in which every member says its number.
CycleResult numbered(std::int64_t n) {
  CycleResult r;
  r.total = base::Time::from_fs(n);
  r.end = base::Time::from_fs(n + 1);
  r.image_start = {base::Time::from_fs(n + 2)};
  r.image_end = {base::Time::from_fs(n + 3), base::Time::from_fs(n + 4)};
  r.stages.resize(2);
  r.stages[1].adc_wait = base::Time::from_fs(n + 5);
  r.stages[1].windows = n + 6;
  r.stall_bins.resize(2);
  r.stall_bins[1].output.add(base::Time::from_fs(n), base::Time::from_fs(n + 7));
  r.stages[1].actions[base::Action::bus_transfer] = n + 7;
  r.resources.push_back({"adc", n + 8, base::Time::from_fs(n + 9), base::Time::from_fs(n + 10), n + 11,
                         n + 12, base::Time::from_fs(n + 13)});
  r.actions.clipped = n + 14;
  r.imas_used = n + 15;
  r.flits_sent = n + 16;
  r.flits_delivered = n + 17;
  r.events = n + 18;
  return r;
}

TEST(WorkerProcesses, ResultsArriveWholeAndInOrder) {
  for (const int workers : {1, 3, 20}) {
    std::vector<Simulation> simulations;
    for (int i = 0; i < 7; ++i) {
      simulations.emplace_back([i] {
        usleep(static_cast<useconds_t>(1000 * (7 - i)));  // the first ends last
        return numbered(100 * i);
      });
    }
    std::vector<std::size_t> done;
    const auto results =
        simulate_in_processes(simulations, workers, [&done](std::size_t n) { done.push_back(n); });
    EXPECT_THAT(done, ElementsAre(1, 2, 3, 4, 5, 6, 7));
    ASSERT_EQ(results.size(), 7u);
    for (int i = 0; i < 7; ++i) {
      const CycleResult& r = results[static_cast<std::size_t>(i)];
      const std::int64_t n = 100 * i;
      EXPECT_EQ(r.total.fs(), n);
      EXPECT_EQ(r.end.fs(), n + 1);
      EXPECT_EQ(r.image_start.at(0).fs(), n + 2);
      EXPECT_EQ(r.image_end.at(1).fs(), n + 4);
      EXPECT_EQ(r.stages.at(1).adc_wait.fs(), n + 5);
      EXPECT_EQ(r.stages.at(1).windows, n + 6);
      EXPECT_EQ(r.stall_bins.at(1).output.width(), numbered(n).stall_bins[1].output.width());
      EXPECT_EQ(r.stages.at(1).actions[base::Action::bus_transfer], n + 7);
      ASSERT_EQ(r.resources.size(), 1u);
      EXPECT_EQ(r.resources[0].name, "adc");
      EXPECT_EQ(r.resources[0].instances, n + 8);
      EXPECT_EQ(r.resources[0].waited.fs(), n + 13);
      EXPECT_EQ(r.actions.clipped, n + 14);
      EXPECT_EQ(r.imas_used, n + 15);
      EXPECT_EQ(r.flits_delivered, n + 17);
      EXPECT_EQ(r.events, n + 18);
    }
  }
  EXPECT_TRUE(simulate_in_processes({}, 2).empty());
}

TEST(WorkerProcesses, MoreThanAPipeHolds) {
  const auto results = simulate_in_processes({[] {
                                               CycleResult r;
                                               r.image_end.assign(100'000, base::Time::from_fs(7));
                                               return r;
                                             }},
                                             1);
  EXPECT_EQ(results.at(0).image_end.size(), 100'000u);
  EXPECT_EQ(results.at(0).image_end.back().fs(), 7);
}

TEST(WorkerProcesses, ErrorsKeepTheirKindAndTheirProblems) {
  const auto fails = [](auto error) { return Simulation([error]() -> CycleResult { throw error; }); };
  const Simulation fine = [] { return numbered(1); };
  EXPECT_THROW(static_cast<void>(simulate_in_processes(
                   {fine, fails(base::TimeoutError({"here", "late", "", ""})), fine}, 3)),
               base::TimeoutError);
  try {
    static_cast<void>(simulate_in_processes(
        {fine, fails(base::SimulationError({{"a", "b", "c", "d"}, {"e", "f", "", ""}}))}, 1));
    FAIL() << "no error";
  } catch (const base::SimulationError& error) {
    ASSERT_EQ(error.problems().size(), 2u);
    EXPECT_EQ(error.problems()[0].remedy, "d");
    EXPECT_EQ(error.problems()[1].where, "e");
  }
  EXPECT_THROW(static_cast<void>(simulate_in_processes({fails(std::logic_error("bug"))}, 1)),
               base::SimulationError);
}

TEST(WorkerProcesses, AChildThatDiesIsAnError) {
  try {
    static_cast<void>(simulate_in_processes({[]() -> CycleResult {
                                              raise(SIGKILL);
                                              return {};
                                            }},
                                            1));
    FAIL() << "no error";
  } catch (const base::SimulationError& error) {
    EXPECT_THAT(error.what(), HasSubstr("ended with signal 9"));
  }
}

}  // namespace
}  // namespace bitline::cycle
