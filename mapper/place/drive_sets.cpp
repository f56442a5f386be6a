// SPDX-License-Identifier: Apache-2.0
#include <map>
#include <tuple>

#include "mapper/place/centre_work.h"
#include "mapper/place/program.h"

namespace bitline::place {

std::vector<DriveSet> drive_sets(const LayerPlacement& layer, const slice::SlicedLayer& sliced) {
  std::map<std::tuple<int, int, int>, DriveSet> sets;
  for (const ImaPart& ima : layer.imas) {
    if (ima.replica > 0) continue;
    for (const CrossbarPart& part : ima.crossbars) {
      for (const Phase& phase : part.phases) {
        DriveSet& set = sets[{phase.block, phase.group_first, phase.group_count}];
        if (set.crossbars == 0) {
          set = {phase.block, phase.group_first, phase.group_count, 0, {}, {}, 0, 0};
          set.columns_per_slice.assign(sliced.slices.size(), 0);
          set.partner_columns_per_slice.assign(sliced.slices.size(), 0);
        }
        ++set.crossbars;
        if (&phase == &ima.crossbars.front().phases.front())
          set.centre_additions += centre_additions(ima, sliced);
        auto& columns =
            sliced.analog && part.array == 1 ? set.partner_columns_per_slice : set.columns_per_slice;
        bool any = false;
        for (std::size_t s = 0; s < sliced.slices.size(); ++s) {
          const bool here = part.slice < 0 || part.slice == static_cast<int>(s);
          const bool converted = sliced.adc_bits[static_cast<std::size_t>(phase.block)][s] > 0;
          if (here && converted) columns[s] += phase.group_count * part.output_count;
          any = any || (here && converted);
        }
        set.reference_columns += any && sliced.reference_column ? 1 : 0;
      }
    }
  }
  std::vector<DriveSet> result;
  result.reserve(sets.size());
  for (auto& [key, set] : sets) result.push_back(std::move(set));
  return result;
}

}  // namespace bitline::place
