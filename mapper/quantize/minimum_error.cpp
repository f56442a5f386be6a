// SPDX-License-Identifier: Apache-2.0
#include "mapper/quantize/minimum_error.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace bitline::quantize {
namespace {

constexpr int kSteps = 128;
constexpr int kLeast = kSteps / 16;
constexpr int kFiner = 16;

/// Calls `error(magnitude)` from the largest down to a sixteenth of it, then in finer steps around the best,
/// and returns the best magnitude.
template <class Error>
double search(double largest, const Error& error) {
  int best = kSteps * kFiner;
  double least = std::numeric_limits<double>::infinity();
  const auto try_steps = [&](int from, int to, int by) {
    for (int step = from; step >= to; step -= by) {
      const double e = error(largest * step / (kSteps * kFiner));
      if (e < least) {
        least = e;
        best = step;
      }
    }
  };
  try_steps(kSteps * kFiner, kLeast * kFiner, kFiner);
  try_steps(std::min(best + kFiner - 1, kSteps * kFiner), best - kFiner + 1, 1);
  return largest * best / (kSteps * kFiner);
}

}  // namespace

double least_error_magnitude(std::span<const float> values, std::int32_t limit) {
  double largest = 0.0;
  for (const float v : values) largest = std::max(largest, std::abs(static_cast<double>(v)));
  if (largest == 0.0) return 0.0;
  return search(largest, [&](double magnitude) {
    const double scale = magnitude / limit;
    double sum = 0.0;
    for (const float v : values) {
      const double code = std::clamp<double>(std::nearbyint(static_cast<double>(v) / scale), -limit, limit);
      const double error = static_cast<double>(v) - scale * code;
      sum += error * error;
    }
    return sum;
  });
}

double least_error_magnitude(std::span<const std::int64_t> counts, double largest, std::int64_t limit) {
  const double width = largest / static_cast<double>(counts.size());
  return search(largest, [&](double magnitude) {
    const double scale = magnitude / static_cast<double>(limit);
    std::int64_t within = 0;
    double beyond = 0.0;
    for (std::size_t bin = 0; bin < counts.size(); ++bin) {
      const double excess = (static_cast<double>(bin) + 0.5) * width - magnitude;
      if (excess <= 0.0) {
        within += counts[bin];
      } else {
        beyond += static_cast<double>(counts[bin]) * excess * excess;
      }
    }
    return beyond + static_cast<double>(within) * scale * scale / 12.0;
  });
}

}  // namespace bitline::quantize
