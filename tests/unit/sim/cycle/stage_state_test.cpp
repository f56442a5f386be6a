// SPDX-License-Identifier: Apache-2.0
#include "sim/cycle/stage_state.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

namespace bitline::cycle {
namespace {

using base::Time;

Time ns(std::int64_t n) {
  return Time::from_ns(n);
}

TEST(ItemCounter, CompletesInOrderAtTheLatestReport) {
  ItemCounter counter(2);
  EXPECT_FALSE(counter.add(0, ns(5)));
  EXPECT_FALSE(counter.add(1, ns(7)));  // the first contributor is ahead
  EXPECT_EQ(counter.add(0, ns(3)), ns(5));
  EXPECT_EQ(counter.complete(), 1);
  EXPECT_EQ(counter.add(1, ns(9)), ns(9));
  EXPECT_EQ(counter.complete(), 2);
  EXPECT_ANY_THROW(counter.add(1, ns(9)));  // already complete
}

TEST(ItemCounter, ReplicasReportOnTheirOwnItems) {
  ItemCounter counter(std::vector<int>{2, 1});
  EXPECT_EQ(counter.add(1, ns(4)), ns(4));  // the second replica is ahead
  EXPECT_EQ(counter.add(3, ns(6)), ns(6));
  EXPECT_EQ(counter.complete(), 0);
  EXPECT_FALSE(counter.add(0, ns(7)));
  EXPECT_EQ(counter.add(0, ns(8)), ns(8));
  EXPECT_EQ(counter.complete(), 2);
  EXPECT_FALSE(counter.add(2, ns(9)));
  EXPECT_EQ(counter.add(2, ns(9)), ns(9));
  EXPECT_EQ(counter.complete(), 4);
}

place::Edge sliding_edge() {
  place::Edge edge;
  edge.window = {place::Window::Kind::sliding, 3, 3, 3, 3, 3, 3, 1, 1, 1, 1};
  edge.capacity = 6;
  return edge;
}

TEST(EdgeState, WindowsWaitForTheirPixelsAndProducersForRoom) {
  const place::Edge edge = sliding_edge();
  EdgeState state(edge, 9, 9, {1});
  for (std::int64_t pixel = 0; pixel < 4; ++pixel) state.arrived(pixel, ns(1));
  EXPECT_FALSE(state.has_input(0));  // a 3 x 3 window with padding needs (1,1), the fifth pixel
  state.arrived(4, ns(1));
  EXPECT_TRUE(state.has_input(0));
  EXPECT_FALSE(state.has_input(1));
  EXPECT_TRUE(state.has_place(5));
  EXPECT_FALSE(state.has_place(6));
  state.consumed(1);  // row 0 is still needed by row 1 of the output
  EXPECT_EQ(state.pixels_released(), 0);
  state.consumed(9);
  EXPECT_EQ(state.pixels_released(), 9);
  EXPECT_TRUE(state.has_place(14));
  EXPECT_FALSE(state.has_place(15));
}

TEST(EdgeState, ImagesFollowEachOther) {
  const place::Edge edge = sliding_edge();
  EdgeState state(edge, 9, 9, {1});
  for (std::int64_t pixel = 0; pixel < 13; ++pixel) state.arrived(pixel, ns(1));
  EXPECT_TRUE(state.has_input(8));
  EXPECT_FALSE(state.has_input(9));  // the first window of the second image needs its fifth pixel
  state.arrived(13, ns(1));
  EXPECT_TRUE(state.has_input(9));
}

TEST(EdgeState, PixelsArriveWhenAllSharesHave) {
  const place::Edge edge = sliding_edge();
  EdgeState state(edge, 9, 9, {3});
  EXPECT_FALSE(state.arrived(0, ns(1)));
  EXPECT_FALSE(state.arrived(0, ns(1)));
  EXPECT_TRUE(state.arrived(0, ns(2)));
  EXPECT_EQ(state.pixels_arrived(), 1);
}

TEST(StallMeter, AddsUpIdleTimeByReason) {
  StallMeter meter;
  meter.waits(ns(3), Wait::input);  // not idle yet
  meter.idle(ns(10));
  meter.waits(ns(10), Wait::input);
  meter.waits(ns(14), Wait::output);
  meter.works(ns(20));
  meter.waits(ns(25), Wait::input);
  EXPECT_EQ(meter.input(), ns(4));
  EXPECT_EQ(meter.output(), ns(6));
}

TEST(StallMeter, SaysWhenEachWaitWas) {
  StallMeter meter;
  meter.idle(ns(0));
  meter.waits(ns(0), Wait::input);
  meter.waits(ns(96), Wait::output);
  meter.works(ns(128));
  EXPECT_EQ(meter.input(), ns(96));
  TimeBins input = meter.input_bins();
  TimeBins output = meter.output_bins();
  const Time width = std::max(input.width(), output.width());
  input.widen(width);
  output.widen(width);
  std::int64_t waited = 0;
  for (std::size_t i = 0; i < TimeBins::kBins; ++i) {
    const std::int64_t from = static_cast<std::int64_t>(i) * width.fs();
    const auto inside = [&](Time a, Time b) {
      return std::max<std::int64_t>(0, std::min(b.fs(), from + width.fs()) - std::max(a.fs(), from));
    };
    EXPECT_EQ(input.fs()[i], inside(ns(0), ns(96))) << i;
    EXPECT_EQ(output.fs()[i], inside(ns(96), ns(128))) << i;
    waited += input.fs()[i] + output.fs()[i];
  }
  EXPECT_EQ(waited, ns(128).fs());
}

/// Bins at most twice as wide as 128 of them need, whatever the order of the spans.
TEST(TimeBins, KeepEveryFemtosecond) {
  TimeBins bins;
  bins.add(Time::from_fs(1000000), Time::from_fs(1000003));
  bins.add(Time::from_fs(5), Time::from_fs(5));
  bins.add(Time::from_fs(7), Time::from_fs(9));
  EXPECT_EQ(bins.width(), Time::from_fs(8192));  // 128 x 4096 < 1000003 <= 128 x 8192
  EXPECT_EQ(bins.fs()[0], 2);
  EXPECT_EQ(bins.fs()[1000000 / 8192], 3);
  EXPECT_EQ(std::accumulate(bins.fs().begin(), bins.fs().end(), std::int64_t{0}), 5);
  bins.widen(Time::from_fs(16384));
  EXPECT_EQ(bins.fs()[1000000 / 16384], 3);
}

TEST(Split, SharesAreWholeAndAddUp) {
  const std::vector<std::int64_t> weights = {16, 4, 1};
  EXPECT_EQ(split(42, weights, 0), 32);
  EXPECT_EQ(split(42, weights, 1), 8);
  EXPECT_EQ(split(42, weights, 2), 2);
  for (std::int64_t total = 0; total < 50; ++total) {
    EXPECT_EQ(split(total, weights, 0) + split(total, weights, 1) + split(total, weights, 2), total);
  }
}

TEST(EdgeState, APixelOfAReducingConsumerLeavesWhenAllItsPartsHaveReadIt) {
  place::Edge edge = sliding_edge();
  edge.window.kind = place::Window::Kind::reduce;
  edge.deliveries = {{0, 1}, {1, 1}};
  EdgeState state(edge, 9, 1, {1});
  EXPECT_FALSE(state.absorbed(0, ns(1)));
  EXPECT_EQ(state.pixels_released(), 0);
  EXPECT_FALSE(state.absorbed(1, ns(2)));  // the same part, a pixel ahead
  EXPECT_TRUE(state.absorbed(0, ns(3)));
  EXPECT_EQ(state.pixels_released(), 1);
  for (std::int64_t pixel = 0; pixel < 9; ++pixel) {
    EXPECT_FALSE(state.has_input(0));
    EXPECT_FALSE(state.accumulated(pixel, ns(4)));
    EXPECT_TRUE(state.accumulated(pixel, ns(5)));
  }
  EXPECT_TRUE(state.has_input(0));
}

}  // namespace
}  // namespace bitline::cycle
