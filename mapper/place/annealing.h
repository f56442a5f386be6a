// SPDX-License-Identifier: Apache-2.0
// Items on the floor of a chip, so that what flows between them goes a short way.
#pragma once

#include <cstdint>
#include <vector>

namespace bitline::place {

/// The places of a chip, in rows of `width`, and where the router of each is.
struct Floor {
  int width = 1;
  std::vector<int> router_x, router_y;  ///< by place
  [[nodiscard]] int places() const { return static_cast<int>(router_x.size()); }
  [[nodiscard]] std::int64_t distance(int a, int b) const;  ///< links between the routers of two places
};

/// `bytes` between two items; `b` = kFixed: between an item and place 0 (the chip link's router).
struct Tie {
  static constexpr int kFixed = -1;
  int a = 0;
  int b = kFixed;
  std::int64_t bytes = 0;
};

/// Sum of bytes x distance with item i at `at[i]`.
[[nodiscard]] std::int64_t hop_bytes(const Floor& floor, const std::vector<Tie>& ties,
                                     const std::vector<int>& at);

/// Simulated annealing (Kirkpatrick et al., 1983): moves of an item to a free place and swaps of two, near by
/// as it gets colder, by their change of hop_bytes. Returns the best arrangement met, `start` itself at
/// worst. The work is in proportion to the number of items and ties; the result depends on `seed` only.
[[nodiscard]] std::vector<int> anneal(const Floor& floor, const std::vector<Tie>& ties,
                                      const std::vector<int>& start, std::uint64_t seed);

}  // namespace bitline::place
