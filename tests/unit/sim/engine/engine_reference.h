// SPDX-License-Identifier: Apache-2.0
// A crossbar layer computed the slow way, one conversion after another, straight from the semantics of the
// function (DESIGN section 3) and sharing no code with the slicer or the engine. Only the resolution of each
// conversion is taken as given.
#pragma once

#include <cstdint>
#include <vector>

#include "mapper/place/program.h"
#include "models/arch/arch.h"
#include "models/base/actions.h"

namespace bitline::test {

/// What the slow computation needs to know.
struct SlowLayer {
  int groups = 1, outputs = 1, rows = 1;   ///< outputs and rows of a group
  std::vector<int> q;                      ///< [group][output][row]
  int signed_bits = 8;                     ///< width of a signed weight code
  std::vector<int> widths;                 ///< of the slices, most significant first
  std::vector<std::vector<int>> adc_bits;  ///< [block][slice]
  int input_bits = 8;
  bool input_signed = false;
  std::int64_t zero_point = 0;
  arch::Arch arch;
};

struct SlowResult {
  std::vector<std::int64_t> y;  ///< [position][group * outputs + output]
  base::ActionCounts counts;
  std::vector<std::int64_t> conversions_per_slice, clipped_per_slice;
};

/// x: [position][group * rows + row].
SlowResult run_slowly(const SlowLayer& layer, const std::vector<int>& x,
                      const std::vector<place::DriveSet>& drives);

}  // namespace bitline::test
