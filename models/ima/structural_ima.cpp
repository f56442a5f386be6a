// SPDX-License-Identifier: Apache-2.0
#include "models/ima/structural_ima.h"

#include <algorithm>
#include <string>

#include "models/base/errors.h"

namespace bitline::ima {

namespace {

/// Index of the crossbar that is subtracted from `crossbar`; -1: none.
int subtracted_from(const ImaPlan& plan, std::size_t crossbar) {
  for (std::size_t i = 0; i < plan.crossbars.size(); ++i) {
    if (plan.crossbars[i].subtracts_from == static_cast<int>(crossbar)) return static_cast<int>(i);
  }
  return -1;
}

std::string indexed(const char* name, std::size_t index) {
  return name + std::to_string(index);
}

}  // namespace

StructuralIma::StructuralIma(const sc_core::sc_module_name& name, const StructuralParams& params,
                             const ImaPlan& plan)
    : ImaModule(name),
      input_bytes_(plan.input_bytes),
      results_bytes_(plan.results_bytes()),
      centre_additions_(plan.centre_additions),
      input_register_("input_register", params.ima.input_register.buffers, params.ima.input_register.latency),
      output_register_("output_register", params.ima.output_register.buffers,
                       params.ima.output_register.latency),
      phases_(static_cast<std::size_t>(plan.phases())) {
  for (std::size_t i = 0; i < plan.crossbars.size(); ++i) {
    wordlines_.emplace_back(indexed("wordlines", i).c_str());
    bitlines_.emplace_back(indexed("bitlines", i).c_str());
    held_.emplace_back(indexed("held", i).c_str());
  }
  for (std::size_t i = 0; i < plan.crossbars.size(); ++i) build_crossbar(params, plan, i);
  for (std::size_t i = 0; i < plan.crossbars.size(); ++i) build_sample_hold(params, plan, i);
  build_adcs(params, plan);
  build_shift_add(params, plan);
  build_controller(params, plan);
  SC_HAS_PROCESS(StructuralIma);
  SC_METHOD(store_results);
  sensitive << shift_add_->available_event() << output_register_.released_event();
  dont_initialize();
  SC_METHOD(offer_results);
  sensitive << output_register_.readable_event();
  dont_initialize();
}

void StructuralIma::build_crossbar(const StructuralParams& params, const ImaPlan& plan, std::size_t index) {
  const CrossbarPlan& crossbar = plan.crossbars[index];
  const CrossbarPlan& sensing = crossbar.subtracts_from < 0
                                    ? crossbar
                                    : plan.crossbars[static_cast<std::size_t>(crossbar.subtracts_from)];
  periphery::DacModule::Settings dac;
  for (const Chunk& chunk : plan.format.chunks()) dac.chunk_bits.push_back(chunk.width);
  dac.input_bits = plan.format.bits;
  dac.gate_zero_chunks = plan.gate_zero_chunks;
  std::vector<std::vector<crossbar::CrossbarModule::Column>> columns;
  for (std::size_t p = 0; p < crossbar.phases.size(); ++p) {
    const PhasePlan& phase = crossbar.phases[p];
    dac.rows.push_back(phase.rows);
    columns.emplace_back();
    for (std::size_t c = 0; c < phase.columns.size(); ++c) {
      const auto first = phase.cells.begin() + static_cast<std::ptrdiff_t>(c * phase.rows.size());
      columns.back().push_back({{first, first + static_cast<std::ptrdiff_t>(phase.rows.size())},
                                phase.columns[c].row_first,
                                phase.columns[c].row_count,
                                sensing.phases[p].columns[c].bits > 0});
    }
    // A column of level 0 adds nothing to an ideal sum, but is read.
    if (crossbar.reference_column && phase.converts())
      columns.back().push_back({std::vector<std::uint16_t>(phase.rows.size(), 0), 0, 0, true});
    phases_[p].bitlines.push_back(static_cast<int>(index));
  }
  dacs_.push_back(std::make_unique<periphery::DacModule>(
      indexed("dac", index).c_str(), std::move(dac),
      [this]() -> const std::vector<std::int32_t>& { return input_register_.front(); }));
  crossbars_.push_back(std::make_unique<crossbar::CrossbarModule>(indexed("crossbar", index).c_str(),
                                                                  std::move(columns), params.read_latency));
  dacs_.back()->command(command_);
  dacs_.back()->wordlines(wordlines_[index]);
  crossbars_.back()->wordlines(wordlines_[index]);
  crossbars_.back()->bitlines(bitlines_[index]);
}

void StructuralIma::build_sample_hold(const StructuralParams& params, const ImaPlan& plan,
                                      std::size_t index) {
  const CrossbarPlan& crossbar = plan.crossbars[index];
  if (crossbar.subtracts_from >= 0) return;
  std::vector<std::int64_t> converted;
  for (const PhasePlan& phase : crossbar.phases) {
    converted.push_back(std::count_if(phase.columns.begin(), phase.columns.end(),
                                      [](const Column& column) { return column.bits > 0; }));
  }
  auto module = std::make_unique<periphery::SampleHoldModule>(indexed("sample_hold", index).c_str(),
                                                              std::move(converted), params.sample_hold);
  module->latch(latch_);
  module->bitlines(bitlines_[index]);
  module->held(held_[index]);
  const int partner = subtracted_from(plan, index);
  if (partner >= 0) module->minus(bitlines_[static_cast<std::size_t>(partner)]);
  const int port = static_cast<int>(sample_holds_.size());
  for (std::size_t p = 0; p < crossbar.phases.size(); ++p) phases_[p].held.push_back(port);
  sample_holds_.push_back(std::move(module));
}

void StructuralIma::build_adcs(const StructuralParams& params, const ImaPlan& plan) {
  const auto count = static_cast<std::size_t>(plan.adcs);
  std::vector<std::vector<std::vector<periphery::AdcModule::Job>>> schedules(
      count, std::vector<std::vector<periphery::AdcModule::Job>>(phases_.size()));
  std::vector<std::vector<std::size_t>> wired(count);  ///< crossbars of each ADC, in order of binding
  // Crossbars in slot order: those that share an ADC follow each other.
  std::vector<std::size_t> order(plan.crossbars.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return plan.crossbars[a].slot < plan.crossbars[b].slot;
  });
  for (const std::size_t index : order) {
    const CrossbarPlan& crossbar = plan.crossbars[index];
    if (crossbar.subtracts_from >= 0) continue;
    const bool is_signed = subtracted_from(plan, index) >= 0;
    for (std::size_t p = 0; p < crossbar.phases.size(); ++p) {
      int converted = 0;
      for (std::size_t c = 0; c < crossbar.phases[p].columns.size(); ++c) {
        const Column& column = crossbar.phases[p].columns[c];
        if (column.bits == 0) continue;
        const auto a = static_cast<std::size_t>(adc_of(plan.slots, plan.adcs, crossbar.slot, converted++));
        if (wired[a].empty() || wired[a].back() != index) wired[a].push_back(index);
        schedules[a][p].push_back({static_cast<int>(wired[a].size()) - 1, static_cast<int>(index),
                                   static_cast<int>(c), column.bits, column.truncation, is_signed});
      }
    }
  }
  for (std::size_t a = 0; a < count; ++a) {
    samples_.emplace_back(indexed("sample", a).c_str());
    done_.emplace_back(indexed("done", a).c_str(), std::int64_t{-1});
    for (std::size_t p = 0; p < phases_.size(); ++p) {
      if (!schedules[a][p].empty()) phases_[p].adcs.push_back(static_cast<int>(a));
    }
    adcs_.push_back(
        std::make_unique<periphery::AdcModule>(indexed("adc", a).c_str(), params.adc, schedules[a]));
    for (const std::size_t crossbar : wired[a]) adcs_.back()->held(held_[crossbar]);
    adcs_.back()->sample(samples_.back());
    adcs_.back()->done(done_.back());
  }
}

