// SPDX-License-Identifier: Apache-2.0
// What a machine can do at most: every crossbar full, read all the time, as papers quote it.
#pragma once

#include <vector>

#include "models/arch/arch.h"
#include "models/base/units.h"

namespace bitline::arch {

struct Peak {
  base::Time mvm;                      ///< from one matrix-vector product of a crossbar to its next
  double operations_per_second = 0.0;  ///< of the chip; a multiplication and an addition are two
  double conversions_per_mac = 0.0;
  double bytes = 0.0;  ///< that the cells of the chip hold
};

/// `built_adc_bits`: as of CostModel. A product takes its input chunks times the groups of rows that are
/// driven together; each read lasts until cells and ADCs are done, whichever is later.
[[nodiscard]] Peak peak(const Arch& arch, const std::vector<int>& built_adc_bits);

}  // namespace bitline::arch
