// SPDX-License-Identifier: Apache-2.0
// Points of the unit cube [0, 1)^axes. The same arguments give the same points on every machine.
#pragma once

#include <cstdint>
#include <vector>

#include "tools/sweep/spec.h"

namespace bitline::sweep {

using UnitPoint = std::vector<double>;

/// Independent and uniform.
[[nodiscard]] std::vector<UnitPoint> random_points(std::int64_t points, std::size_t axes, std::uint64_t seed);
/// Of `points` equal strips of each axis, every one holds one point (McKay, Beckman and Conover 1979).
[[nodiscard]] std::vector<UnitPoint> latin_hypercube(std::int64_t points, std::size_t axes,
                                                     std::uint64_t seed);
/// Sobol's sequence (Boost.Random; direction numbers of Joe and Kuo 2008), moved by a random digital shift
/// that follows from the seed: of each axis' 2^k equal strips, every one holds one of the first 2^k points.
[[nodiscard]] std::vector<UnitPoint> sobol_points(std::int64_t points, std::size_t axes, std::uint64_t seed);

/// Settings by axis of every point of a sweep, in order; a grid's last axis changes fastest. Throws
/// base::ConfigError for more than `most` points, and for none.
[[nodiscard]] std::vector<std::vector<SettingPtr>> sample(const Spec& spec, std::int64_t most);

}  // namespace bitline::sweep
