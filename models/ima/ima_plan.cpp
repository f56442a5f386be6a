// SPDX-License-Identifier: Apache-2.0
#include "models/ima/ima_plan.h"

#include <algorithm>

#include "models/base/actions.h"

namespace bitline::ima {

std::vector<Chunk> InputFormat::chunks() const {
  std::vector<Chunk> result;
  const int magnitude_bits = is_signed ? bits - 1 : bits;
  for (int shift = 0; shift < magnitude_bits; shift += dac_bits) {
    result.push_back({shift, std::min(dac_bits, magnitude_bits - shift), 1});
  }
  if (is_signed) result.push_back({bits - 1, 1, -1});
  return result;
}

int ImaPlan::phases() const {
  std::size_t most = 0;
  for (const CrossbarPlan& crossbar : crossbars) most = std::max(most, crossbar.phases.size());
  return static_cast<int>(most);
}

std::int64_t ImaPlan::register_read_bytes() const {
  std::int64_t bytes = 0;
  for (const CrossbarPlan& crossbar : crossbars) {
    for (const PhasePlan& phase : crossbar.phases) bytes += format.bytes(phase.row_count);
  }
  return bytes;
}

int adc_of(int slots, int adcs, int slot, int converted) {
  if (adcs < slots) return slot / (slots / adcs);
  const int own = adcs / slots;
  return slot * own + converted % own;
}

std::vector<base::Time> conversion_times(const ImaPlan& plan, const periphery::AdcParams& adc) {
  std::vector<base::Time> of_bits;
  for (int bits = 0; bits <= base::kMaxAdcBits; ++bits) of_bits.push_back(base::Time::from_fs(-1));
  const auto time_of = [&](int bits) {
    base::Time& time = of_bits.at(static_cast<std::size_t>(bits));
    if (time < base::Time()) time = periphery::conversion_time(adc, bits);
    return time;
  };
  std::vector<base::Time> longest;
  for (std::size_t p = 0; p < static_cast<std::size_t>(plan.phases()); ++p) {
    std::vector<base::Time> busy(static_cast<std::size_t>(plan.adcs));
    for (const CrossbarPlan& crossbar : plan.crossbars) {
      if (p >= crossbar.phases.size() || crossbar.subtracts_from >= 0) continue;
      int converted = 0;
      for (const Column& column : crossbar.phases[p].columns) {
        if (column.bits == 0) continue;
        const int a = adc_of(plan.slots, plan.adcs, crossbar.slot, converted++);
        busy.at(static_cast<std::size_t>(a)) += time_of(column.bits);
      }
    }
    longest.push_back(*std::max_element(busy.begin(), busy.end()));
  }
  return longest;
}

}  // namespace bitline::ima
