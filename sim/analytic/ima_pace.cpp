// SPDX-License-Identifier: Apache-2.0
#include "sim/analytic/ima_pace.h"

#include <algorithm>
#include <array>

#include "models/base/actions.h"
#include "models/ima/ima_plan.h"

namespace bitline::analytic {
namespace {

Instant fs(base::Time time) {
  return static_cast<Instant>(time.fs());
}

/// Conversion times of the ADC with the most work in each phase: ima::conversion_times() without the columns.
class Conversions {
 public:
  Conversions(const slice::SlicedLayer& layer, const arch::Arch& arch) : layer_(layer), arch_(arch) {
    of_bits_.fill(-1);
  }

  Instant longest(const place::ImaPart& part, std::size_t phase) {
    busy_.assign(static_cast<std::size_t>(arch_.adc.per_ima), 0);
    for (const place::CrossbarPart& crossbar : part.crossbars) {
      const bool subtracted = layer_.analog && crossbar.array == 1;
      if (phase < crossbar.phases.size() && !subtracted) add(crossbar, crossbar.phases[phase]);
    }
    return *std::max_element(busy_.begin(), busy_.end());
  }

 private:
  Instant time_of(int bits) {
    Instant& time = of_bits_[static_cast<std::size_t>(bits)];
    if (time < 0) time = bits == 0 ? 0 : fs(periphery::conversion_time(arch_.adc, bits));
    return time;
  }

  void add(const place::CrossbarPart& crossbar, const place::Phase& phase) {
    const std::vector<int>& bits = layer_.adc_bits[static_cast<std::size_t>(phase.block)];
    const std::int64_t outputs = std::int64_t{phase.group_count} * crossbar.output_count;
    const std::size_t first = crossbar.slice < 0 ? 0 : static_cast<std::size_t>(crossbar.slice);
    const std::size_t last = crossbar.slice < 0 ? bits.size() : first + 1;
    const int own = arch_.adc.per_ima / arch_.ima.crossbars;
    if (own > 1) {
      deal(crossbar.slot, outputs, bits, first, last);
      return;
    }
    Instant sum = 0;
    for (std::size_t s = first; s < last; ++s) sum += time_of(bits[s]) * static_cast<Instant>(outputs);
    busy_[static_cast<std::size_t>(ima::adc_of(arch_.ima.crossbars, arch_.adc.per_ima, crossbar.slot, 0))] +=
        sum;
  }

  /// A crossbar with several ADCs of its own deals its converted columns out to them.
  void deal(int slot, std::int64_t outputs, const std::vector<int>& bits, std::size_t first,
            std::size_t last) {
    int converted = 0;
    for (std::int64_t o = 0; o < outputs; ++o) {
      for (std::size_t s = first; s < last; ++s) {
        if (bits[s] == 0) continue;
        const int adc = ima::adc_of(arch_.ima.crossbars, arch_.adc.per_ima, slot, converted++);
        busy_[static_cast<std::size_t>(adc)] += time_of(bits[s]);
      }
    }
  }

  const slice::SlicedLayer& layer_;
  const arch::Arch& arch_;
  std::array<Instant, base::kMaxAdcBits + 1> of_bits_{};
  std::vector<Instant> busy_;
};

}  // namespace

ImaPace ima_pace(const place::ImaPart& part, const cycle::LayerSource& source, const arch::Arch& arch) {
  const Instant clock = fs(base::period(arch.ima.clock));
  const Instant read = fs(arch.crossbar.read_latency);
  const Instant hold = fs(arch.sample_hold.latency);
  const ima::InputFormat format{source.activation_bits, source.activation_signed, arch.dac.bits};
  const auto chunks = static_cast<Instant>(format.chunk_count());
  std::size_t phases = 1;
  for (const place::CrossbarPart& crossbar : part.crossbars)
    phases = std::max(phases, crossbar.phases.size());
  Conversions conversions(*source.sliced, arch);
  ImaPace pace;
  pace.first_read = align_up(read, clock);
  for (std::size_t p = 0; p < phases; ++p) {
    const bool last = p + 1 == phases;
    const Instant conversion = conversions.longest(part, p);
    const Instant step = align_up(std::max(read, hold + conversion), clock);
    pace.tail += step * (last ? chunks - 1 : chunks);
    pace.adc += conversion * chunks;
    pace.held += (step - pace.first_read) * (last ? chunks - 1 : chunks);
    if (last) pace.convert = align_up(hold + conversion, clock);
  }
  return pace;
}

}  // namespace bitline::analytic
