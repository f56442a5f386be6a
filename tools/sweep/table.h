// SPDX-License-Identifier: Apache-2.0
// The results of a sweep as tables. Equal records give equal bytes.
#pragma once

#include <string>
#include <vector>

#include "tools/sweep/figures.h"
#include "tools/sweep/plan.h"
#include "tools/sweep/store.h"

namespace bitline::sweep {

/// Which finished points no other one beats. Points without one of the figures are neither on the front nor
/// beaten.
struct Front {
  std::vector<Objective> objectives;
  std::vector<bool> is_candidate;  ///< by point: has all the figures
  std::vector<bool> is_member;     ///< by point
};
/// `objectives` as given; empty: energy, latency and area, and top1 where the points have it. Throws
/// base::UsageError for a figure that no point has.
[[nodiscard]] Front find_front(const Records& records, const std::vector<std::string>& objectives);

/// One row per point, in order: id, axes, figures, front, error_kind, error. RFC 4180, "\n" line ends,
/// round-trip doubles.
[[nodiscard]] std::string results_csv(const Plan& plan, const Records& records, const Front& front);
[[nodiscard]] std::string results_json(const Plan& plan, const Records& records, const Front& front);
/// At most 80 columns: all points of a small sweep, else the front.
[[nodiscard]] std::string results_text(const Plan& plan, const Records& records, const Front& front);

}  // namespace bitline::sweep
