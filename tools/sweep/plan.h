// SPDX-License-Identifier: Apache-2.0
// The points of a sweep, and what each of them runs.
#pragma once

#include <string>
#include <vector>

#include "tools/sweep/figures.h"
#include "tools/sweep/spec.h"

namespace bitline::sweep {

struct Point {
  std::string id;                    ///< "0017", in the order of the points
  std::vector<SettingPtr> settings;  ///< by axis; nullptr: as the base has it
};

struct Plan {
  Spec spec;
  std::vector<Point> points;
};

inline constexpr std::int64_t kMostPoints = 10'000;  ///< unless asked for more

/// Throws base::ConfigError for more than `most` points.
[[nodiscard]] Plan make_plan(Spec spec, std::int64_t most = kMostPoints);

/// What one point runs.
struct Run {
  std::vector<std::string> overrides;  ///< "key=value", sorted by key
  std::size_t network = 0;             ///< of Spec::networks
  sim::Mode mode = sim::Mode::cycle;
  std::int64_t batch = 1;
  std::uint64_t seed = 1;
};
[[nodiscard]] Run run_of(const Spec& spec, const Point& point);

/// {"point": "0017", "axes": {"adc.rate": "1 GS/s"}}
[[nodiscard]] Json describe(const Spec& spec, const Point& point);

/// What results depend on: each part with a hash of it ("points", "arch isaac.yaml", ..., "version").
[[nodiscard]] Json fingerprint(const Plan& plan);

/// The indices in a text such as "3,7-9" of ids. Throws base::UsageError naming `where`.
[[nodiscard]] std::vector<std::size_t> chosen_points(const Plan& plan, const std::string& text,
                                                     const std::string& where);

}  // namespace bitline::sweep
