// SPDX-License-Identifier: Apache-2.0
#include "models/base/resource.h"

#include <gtest/gtest.h>

namespace bitline::base {
namespace {

Time ns(std::int64_t n) {
  return Time::from_ns(n);
}

TEST(Resource, ServesInOrderFromItsEdgesOn) {
  Resource resource(ns(3));
  EXPECT_EQ(resource.reserve(ns(4), ns(6)), ns(6));
  EXPECT_EQ(resource.reserve(ns(4), ns(3)), ns(12));
  EXPECT_EQ(resource.reserve(ns(20), ns(3)), ns(21));
  EXPECT_EQ(resource.busy(), ns(12));
  EXPECT_EQ(resource.uses(), 3);
  Resource self_timed;
  EXPECT_EQ(self_timed.reserve(ns(4), ns(6)), ns(4));
  EXPECT_EQ(self_timed.reserve(ns(5), ns(6)), ns(10));
}

TEST(Resource, WaitsCountFromTheEdgeThatWouldHaveServed) {
  Resource resource(ns(3));
  resource.reserve(ns(4), ns(6));  // at its edge, 6: no wait
  EXPECT_EQ(resource.waits(), 0);
  resource.reserve(ns(7), ns(3));  // 12 instead of 9
  EXPECT_EQ(resource.waited(), ns(3));
  resource.reserve(ns(16), ns(3), ns(10));  // asked for at 10 (edge 12), held up elsewhere until 16 (edge 18)
  EXPECT_EQ(resource.waited(), ns(9));
  EXPECT_EQ(resource.waits(), 2);
}

}  // namespace
}  // namespace bitline::base
