// SPDX-License-Identifier: Apache-2.0
#include "mapper/place/centre_work.h"

#include <set>
#include <tuple>

#include "mapper/slice/centres.h"

namespace bitline::place {

std::int64_t centre_additions(const ImaPart& part, const slice::SlicedLayer& sliced) {
  if (sliced.encoding != arch::WeightEncoding::centre_offset) return 0;
  std::set<std::tuple<int, int, int>> driven;
  for (const CrossbarPart& crossbar : part.crossbars)
    for (const Phase& phase : crossbar.phases)
      driven.emplace(phase.block, phase.group_first, phase.group_count);
  std::int64_t inputs = 0;
  for (const auto& [block, group, groups] : driven)
    inputs += std::int64_t{sliced.blocks[static_cast<std::size_t>(block)].rows()} * groups;
  const int code_bits = sliced.slices.front().shift + sliced.slices.front().width;
  return inputs + std::int64_t{part.results()} * slice::centre_bits(code_bits);
}

}  // namespace bitline::place
