// SPDX-License-Identifier: Apache-2.0
#include "models/noc/topology.h"

#include <gtest/gtest.h>

namespace bitline::noc {
namespace {

TEST(Topology, IsaacChip) {
  // 14 x 12 tiles, four per router: 7 x 6 routers, each for 2 x 2 tiles.
  const Topology mesh(168, 14, 4);
  EXPECT_EQ(mesh.routers(), 42);
  EXPECT_EQ(mesh.router_of(0), 0);
  EXPECT_EQ(mesh.router_of(1), 0);
  EXPECT_EQ(mesh.router_of(14), 0);
  EXPECT_EQ(mesh.router_of(15), 0);
  EXPECT_EQ(mesh.router_of(2), 1);
  EXPECT_EQ(mesh.router_of(28), 7);
  EXPECT_EQ(mesh.router_of(167), 41);
  EXPECT_NE(mesh.tile_port(0), mesh.tile_port(15));
  EXPECT_EQ(mesh.hops(0, 0), 1);
  EXPECT_EQ(mesh.hops(0, 41), 6 + 5 + 1);
}

TEST(Topology, Concentration) {
  // Blocks as square as they get, wider than high: 168 tiles in rows of 14.
  EXPECT_EQ(Topology(168, 14, 1).routers(), 14 * 12);
  EXPECT_EQ(Topology(168, 14, 2).routers(), 7 * 12);
  EXPECT_EQ(Topology(168, 14, 4).routers(), 7 * 6);
  EXPECT_EQ(Topology(168, 14, 8).routers(), 4 * 6);  // 4 x 2 tiles; half a block at the end of each row
  EXPECT_EQ(Topology(168, 14, 8).router_of(13), 3);
  EXPECT_EQ(Topology(168, 14, 8).router_of(14), 0);
  // Fewer tiles than a row: no routers without tiles.
  EXPECT_EQ(Topology(4, 14, 2).routers(), 2);
  EXPECT_EQ(Topology(5, 3, 1).routers(), 6);
}

TEST(Topology, WaysGoAlongTheRowFirstAndReachTheirEnd) {
  const Topology mesh(60, 10, 2);  // blocks of 2 x 1: 5 x 6 routers
  EXPECT_EQ(mesh.routers(), 30);
  for (int from = 0; from < 30; ++from) {
    for (int to = 0; to < 30; ++to) {
      int at = from, steps = 1;
      bool turned = false;
      while (at != to) {
        const Port port = mesh.towards(at, to);
        const bool vertical = port == Port::south || port == Port::north;
        EXPECT_TRUE(vertical || !turned);
        turned = turned || vertical;
        at = mesh.neighbour(at, port);
        ++steps;
      }
      EXPECT_EQ(steps, mesh.hops(from, to));
    }
  }
}

}  // namespace
}  // namespace bitline::noc