void StructuralIma::build_shift_add(const StructuralParams& params, const ImaPlan& plan) {
  periphery::ShiftAddModule::Settings settings;
  for (const CrossbarPlan& crossbar : plan.crossbars) {
    settings.weights.emplace_back();
    for (const PhasePlan& phase : crossbar.phases) {
      settings.weights.back().emplace_back();
      for (const Column& column : phase.columns) {
        settings.weights.back().back().push_back(
            {column.result, column.shift, column.sign, column.flip, column.bits == 0});
      }
    }
  }
  for (const Chunk& chunk : plan.format.chunks()) {
    settings.chunk_shift.push_back(chunk.shift);
    settings.chunk_sign.push_back(chunk.sign);
  }
  settings.results = plan.results;
  settings.clock = base::period(params.ima.clock);
  settings.latency = params.ima.shift_add.latency;
  for (std::size_t i = 0; i < plan.crossbars.size(); ++i) {
    if (plan.crossbars[i].subtracts_from < 0) settings.held_crossbar.push_back(static_cast<int>(i));
  }
  const std::vector<int> held_crossbars = settings.held_crossbar;
  shift_add_ = std::make_unique<periphery::ShiftAddModule>("shift_add", std::move(settings));
  for (auto& sample : samples_) shift_add_->samples(sample);
  for (const int crossbar : held_crossbars) shift_add_->held(held_[static_cast<std::size_t>(crossbar)]);
}

