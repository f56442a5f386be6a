// SPDX-License-Identifier: Apache-2.0
// Random weights that are the same on any machine: only integer arithmetic and correctly rounded products.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace bitline::workloads {

/// SplitMix64 (Steele, Lea, Flood, OOPSLA 2014).
class Random {
 public:
  /// An independent stream for each name.
  Random(std::uint64_t seed, std::string_view name) : state_(seed) {
    for (const char c : name) state_ = (next() ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  }
  std::uint64_t next() {
    state_ += 0x9E3779B97F4A7C15ULL;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
  }
  /// In [low, high), of 24 random bits.
  float uniform(float low, float high) {
    return low + (high - low) * (static_cast<float>(next() >> 40) * 0x1p-24F);
  }
  /// Mean 0, standard deviation 1, within +-3.46: the sum of four uniform 16-bit numbers (Irwin-Hall), which
  /// is close to normal.
  float normal() {
    const std::uint64_t bits = next();
    const auto sum = static_cast<std::int32_t>((bits & 0xFFFF) + ((bits >> 16) & 0xFFFF) +
                                               ((bits >> 32) & 0xFFFF) + (bits >> 48));
    constexpr float kScale = 1.0F / 37837.2265F;  // sqrt(4 * (2^32 - 1) / 12)
    return static_cast<float>(sum - 2 * 0xFFFF) * kScale;
  }
  void fill_normal(std::span<float> values, float deviation) {
    for (float& value : values) value = normal() * deviation;
  }
  void fill_uniform(std::span<float> values, float low, float high) {
    for (float& value : values) value = uniform(low, high);
  }

 private:
  std::uint64_t state_;
};

}  // namespace bitline::workloads
