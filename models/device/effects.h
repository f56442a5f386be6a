// SPDX-License-Identifier: Apache-2.0
// What makes a cell differ from an ideal one. Everything is off by default: then nothing here is evaluated.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/base/units.h"

namespace bitline::base {
class Schema;
}

namespace bitline::device {

/// Whether level 0 conducts: not at all, or as 1/r_off.
enum class OffState { ideal, finite };
/// What becomes of the current of level 0 in every driven cell (finite only): it stays in the sum; its
/// nominal value is subtracted from the converted sum; or the current of a column of cells at level 0 is
/// subtracted before the conversion.
enum class OffCurrent { kept, digital, reference_column };
/// How a programmed conductance misses its target G, z standard normal: normal G (1 + sigma z);
/// normal_of_range G + sigma z / r_on; lognormal G exp(sigma z); measured: a chip's deviation by conductance.
enum class Variation { none, normal, normal_of_range, lognormal, measured };
/// Which cells worst_case.cells breaks: those that hurt most, or any, for comparison.
enum class WorstCaseChoice { worst, random };

/// Keys of `device.*` beside those of DeviceParams.
struct EffectParams {
  std::int64_t seed = 1;
  OffState off_state = OffState::ideal;
  OffCurrent off_current = OffCurrent::reference_column;
  Variation variation = Variation::none;
  double variation_sigma = 0.1;
  double stuck_off = 0.0;  ///< share of cells
  double stuck_on = 0.0;
  std::string stuck_map = "none";  ///< file
  double read_noise = 0.0;         ///< relative to the conductance of each cell
  base::Resistance wire_resistance{0.0};
  double drift_exponent = 0.0;
  double drift_spread = 0.0;
  double drift_time_s = 86400.0;
  double drift_reference_s = 1.0;
  int worst_case_cells = 0;
  WorstCaseChoice worst_case_choice = WorstCaseChoice::worst;
};

void add_effects(base::Schema& schema, EffectParams& effects);

/// Keys of the effects that are on; empty: the cells are ideal.
[[nodiscard]] std::vector<std::string> acting(const EffectParams& effects);
/// Of these, whether any differs from chip to chip or from read to read.
[[nodiscard]] bool is_random(const EffectParams& effects);

}  // namespace bitline::device
