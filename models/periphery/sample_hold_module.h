// SPDX-License-Identifier: Apache-2.0
// The sample-and-holds of one crossbar as a module: on `latch` they take the bitlines (less those of a
// partner crossbar, where analog subtraction is wired) and offer them to the ADCs `latency` later.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "models/base/actions.h"
#include "models/base/errors.h"
#include "models/periphery/levels.h"

namespace bitline::periphery {

class SampleHoldModule final : public sc_core::sc_module {
 public:
  sc_core::sc_in<std::int64_t> latch{"latch"};  ///< running number of the read to take
  sc_core::sc_in<Levels> bitlines{"bitlines"};
  sc_core::sc_port<sc_core::sc_signal_in_if<Levels>, 1, sc_core::SC_ZERO_OR_MORE_BOUND> minus{"minus"};
  sc_core::sc_out<Levels> held{"held"};

  /// `converted`: [phase] columns that an ADC converts.
  SampleHoldModule(const sc_core::sc_module_name& name, std::vector<std::int64_t> converted,
                   base::Time latency)
      : sc_core::sc_module(name), converted_(std::move(converted)), latency_(latency) {
    SC_HAS_PROCESS(SampleHoldModule);
    SC_METHOD(sample);
    sensitive << latch;
    dont_initialize();
    SC_METHOD(offer);
    sensitive << valid_;
    dont_initialize();
  }
  [[nodiscard]] const base::ActionCounts& actions() const { return actions_; }

 private:
  void sample() {
    if (bitlines->read().step.read != latch.read()) return;  // this crossbar has no such phase
    sampled_ = bitlines->read();
    if (minus.size() > 0) {
      const Levels& other = minus->read();
      BITLINE_CHECK(other.step == sampled_.step && other.values.size() == sampled_.values.size());
      for (std::size_t i = 0; i < other.values.size(); ++i) sampled_.values[i] -= other.values[i];
    }
    if (!sampled_.gated) {
      actions_[base::Action::sample_hold] += converted_.at(static_cast<std::size_t>(sampled_.step.phase));
    }
    valid_.notify(base::to_sc(latency_));
  }

  void offer() { held.write(sampled_); }

  std::vector<std::int64_t> converted_;
  base::Time latency_;
  Levels sampled_;
  base::ActionCounts actions_;
  sc_core::sc_event valid_;
};

}  // namespace bitline::periphery
