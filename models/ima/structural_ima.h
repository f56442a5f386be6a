// SPDX-License-Identifier: Apache-2.0
// The IMA part by part: every DAC array, crossbar, sample-and-hold bank, ADC, the shift-adds and both
// registers are live modules that pass real values, each read and each conversion. For truth and waveforms.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "models/crossbar/crossbar_module.h"
#include "models/ima/ima_module.h"
#include "models/ima/ima_params.h"
#include "models/ima/ima_plan.h"
#include "models/ima/read_controller.h"
#include "models/memory/register_module.h"
#include "models/periphery/adc_module.h"
#include "models/periphery/dac_module.h"
#include "models/periphery/sample_hold_module.h"
#include "models/periphery/shift_add_module.h"

namespace bitline::ima {

/// What the parts need beside the plan.
struct StructuralParams {
  ImaParams ima;
  periphery::AdcParams adc;
  base::Time read_latency;
  base::Time sample_hold;
};

class StructuralIma final : public ImaModule {
 public:
  /// `plan` has cells; it is not kept.
  StructuralIma(const sc_core::sc_module_name& name, const StructuralParams& params, const ImaPlan& plan);

  void load(std::span<const std::int32_t> x) override;
  void drained() override;
  [[nodiscard]] base::ActionCounts actions() const override;
  [[nodiscard]] base::Time read_time() const override { return controller_->read_time(); }
  /// Adds the read commands, latches, bitlines and samples to a waveform file.
  void trace(sc_core::sc_trace_file* file) const override;

 private:
  using LevelsSignal = sc_core::sc_signal<periphery::Levels>;

  void build_crossbar(const StructuralParams& params, const ImaPlan& plan, std::size_t index);
  void build_sample_hold(const StructuralParams& params, const ImaPlan& plan, std::size_t index);
  void build_adcs(const StructuralParams& params, const ImaPlan& plan);
  void build_shift_add(const StructuralParams& params, const ImaPlan& plan);
  void build_controller(const StructuralParams& params, const ImaPlan& plan);
  void store_results();  ///< process: from the shift-adds into the output register
  void offer_results();  ///< process: the newest vector of the output register can be read

  std::int64_t input_bytes_;
  std::int64_t results_bytes_;
  std::int64_t centre_additions_;
  base::ActionCounts own_actions_;  ///< of the registers, and of the centres' arithmetic
  sc_core::sc_signal<periphery::ReadStep> command_{"command"};
  sc_core::sc_signal<std::int64_t> latch_{"latch", -1};
  std::deque<LevelsSignal> wordlines_;                         ///< [crossbar]
  std::deque<LevelsSignal> bitlines_;                          ///< [crossbar]
  std::deque<LevelsSignal> held_;                              ///< [crossbar]; unused for a subtracted array
  std::deque<sc_core::sc_signal<periphery::Sample>> samples_;  ///< [adc]
  std::deque<sc_core::sc_signal<std::int64_t>> done_;          ///< [adc]
  memory::RegisterModule<std::int32_t> input_register_;
  memory::RegisterModule<std::int64_t> output_register_;
  std::vector<std::unique_ptr<periphery::DacModule>> dacs_;
  std::vector<std::unique_ptr<crossbar::CrossbarModule>> crossbars_;
  std::vector<std::unique_ptr<periphery::SampleHoldModule>> sample_holds_;
  std::vector<std::unique_ptr<periphery::AdcModule>> adcs_;
  std::unique_ptr<periphery::ShiftAddModule> shift_add_;
  std::unique_ptr<ReadController> controller_;
  std::vector<ReadController::PhaseParts> phases_;
};

}  // namespace bitline::ima
