// SPDX-License-Identifier: Apache-2.0
// The values and data-dependent actions of one MVM, computed at once: the reference for StructuralIma,
// written apart from it (by conversion, from the equations of DESIGN; no state that carries from read to
// read).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "models/base/actions.h"
#include "models/ima/ima_plan.h"

namespace bitline::ima {

/// The partial sums [plan.results] of one MVM of `plan` (with cells) on input `x` [plan.inputs]; adds its
/// actions, registers included, to `actions`.
[[nodiscard]] std::vector<std::int64_t> functional_mvm(const ImaPlan& plan, std::span<const std::int32_t> x,
                                                       base::ActionCounts& actions);

/// Register traffic of `mvms` MVMs of `plan`: the actions of an IMA that do not depend on data.
[[nodiscard]] base::ActionCounts register_actions(const ImaPlan& plan, std::int64_t mvms);

}  // namespace bitline::ima
