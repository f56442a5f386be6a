// SPDX-License-Identifier: Apache-2.0
// What a request says about traces, for the simulation of time.
#pragma once

#include <vector>

#include "models/base/errors.h"
#include "sim/cycle/runner.h"
#include "sim/simulate.h"

namespace bitline::sim {

/// Adds what is wrong with `trace` and `trace_window`.
void check_trace(const SimulationRequest& request, std::vector<base::Problem>& problems);

/// Of a request without problems. Throws base::UsageError if the file cannot be written.
void set_trace(const SimulationRequest& request, cycle::CycleOptions& options);

}  // namespace bitline::sim
