// SPDX-License-Identifier: Apache-2.0
#include "models/ima/ima_function.h"

#include <algorithm>
#include <cstdlib>
#include <numeric>

#include "models/base/errors.h"

namespace bitline::ima {

namespace {

using base::Action;

/// x's bits of `chunk` under each row of the phase.
std::vector<std::int64_t> driven(const PhasePlan& phase, const Chunk& chunk,
                                 std::span<const std::int32_t> x) {
  std::vector<std::int64_t> levels;
  levels.reserve(phase.rows.size());
  for (const int row : phase.rows) {
    const auto bits = static_cast<std::uint32_t>(x[static_cast<std::size_t>(row)]);
    levels.push_back((bits >> chunk.shift) & ((1u << chunk.width) - 1u));
  }
  return levels;
}

std::int64_t column_sum(const PhasePlan& phase, std::size_t column, const std::vector<std::int64_t>& levels) {
  std::int64_t sum = 0;
  const std::size_t base = column * levels.size();
  for (std::size_t row = 0; row < levels.size(); ++row) sum += levels[row] * phase.cells[base + row];
  return sum;
}

periphery::Converted convert(const ImaPlan& plan, const Column& column, std::int64_t sum,
                             bool analog_difference) {
  const bool truncate = plan.conversion == periphery::AdcConversion::truncate;
  if (analog_difference && truncate) {
    periphery::Converted magnitude =
        periphery::convert_truncate(std::abs(sum), column.bits - 1, column.truncation);
    if (sum < 0) magnitude.value = -magnitude.value;
    return magnitude;
  }
  if (analog_difference) return periphery::convert_signed_clip(sum, column.bits);
  if (truncate) return periphery::convert_truncate(sum, column.bits, column.truncation);
  return periphery::convert_clip(sum, column.bits);
}

const CrossbarPlan* partner_of(const ImaPlan& plan, std::size_t crossbar) {
  for (const CrossbarPlan& other : plan.crossbars) {
    if (other.subtracts_from == static_cast<int>(crossbar)) return &other;
  }
  return nullptr;
}

/// One phase of a converted crossbar (and its partner) for one chunk.
class Reading {
 public:
  Reading(const ImaPlan& plan, std::size_t crossbar, std::size_t phase, base::ActionCounts& actions)
      : plan_(plan), phase_(plan.crossbars[crossbar].phases[phase]), actions_(actions) {
    const CrossbarPlan* partner = partner_of(plan, crossbar);
    if (partner != nullptr) partner_ = &partner->phases[phase];
    reads_reference_ = plan.crossbars[crossbar].reference_column && phase_.converts();
  }

  void run(const Chunk& chunk, std::span<const std::int32_t> x, std::vector<std::int64_t>& results) {
    const std::vector<std::int64_t> levels = driven(phase_, chunk, x);
    const auto active = std::count_if(levels.begin(), levels.end(), [](std::int64_t v) { return v != 0; });
    if (plan_.gate_zero_chunks && active == 0) {
      for (const Column& column : phase_.columns) actions_.gated += column.bits > 0 ? 1 : 0;
      return;
    }
    actions_[Action::dac_drive] += active * (partner_ == nullptr ? 1 : 2);
    if (reads_reference_) actions_[Action::cell_read] += active;
    for (std::size_t c = 0; c < phase_.columns.size(); ++c) {
      const Column& column = phase_.columns[c];
      if (column.bits > 0) convert_column(c, chunk, levels, active, results);
      // Every stored cell is zero, so that the conversion is known to be 0; what a flipped one stands for is
      // not.
      if (column.bits == 0) accumulate(column, chunk, column.flip * driven_sum(column, levels), results);
    }
  }

 private:
  void convert_column(std::size_t c, const Chunk& chunk, const std::vector<std::int64_t>& levels,
                      std::int64_t active, std::vector<std::int64_t>& results) {
    const Column& column = phase_.columns[c];
    std::int64_t sum = column_sum(phase_, c, levels);
    actions_.cell_level_sum += sum;
    actions_[Action::cell_read] += active;
    if (partner_ != nullptr) {
      const std::int64_t negative = column_sum(*partner_, c, levels);
      actions_.cell_level_sum += negative;
      actions_[Action::cell_read] += active;
      sum -= negative;
    }
    const periphery::Converted converted = convert(plan_, column, sum, partner_ != nullptr);
    actions_[Action::sample_hold] += 1;
    actions_[Action::shift_add] += 1;
    actions_.conversions[static_cast<std::size_t>(column.bits)] += 1;
    actions_.clipped += converted.clipped ? 1 : 0;
    const std::int64_t stored = converted.value;
    accumulate(column, chunk, column.flip != 0 ? column.flip * driven_sum(column, levels) - stored : stored,
               results);
  }

  /// Sum of what is driven into the column's group.
  static std::int64_t driven_sum(const Column& column, const std::vector<std::int64_t>& levels) {
    const auto first = levels.begin() + column.row_first;
    return std::accumulate(first, first + column.row_count, std::int64_t{0});
  }

  static void accumulate(const Column& column, const Chunk& chunk, std::int64_t value,
                         std::vector<std::int64_t>& results) {
    const std::int64_t weight = (std::int64_t{1} << (column.shift + chunk.shift)) * column.sign * chunk.sign;
    results[static_cast<std::size_t>(column.result)] += weight * value;
  }

  const ImaPlan& plan_;
  const PhasePlan& phase_;
  const PhasePlan* partner_ = nullptr;
  bool reads_reference_ = false;
  base::ActionCounts& actions_;
};

}  // namespace

std::vector<std::int64_t> functional_mvm(const ImaPlan& plan, std::span<const std::int32_t> x,
                                         base::ActionCounts& actions) {
  BITLINE_CHECK(x.size() == static_cast<std::size_t>(plan.inputs));
  std::vector<std::int64_t> results(static_cast<std::size_t>(plan.results), 0);
  const std::vector<Chunk> chunks = plan.format.chunks();
  for (std::size_t i = 0; i < plan.crossbars.size(); ++i) {
    if (plan.crossbars[i].subtracts_from >= 0) continue;
    for (std::size_t p = 0; p < plan.crossbars[i].phases.size(); ++p) {
      Reading reading(plan, i, p, actions);
      for (const Chunk& chunk : chunks) reading.run(chunk, x, results);
    }
  }
  actions[Action::shift_add] += plan.centre_additions;
  actions += register_actions(plan, 1);
  return results;
}

base::ActionCounts register_actions(const ImaPlan& plan, std::int64_t mvms) {
  base::ActionCounts actions;
  actions[Action::input_register_write] = plan.input_bytes * mvms;
  actions[Action::input_register_read] = plan.register_read_bytes() * mvms;
  actions[Action::output_register_write] = plan.results_bytes() * mvms;
  actions[Action::output_register_read] = plan.results_bytes() * mvms;
  return actions;
}

}  // namespace bitline::ima
