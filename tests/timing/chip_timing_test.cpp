// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/timing/chip_support.h"
#include "tests/unit/mapper/place/networks.h"

namespace bitline::timing_test {
namespace {

using place::testing::GraphBuilder;

TEST(ChipTiming, OneFullyConnectedLayer) {
  GraphBuilder g;
  const Network network = place_network(g.output(g.relu(g.linear(g.input({1, 8}), 4))), round_machine());
  const Figures f = simulate(network);
  EXPECT_EQ(f.at("total"), 142 * kNs);
  EXPECT_EQ(simulate_structural(network).at("total"), 142 * kNs);
}

}  // namespace
}  // namespace bitline::timing_test
