// SPDX-License-Identifier: Apache-2.0
// When everything happens on a placed program, and how often, from equations instead of a simulation: what
// sim/cycle measures, from the same component models. README.md of this folder has the equations and what
// they leave out.
#pragma once

#include <cstdint>
#include <vector>

#include "mapper/place/program.h"
#include "models/arch/arch.h"
#include "sim/cycle/runner.h"

namespace bitline::analytic {

/// Images after this many are taken to follow at the interval of the last two.
inline constexpr std::int64_t kImages = 4;

/// Mean relative errors against mode `cycle` on the fidelity sample (README.md): of the image latency and the
/// interval, also where layers have copies, where digital stages are spread besides, and of what depends on
/// data with the default activity factors.
inline constexpr double kLatencyError = 0.003;
inline constexpr double kIntervalError = 0.001;
inline constexpr double kLatencyErrorWithCopies = 0.07;
inline constexpr double kIntervalErrorWithCopies = 0.10;
inline constexpr double kLatencyErrorSpread = 0.11;
inline constexpr double kIntervalErrorSpread = 0.17;
inline constexpr double kActivityError = 0.2;

/// The estimate of cycle::simulate_cycles(): times, actions that do not depend on data, use of the parts
/// (waits are not estimated: 0). `layers[l]` belongs to program.layers[l]; their cells are not needed. Any
/// number of calls, from any thread. Throws base::MappingError for programs of several chips or phases.
[[nodiscard]] cycle::CycleResult estimate(const place::Program& program, const arch::Arch& arch,
                                          const std::vector<cycle::LayerSource>& layers, std::int64_t images);

}  // namespace bitline::analytic
