// SPDX-License-Identifier: Apache-2.0
// ImaTiming's short cuts against the recurrence of README.md written out read by read.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "models/ima/ima_timing.h"

namespace bitline::ima {
namespace {

using base::Time;

struct Expected {
  Time first_read, first_latch, last_latch, added, ready;
};

/// filled[m]: arrival at the register; drained[m]: when the results of MVM m have left.
std::vector<Expected> written_out(const ImaTimingParams& p, const std::vector<Time>& arrived,
                                  const std::vector<Time>& drained) {
  std::vector<Expected> result;
  Time last_latch, converted;
  const auto place = [&](std::int64_t m) {
    return m < p.output_buffers ? Time() : drained[static_cast<std::size_t>(m - p.output_buffers)];
  };
  for (std::size_t m = 0; m < arrived.size(); ++m) {
    Expected e;
    Time start = base::align_up(std::max(arrived[m] + p.input_register, last_latch), p.clock);
    e.first_read = start;
    for (std::size_t phase = 0; phase < p.conversion.size(); ++phase) {
      for (int chunk = 0; chunk < p.chunks; ++chunk) {
        Time latch = std::max(start + p.read_latency, converted);
        const bool first = phase == 0 && chunk == 0;
        if (first && m > 0) latch = std::max(latch, place(static_cast<std::int64_t>(m) - 1));
        latch = base::align_up(latch, p.clock);
        if (first) e.first_latch = latch;
        converted = latch + p.sample_hold + p.conversion[phase];
        start = last_latch = latch;
      }
    }
    e.last_latch = last_latch;
    e.added = base::align_up(converted, p.clock) + p.shift_add;
    e.ready = std::max(e.added, place(static_cast<std::int64_t>(m))) + p.output_register;
    result.push_back(e);
  }
  return result;
}

TEST(ImaTimingRecurrence, EqualsTheWrittenOutForm) {
  std::mt19937 random(3);
  const auto pick = [&](int low, int high) { return std::uniform_int_distribution<int>(low, high)(random); };
  const auto time = [&](int most) { return Time::from_fs(pick(0, 3) == 0 ? 0 : pick(0, most)); };
  for (int trial = 0; trial < 500; ++trial) {
    ImaTimingParams p;
    p.clock = Time::from_fs(pick(1, 50));
    p.read_latency = time(80);
    p.sample_hold = time(10);
    p.input_register = time(10);
    p.shift_add = time(100);
    p.output_register = time(20);
    p.output_buffers = pick(1, 3);
    p.chunks = pick(1, 5);
    for (int phases = pick(1, 3); phases > 0; --phases) p.conversion.push_back(time(200));
    // Arrivals and drains that a tile could cause: drains follow results, so they are made with the
    // recurrence.
    std::vector<Time> arrived, drained;
    std::vector<Expected> expected;
    Time at;
    for (int m = 0; m < 8; ++m) {
      at += time(400);
      arrived.push_back(at);
      drained.push_back(Time());
      expected = written_out(p, arrived, drained);
      drained.back() =
          std::max(expected.back().ready, m == 0 ? Time() : drained[drained.size() - 2]) + time(500);
    }
    expected = written_out(p, arrived, drained);
    ImaTiming timing(p);
    std::size_t sent = 0, taken = 0;
    for (std::size_t m = 0; m < arrived.size(); ++m) {
      timing.loaded(arrived[sent++]);
      auto reads = timing.next_reads();
      while (!reads) {  // waits for a drain
        timing.drained(drained[taken++]);
        reads = timing.next_reads();
      }
      EXPECT_EQ(reads->first_read, expected[m].first_read);
      EXPECT_EQ(reads->first_latch, expected[m].first_latch);
      EXPECT_EQ(reads->last_latch, expected[m].last_latch);
      EXPECT_EQ(reads->added, expected[m].added);
      auto ready = timing.next_results();
      while (!ready) {
        timing.drained(drained[taken++]);
        ready = timing.next_results();
      }
      EXPECT_EQ(*ready, expected[m].ready);
      EXPECT_FALSE(timing.next_reads());
      EXPECT_FALSE(timing.next_results());
    }
  }
}

}  // namespace
}  // namespace bitline::ima
