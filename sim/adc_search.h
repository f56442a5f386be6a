// SPDX-License-Identifier: Apache-2.0
// The ADC resolutions of a machine for a network: what each setting gives and costs, and the cheapest that
// keeps the accuracy. Method: README.md of this folder.
#pragma once

#include <string>
#include <vector>

#include "sim/result/adc_search.h"
#include "sim/simulate.h"

namespace bitline::sim {

enum class AdcObjective { energy, edp, area, latency };
[[nodiscard]] const char* to_string(AdcObjective objective);

struct AdcSearchRequest {
  /// Machine, network, images, labels (which it needs), calibration, images streamed, time limit, progress.
  /// Mode and files for output have no meaning here.
  SimulationRequest run;
  std::vector<int> from;  ///< one number or one per slice; empty: the resolutions of the machine's policy
  int to = 1;             ///< the fewest bits
  double max_loss = 0.5;  ///< of top-1 against converters that never clip, in percentage points
  AdcObjective objective = AdcObjective::energy;
  bool search = true;  ///< false: only all slices alike
  int workers = 0;     ///< processes at once; 0: as many as cores. The result does not depend on it.
};

/// Tries settings of policy fixed. May be called any number of times in one process, which must not have run
/// simulate() itself: time is simulated in copies of this process. Throws every kind of base::Error.
[[nodiscard]] result::AdcSearch search_adc_bits(const AdcSearchRequest& request);

}  // namespace bitline::sim
