// SPDX-License-Identifier: Apache-2.0
// One ADC as a module: when the samples of a read are offered it converts its columns one after another,
// self-timed, then reports the read as done.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "models/base/actions.h"
#include "models/periphery/adc.h"
#include "models/periphery/levels.h"

namespace bitline::periphery {

class AdcModule final : public sc_core::sc_module {
 public:
  sc_core::sc_port<sc_core::sc_signal_in_if<Levels>, 0, sc_core::SC_ZERO_OR_MORE_BOUND> held{"held"};
  sc_core::sc_out<Sample> sample{"sample"};
  sc_core::sc_out<std::int64_t> done{"done"};  ///< running number of the last read that is converted

  /// A conversion of the schedule.
  struct Job {
    int port = 0;      ///< of `held`, in order of binding
    int crossbar = 0;  ///< passed on with the sample
    int column = 0;
    int bits = 0;
    int truncation = 0;
    bool is_signed = false;
  };
  /// `schedule`: [phase] conversions in order.
  AdcModule(const sc_core::sc_module_name& name, const AdcParams& params,
            std::vector<std::vector<Job>> schedule)
      : sc_core::sc_module(name), params_(params), schedule_(std::move(schedule)) {
    SC_HAS_PROCESS(AdcModule);
    SC_METHOD(begin);
    sensitive << held << unwired_;
    dont_initialize();
    SC_METHOD(finish_conversion);
    sensitive << converted_;
    dont_initialize();
  }
  [[nodiscard]] const base::ActionCounts& actions() const { return actions_; }

 private:
  void begin() {
    for (int port = 0; port < held.size(); ++port) {
      if (held[port]->event()) step_ = held[port]->read().step;
    }
    next_ = 0;
    convert_next();
  }

  [[nodiscard]] const std::vector<Job>& jobs() const {
    return schedule_[static_cast<std::size_t>(step_.phase)];
  }

  void convert_next() {
    if (next_ < jobs().size()) converted_.notify(base::to_sc(conversion_time(params_, jobs()[next_].bits)));
  }

  void finish_conversion() {
    const Job& job = jobs()[next_++];
    const Levels& levels = held[job.port]->read();
    const auto column = static_cast<std::size_t>(job.column);
    Sample result{step_, job.crossbar, job.column, levels.gated, 0, levels.inputs[column]};
    if (levels.gated) {
      ++actions_.gated;
    } else {
      const Converted code = convert(job, levels.values[column]);
      result.value = code.value;
      actions_.clipped += code.clipped ? 1 : 0;
      ++actions_.conversions[static_cast<std::size_t>(job.bits)];
    }
    sample.write(result);
    if (next_ == jobs().size()) done.write(step_.read);
    convert_next();
  }

  [[nodiscard]] Converted convert(const Job& job, std::int64_t level) const {
    const bool clip = params_.conversion == AdcConversion::clip;
    if (job.is_signed && clip) return convert_signed_clip(level, job.bits);
    if (clip) return convert_clip(level, job.bits);
    if (!job.is_signed) return convert_truncate(level, job.bits, job.truncation);
    // One bit is the sign; magnitudes are rounded alike on both sides.
    const Converted magnitude = convert_truncate(level < 0 ? -level : level, job.bits - 1, job.truncation);
    return {level < 0 ? -magnitude.value : magnitude.value, magnitude.clipped};
  }

  AdcParams params_;
  std::vector<std::vector<Job>> schedule_;
  ReadStep step_;
  std::size_t next_ = 0;
  base::ActionCounts actions_;
  sc_core::sc_event converted_;
  sc_core::sc_event unwired_;  ///< never notified: an ADC without columns waits for it
};

}  // namespace bitline::periphery
