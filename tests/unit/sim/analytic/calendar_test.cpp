// SPDX-License-Identifier: Apache-2.0
#include "sim/analytic/calendar.h"

#include <gtest/gtest.h>

namespace bitline::analytic {
namespace {

TEST(Calendar, NobodyWaitsWhileASlotHasRoom) {
  Calendar calendar(100);
  EXPECT_EQ(calendar.take(0, 60), 0);
  EXPECT_EQ(calendar.take(10, 40), 0);
}

TEST(Calendar, AFullSlotSendsOnToTheNext) {
  Calendar calendar(100);
  EXPECT_EQ(calendar.take(0, 100), 0);
  // Served from 100 to 130 instead of from 20 to 50.
  EXPECT_EQ(calendar.take(20, 30), 80);
  EXPECT_EQ(calendar.take(20, 70), 200 - 90);
  EXPECT_EQ(calendar.take(20, 10), 210 - 30);
}

TEST(Calendar, WorkLongerThanASlotTakesSeveral) {
  Calendar calendar(100);
  EXPECT_EQ(calendar.take(0, 250), 0);
  EXPECT_EQ(calendar.take(0, 50), 300 - 50);
  EXPECT_EQ(calendar.take(0, 10), 310 - 10);
}

TEST(Calendar, WhatIsEnteredLaterMayHaveAnEarlierTime) {
  Calendar calendar(100);
  EXPECT_EQ(calendar.take(500, 100), 0);
  EXPECT_EQ(calendar.take(200, 100), 0);
  EXPECT_EQ(calendar.take(510, 10), 610 - 520);
}

TEST(Calendar, AnOverloadedPartServesAtItsRate) {
  Calendar calendar(100);
  Instant wait = 0;
  // Every 10 comes work for 15: after 1000 of them 15 000 are done at time 15 000, not at 10 005.
  for (int i = 0; i < 1000; ++i) wait = calendar.take(i * 10.0, 15);
  EXPECT_NEAR(wait, 15'000 - (9'990 + 15), 100);
}

}  // namespace
}  // namespace bitline::analytic
