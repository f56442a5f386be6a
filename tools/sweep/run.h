// SPDX-License-Identifier: Apache-2.0
// Evaluates what a sweep's folder does not have yet, in worker processes.
#pragma once

#include <functional>

#include "tools/sweep/store.h"

namespace bitline::sweep {

struct RunOptions {
  int jobs = 1;
  double timeout_s = 0;  ///< of a point; 0: none
  bool keep_results = true;
  std::function<void(std::size_t finished, std::size_t failed)> progress = [](std::size_t, std::size_t) {};
  std::function<bool()> stop = [] { return false; };  ///< asked several times a second
};

/// Everything finished is in `store` when this returns or throws; false: stopped before the last point. The
/// calling process must have one thread. Throws base::UsageError where the folder cannot be written.
[[nodiscard]] bool run_points(const Plan& plan, Store& store, const RunOptions& options);

/// Evaluates `points` without a folder; `ended` is called for each, in any order.
void evaluate_points(
    const Plan& plan, const std::vector<std::size_t>& points, const RunOptions& options,
    const std::function<void(std::size_t point, const Outcome& outcome)>& ended,
    const std::function<void()>& tick = [] {});

/// The record of a point whose worker gave no answer.
[[nodiscard]] Json lost_record(const Point& point, bool timed_out, double timeout_s, int signal);

}  // namespace bitline::sweep
