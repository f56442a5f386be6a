// SPDX-License-Identifier: Apache-2.0
// mapping.replication: balanced. The rule of mapper/place gives copies by windows and IMAs; what their
// traffic does to the rest of the chip only a simulation of time tells. So more copies are kept only where
// they prove no slower than one copy of each layer.
#pragma once

#include <memory>
#include <vector>

#include "mapper/place/program.h"
#include "models/arch/arch.h"
#include "sim/cycle/runner.h"

namespace bitline::sim {

/// The two mappings are timed with one image and with so many.
inline constexpr std::int64_t kTimedImages = 4;
/// Copies that an estimate (sim/analytic) gives at most this share of the time of one copy each are not
/// simulated. Its worst error on 2000 random chips with small networks is a factor of 2.8, on meshes that
/// blocked packets fill; on the networks of its fidelity sample, which are long, 1.41.
inline constexpr double kSureGain = 0.35;
inline constexpr double kSureGainOfLong = 0.6;
inline constexpr std::int64_t kLong = 4096;  ///< pixels of all stages for an image

/// place::place() with balanced copies that do not make the network slower than one copy of each layer: an
/// image alone does not end later, nor any of kTimedImages, and those between the first and the last do not
/// follow at longer intervals. Where
/// the rule's copies are slower, no layer gets more than half as many as the most before; in the end each
/// gets one. A function of its arguments only: the same mapping in every mode, whatever runs. Throws
/// what place::place() does; base::SimulationError where a worker process cannot be started, and
/// base::TimeoutError where it would take longer than `limit_s` (0: no limit).
[[nodiscard]] place::Program place_balanced(const std::shared_ptr<const graph::Graph>& graph,
                                            const arch::Arch& arch,
                                            const std::vector<place::LayerInput>& layers,
                                            const std::vector<cycle::LayerSource>& timed, double limit_s = 0);

}  // namespace bitline::sim
