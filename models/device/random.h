// SPDX-License-Identifier: Apache-2.0
// Random numbers by counter: a draw is a function of the seed and of what it is for, so that it does not
// depend on which thread asks, in what order, or what else is drawn.
#pragma once

#include <array>
#include <cstdint>

namespace bitline::device {

using Words = std::array<std::uint32_t, 4>;
using Key = std::array<std::uint32_t, 2>;

/// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): 128 random bits for
/// each counter and key.
[[nodiscard]] inline Words philox(Words counter, Key key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t even = std::uint64_t{0xD2511F53} * counter[0];
    const std::uint64_t odd = std::uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<std::uint32_t>(odd >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(odd),
               static_cast<std::uint32_t>(even >> 32) ^ counter[3] ^ key[1],
               static_cast<std::uint32_t>(even)};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return counter;
}

[[nodiscard]] inline Key key_of(std::uint64_t seed) {
  return {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)};
}

/// In (0, 1): the middle of one of 2^32 equal parts.
[[nodiscard]] inline double uniform(std::uint32_t word) {
  return (static_cast<double>(word) + 0.5) * 0x1p-32;
}

/// The value that a standard normal variable stays below with probability `p`, 0 < p < 1: algorithm AS 241
/// (Wichura, Applied Statistics 37, 1988), relative error about 1e-16.
[[nodiscard]] double normal_quantile(double p);

/// Standard normal, within 6.4.
[[nodiscard]] inline double normal(std::uint32_t word) {
  return normal_quantile(uniform(word));
}

}  // namespace bitline::device
