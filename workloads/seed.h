// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace bitline::workloads {

/// Of a network's weights; `none`: the file says how many there are, not which.
struct Seed {
  Seed(std::uint64_t seed) : value(seed) {}  // NOLINT(google-explicit-constructor): a seed is its number
  [[nodiscard]] static Seed none() {
    Seed seed(0);
    seed.weights = false;
    return seed;
  }
  std::uint64_t value;
  bool weights = true;
};

}  // namespace bitline::workloads
