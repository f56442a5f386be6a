// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "mapper/slice/resolution.h"

namespace bitline::engine {

/// Adds the analog sum of every conversion that the windows `x` [window][groups*rows_per_group] take to
/// `counts`, as the bits that it needs; whatever the resolution of `layer` is. Analog subtraction: of the
/// difference, without its sign. Uses the calling thread only.
void count_sums(const slice::SlicedLayer& layer, std::span<const std::int32_t> x, slice::SumWidths& counts);

}  // namespace bitline::engine
