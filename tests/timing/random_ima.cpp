// SPDX-License-Identifier: Apache-2.0
#include "tests/timing/random_ima.h"

namespace bitline::timing_test {

using base::Time;

namespace {

class Generator {
 public:
  explicit Generator(std::mt19937& random) : random_(random) {}

  ImaCase make() {
    ImaCase result;
    result.params = params();
    result.plan = plan(result.params);
    const int mvms = pick(1, 6);
    for (int m = 0; m < mvms; ++m) result.mvms.push_back({input(result.plan), delay(), delay()});
    return result;
  }

 private:
  int pick(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }
  bool coin() { return pick(0, 1) == 1; }
  /// Often zero, often a round number, sometimes an odd one: coincidences of edges matter most.
  Time duration(int most_ns) {
    switch (pick(0, 3)) {
      case 0:
        return {};
      case 1:
        return Time::from_fs(pick(1, most_ns * 1000) * 1000LL + pick(0, 999));
      default:
        return Time::from_ns(pick(1, most_ns));
    }
  }
  Time delay() { return duration(coin() ? 20 : 400); }

  ima::StructuralParams params() {
    ima::StructuralParams p;
    const double clocks[] = {1e9, 5e8, 1e8, 3e8, 7.7e8};
    p.ima.clock = base::Frequency(clocks[pick(0, 4)]);
    p.ima.gate_zero_chunks = coin();
    p.ima.input_register.buffers = pick(1, 3);
    p.ima.output_register.buffers = pick(1, 3);
    p.ima.input_register.latency = duration(10);
    p.ima.output_register.latency = duration(10);
    p.ima.shift_add.latency = duration(60);
    p.read_latency = duration(30);
    p.sample_hold = duration(5);
    p.adc.kind = static_cast<periphery::AdcKind>(pick(0, 2));
    p.adc.rated_bits = pick(3, 8);
    p.adc.rate = base::Frequency(coin() ? 1.28e9 : 3.3e8);
    p.adc.conversion = coin() ? periphery::AdcConversion::clip : periphery::AdcConversion::truncate;
    return p;
  }

  ima::ImaPlan plan(const ima::StructuralParams& params) {
    ima::ImaPlan p;
    p.slots = 1 << pick(0, 3);
    p.adcs = coin() ? p.slots * pick(1, 3) : p.slots >> pick(0, p.slots == 1 ? 0 : p.slots == 2 ? 1 : 2);
    p.format.dac_bits = pick(1, 3);
    p.format.is_signed = coin();
    p.format.bits = pick(2, 9);
    p.conversion = params.adc.conversion;
    p.gate_zero_chunks = params.ima.gate_zero_chunks;
    p.inputs = pick(1, 24);
    p.input_bytes = p.format.bytes(p.inputs);
    p.results = pick(1, 8);
    p.output_bits = pick(5, 20);
    p.centre_additions = coin() ? pick(1, 40) : 0;
    const bool analog = p.slots > 1 && pick(0, 2) == 0;
    for (int slot = 0; slot < p.slots; slot += analog ? 2 : 1) {
      if (slot > 0 && pick(0, 3) == 0) continue;  // unused
      p.crossbars.push_back(crossbar(p, slot));
      p.crossbars.back().reference_column = !analog && coin();
      if (analog) p.crossbars.push_back(partner(p));
    }
    return p;
  }

  ima::CrossbarPlan crossbar(const ima::ImaPlan& plan, int slot) {
    ima::CrossbarPlan result;
    result.slot = slot;
    const int phases = pick(1, 3);
    for (int p = 0; p < phases; ++p) result.phases.push_back(phase(plan));
    return result;
  }

  ima::PhasePlan phase(const ima::ImaPlan& plan) {
    ima::PhasePlan result;
    result.row_count = pick(1, 12);
    for (int r = 0; r < result.row_count; ++r) result.rows.push_back(pick(0, plan.inputs - 1));
    const int columns = pick(1, 10);
    const int width = pick(1, 3);
    for (int c = 0; c < columns; ++c) {
      ima::Column column;
      column.bits = pick(0, 7);
      column.truncation = pick(0, 3);
      column.result = pick(0, plan.results - 1);
      column.shift = pick(0, 6);
      column.sign = coin() ? 1 : -1;
      column.row_first = pick(0, result.row_count - 1);
      column.row_count = pick(1, result.row_count - column.row_first);
      column.flip = coin() ? (1 << width) - 1 : 0;
      result.columns.push_back(column);
    }
    for (int i = 0; i < columns * result.row_count; ++i) {
      result.cells.push_back(static_cast<std::uint16_t>(pick(0, (1 << width) - 1)));
    }
    return result;
  }

  /// The negative array of the last crossbar of `plan`: the same rows, other cells.
  ima::CrossbarPlan partner(const ima::ImaPlan& plan) {
    ima::CrossbarPlan result = plan.crossbars.back();
    result.slot += 1;
    result.subtracts_from = static_cast<int>(plan.crossbars.size()) - 1;
    for (ima::PhasePlan& phase : result.phases) {
      for (std::uint16_t& cell : phase.cells) cell = static_cast<std::uint16_t>(pick(0, 7));
    }
    return result;
  }

  std::vector<std::int32_t> input(const ima::ImaPlan& plan) {
    std::vector<std::int32_t> x;
    const bool sparse = coin();
    const int high = plan.format.is_signed ? (1 << (plan.format.bits - 1)) - 1 : (1 << plan.format.bits) - 1;
    const int low = plan.format.is_signed ? -high - 1 : 0;
    for (int i = 0; i < plan.inputs; ++i) x.push_back(sparse && pick(0, 9) > 0 ? 0 : pick(low, high));
    return x;
  }

  std::mt19937& random_;
};

}  // namespace

ima::ImaTimingParams timing_params(const ima::ImaPlan& plan, const ima::StructuralParams& params) {
  ima::ImaTimingParams t;
  t.clock = base::period(params.ima.clock);
  t.read_latency = params.read_latency;
  t.sample_hold = params.sample_hold;
  t.input_register = params.ima.input_register.latency;
  t.shift_add = params.ima.shift_add.latency;
  t.output_register = params.ima.output_register.latency;
  t.input_buffers = params.ima.input_register.buffers;
  t.output_buffers = params.ima.output_register.buffers;
  t.chunks = static_cast<int>(plan.format.chunks().size());
  t.conversion = ima::conversion_times(plan, params.adc);
  return t;
}

ImaCase random_case(std::mt19937& random) {
  return Generator(random).make();
}

}  // namespace bitline::timing_test
