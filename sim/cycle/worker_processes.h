// SPDX-License-Identifier: Apache-2.0
// Any number of simulations of time from one process: each runs in a child, which has a SystemC kernel of its
// own.
#pragma once

#include <functional>
#include <vector>

#include "sim/cycle/runner.h"

namespace bitline::cycle {

/// A call of simulate_cycles, without `structural`. It runs in a copy of this process that has the calling
/// thread only, so it must use no other thread.
using Simulation = std::function<CycleResult()>;

/// Runs all of them, at most `workers` at once; results in their order, which do not depend on `workers`.
/// `done` is called after each one with how many are. Throws what a simulation throws (the first of them in
/// order), and base::SimulationError where a child ends without a result; then no child is left behind.
[[nodiscard]] std::vector<CycleResult> simulate_in_processes(
    const std::vector<Simulation>& simulations, int workers,
    const std::function<void(std::size_t done)>& done = {});

}  // namespace bitline::cycle
