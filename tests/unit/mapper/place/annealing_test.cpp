// SPDX-License-Identifier: Apache-2.0
#include "mapper/place/annealing.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <random>

namespace bitline::place {
namespace {

/// `places` places in rows of `width`, a router each.
Floor plain_floor(int width, int places) {
  Floor floor;
  floor.width = width;
  for (int p = 0; p < places; ++p) {
    floor.router_x.push_back(p % width);
    floor.router_y.push_back(p / width);
  }
  return floor;
}

std::vector<int> first_places(std::size_t items) {
  std::vector<int> at(items);
  std::iota(at.begin(), at.end(), 0);
  return at;
}

/// The least hop-bytes of any arrangement of `items` items on all places, by trying every one.
std::int64_t least(const Floor& floor, const std::vector<Tie>& ties, std::size_t items) {
  std::vector<int> places = first_places(static_cast<std::size_t>(floor.places()));
  std::int64_t best = std::numeric_limits<std::int64_t>::max();
  do {
    best = std::min(best, hop_bytes(floor, ties, {places.begin(), places.begin() + static_cast<int>(items)}));
  } while (std::next_permutation(places.begin(), places.end()));
  return best;
}

TEST(Annealing, HopBytesAreBytesTimesLinks) {
  const Floor floor = plain_floor(3, 6);
  // Item 0 in the far corner of 3 x 2 places, item 1 beside the link's place 0: 3 links between the corner
  // and place 0, 2 between the two.
  EXPECT_EQ(hop_bytes(floor, {{0, Tie::kFixed, 10}, {0, 1, 100}}, {5, 1}), 3 * 10 + 2 * 100);
  EXPECT_EQ(hop_bytes(floor, {}, {5, 1}), 0);
}

TEST(Annealing, AChainOnTwoRowsOfThreeTakesItsShortestWay) {
  // Link - a - b - c - d - e - f, each 10 bytes: five links at least between six items, none to the link.
  const Floor floor = plain_floor(3, 6);
  std::vector<Tie> ties{{0, Tie::kFixed, 10}};
  for (int i = 0; i + 1 < 6; ++i) ties.push_back({i, i + 1, 10});
  EXPECT_EQ(least(floor, ties, 6), 50);
  const std::vector<int> rows = first_places(6);
  EXPECT_EQ(hop_bytes(floor, ties, rows), 70);  // from the end of the first row to the second: 3 links
  EXPECT_EQ(hop_bytes(floor, ties, anneal(floor, ties, rows, 1)), 50);
}

TEST(Annealing, FindsTheOptimumOfSmallCases) {
  std::mt19937 random(5);
  for (int trial = 0; trial < 12; ++trial) {
    const Floor floor = plain_floor(trial % 2 == 0 ? 3 : 2, trial % 3 == 0 ? 7 : 6);
    const std::size_t items = 4 + random() % 3;
    std::vector<Tie> ties;
    for (int a = 0; a < static_cast<int>(items); ++a) {
      ties.push_back({a, Tie::kFixed, static_cast<std::int64_t>(random() % 50)});
      for (int b = 0; b < a; ++b) ties.push_back({a, b, static_cast<std::int64_t>(random() % 100)});
    }
    const std::vector<int> found = anneal(floor, ties, first_places(items), 3);
    EXPECT_EQ(hop_bytes(floor, ties, found), least(floor, ties, items)) << "case " << trial;
  }
}

TEST(Annealing, KeepsItemsApartNeverGetsWorseAndRepeats) {
  std::mt19937 random(11);
  for (int trial = 0; trial < 20; ++trial) {
    const int places = 30 + static_cast<int>(random() % 30);
    Floor floor = plain_floor(8, places);
    for (int& x : floor.router_x) x /= 2;  // two places a router
    const std::size_t items = 5 + random() % 25;
    std::vector<Tie> ties;
    for (int a = 1; a < static_cast<int>(items); ++a) {
      for (int b = std::max(0, a - 3); b < a; ++b) ties.push_back({a, b, 1 + static_cast<int>(random() % 9)});
    }
    std::vector<int> start = first_places(static_cast<std::size_t>(places));
    std::shuffle(start.begin(), start.end(), random);
    start.resize(items);
    const std::vector<int> found = anneal(floor, ties, start, 7);
    EXPECT_EQ(found, anneal(floor, ties, start, 7));
    EXPECT_LE(hop_bytes(floor, ties, found), hop_bytes(floor, ties, start));
    std::vector<int> sorted = found;
    std::sort(sorted.begin(), sorted.end());
    EXPECT_EQ(std::adjacent_find(sorted.begin(), sorted.end()), sorted.end());
    EXPECT_GE(sorted.front(), 0);
    EXPECT_LT(sorted.back(), places);
  }
}

TEST(Annealing, NothingToDoIsNoChange) {
  const Floor floor = plain_floor(2, 4);
  EXPECT_EQ(anneal(floor, {}, {}, 1), std::vector<int>());
  EXPECT_EQ(anneal(floor, {}, {2, 1}, 1), (std::vector<int>{2, 1}));
  EXPECT_EQ(anneal(plain_floor(1, 1), {{0, Tie::kFixed, 5}}, {0}, 1), std::vector<int>{0});
}

}  // namespace
}  // namespace bitline::place
