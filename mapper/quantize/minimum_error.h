// SPDX-License-Identifier: Apache-2.0
// Scales that cut off the largest values where this makes the squared error less.
#pragma once

#include <cstdint>
#include <span>

namespace bitline::quantize {

/// The largest magnitude that codes should cover, of kSteps even fractions of the largest of `values` from a
/// sixteenth up, so that the sum of (w - s * clamp(rint(w/s)))^2 is least, s = result / limit; the largest of
/// equally good ones. 0 where all values are 0.
[[nodiscard]] double least_error_magnitude(std::span<const float> values, std::int32_t limit);

/// The same from a histogram: counts of |x| in bins of equal width from 0 to `largest`, zeros (which every
/// scale meets) left out. A value within the range has an error of s^2 / 12 (uniform within a step), one
/// beyond it that of being held at the range, from the middle of its bin.
[[nodiscard]] double least_error_magnitude(std::span<const std::int64_t> counts, double largest,
                                           std::int64_t limit);

}  // namespace bitline::quantize
