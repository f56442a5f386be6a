// SPDX-License-Identifier: Apache-2.0
// From the mapper's placement of a layer in an IMA to what that IMA does for every window.
#pragma once

#include <vector>

#include "models/ima/ima_plan.h"
#include "models/ima/ima_timing.h"
#include "models/ima/structural_ima.h"
#include "sim/cycle/runner.h"

namespace bitline::cycle {

struct PlannedIma {
  ima::ImaPlan plan;
  std::vector<int> inputs;   ///< of the plan: index in the unfolded window [group][row]; empty without cells
  std::vector<int> outputs;  ///< of the plan's results: group * outputs_per_group + output, ascending
};

/// `with_cells`: rows, cells and flipped columns too, for structural runs. Throws std::logic_error where
/// `part` contradicts itself.
[[nodiscard]] PlannedIma build_plan(const place::ImaPart& part, const LayerSource& source,
                                    const arch::Arch& arch, bool with_cells);

[[nodiscard]] ima::ImaTimingParams timing_params(const ima::ImaPlan& plan, const arch::Arch& arch);
/// Of the rows that are written before a phase, in all tiles at once.
[[nodiscard]] base::Time write_time(const place::Programming& phase, const arch::Arch& arch);
[[nodiscard]] ima::StructuralParams structural_params(const arch::Arch& arch);

}  // namespace bitline::cycle