void StructuralIma::build_controller(const StructuralParams& params, const ImaPlan& plan) {
  const ReadController::Parts parts{&input_register_, &output_register_, shift_add_.get(), &client};
  controller_ = std::make_unique<ReadController>("controller", base::period(params.ima.clock),
                                                 plan.format.chunk_count(),
                                                 params.ima.output_register.buffers, phases_, parts);
  controller_->command(command_);
  controller_->latch(latch_);
  for (auto& bitlines : bitlines_) controller_->bitlines(bitlines);
  for (std::size_t i = 0; i < plan.crossbars.size(); ++i) {
    if (plan.crossbars[i].subtracts_from < 0) controller_->held(held_[i]);
  }
  for (auto& done : done_) controller_->done(done);
}

void StructuralIma::load(std::span<const std::int32_t> x) {
  input_register_.write({x.begin(), x.end()});
  own_actions_[base::Action::input_register_write] += input_bytes_;
  own_actions_[base::Action::shift_add] += centre_additions_;
}

void StructuralIma::drained() {
  output_register_.release();
  own_actions_[base::Action::output_register_read] += results_bytes_;
}

void StructuralIma::store_results() {
  while (shift_add_->available() && output_register_.has_place()) {
    output_register_.write(shift_add_->take());
    own_actions_[base::Action::output_register_write] += results_bytes_;
  }
}

void StructuralIma::offer_results() {
  client->results_ready(output_register_.newest());
}

base::ActionCounts StructuralIma::actions() const {
  base::ActionCounts sum = own_actions_;
  for (const auto& dac : dacs_) sum += dac->actions();
  for (const auto& crossbar : crossbars_) sum += crossbar->actions();
  for (const auto& sample_hold : sample_holds_) sum += sample_hold->actions();
  for (const auto& adc : adcs_) sum += adc->actions();
  sum += shift_add_->actions();
  return sum;
}

void StructuralIma::trace(sc_core::sc_trace_file* file) const {
  const std::string prefix = name();
  sc_trace(file, command_.read(), prefix + ".command");
  sc_core::sc_trace(file, latch_, prefix + ".latch");
  for (const auto& bitline : bitlines_) sc_trace(file, bitline.read(), bitline.name());
  for (const auto& sample : samples_) sc_trace(file, sample.read(), sample.name());
}

}  // namespace bitline::ima
