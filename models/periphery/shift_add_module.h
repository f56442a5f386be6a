// SPDX-License-Identifier: Apache-2.0
// The shift-and-add units of an IMA as a module: every sample goes into the accumulator of its result as it
// comes; finish() closes the MVM, whose sums leave `latency` after the next clock edge.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

#include "models/base/actions.h"
#include "models/base/errors.h"
#include "models/periphery/levels.h"

namespace bitline::periphery {

class ShiftAddModule final : public sc_core::sc_module {
 public:
  sc_core::sc_port<sc_core::sc_signal_in_if<Sample>, 0, sc_core::SC_ZERO_OR_MORE_BOUND> samples{"samples"};
  /// Of the sample-and-holds, for what needs no conversion: a flipped column whose stored cells are all zero.
  sc_core::sc_port<sc_core::sc_signal_in_if<Levels>, 0, sc_core::SC_ZERO_OR_MORE_BOUND> held{"held"};

  /// What becomes of a column's sample d: result += sign * 2^(shift + chunk shift) * (flip ? flip*inputs - d
  /// : d).
  struct Weight {
    int result = 0;
    int shift = 0;
    int sign = 1;
    std::int64_t flip = 0;
    bool unconverted = false;
  };
  struct Settings {
    std::vector<std::vector<std::vector<Weight>>> weights;  ///< [crossbar][phase][column]
    std::vector<int> held_crossbar;                         ///< crossbar of each port of `held`
    std::vector<int> chunk_shift;
    std::vector<int> chunk_sign;
    int results = 0;
    base::Time clock;
    base::Time latency;
  };
  ShiftAddModule(const sc_core::sc_module_name& name, Settings settings)
      : sc_core::sc_module(name),
        settings_(std::move(settings)),
        accumulators_(static_cast<std::size_t>(settings_.results), 0) {
    SC_HAS_PROCESS(ShiftAddModule);
    SC_METHOD(take_samples);
    sensitive << samples;
    dont_initialize();
    SC_METHOD(take_unconverted);
    sensitive << held << unwired_;
    dont_initialize();
    SC_METHOD(close);
    sensitive << finish_;
    dont_initialize();
    SC_METHOD(emit);
    sensitive << latency_passed_;
    dont_initialize();
  }

  /// The last conversion of an MVM is done at the current time (its sample may still be on its way in this
  /// instant).
  void finish() { finish_.notify(sc_core::SC_ZERO_TIME); }
  /// A finished vector is at the output.
  [[nodiscard]] bool available() const { return emitted_ > 0; }
  [[nodiscard]] const sc_core::sc_event& available_event() const { return available_event_; }
  std::vector<std::int64_t> take() {
    BITLINE_CHECK(emitted_ > 0);
    --emitted_;
    std::vector<std::int64_t> vector = std::move(pipeline_.front());
    pipeline_.pop_front();
    return vector;
  }
  [[nodiscard]] const base::ActionCounts& actions() const { return actions_; }

 private:
  void take_samples() {
    for (int port = 0; port < samples.size(); ++port) {
      if (samples[port]->event()) add(samples[port]->read());
    }
  }

  void add(const Sample& sample) {
    if (sample.gated) return;
    const Weight& weight =
        settings_.weights[static_cast<std::size_t>(sample.crossbar)][static_cast<std::size_t>(
            sample.step.phase)][static_cast<std::size_t>(sample.column)];
    const auto chunk = static_cast<std::size_t>(sample.step.chunk);
    accumulate(weight, chunk, weight.flip != 0 ? weight.flip * sample.inputs - sample.value : sample.value);
    ++actions_[base::Action::shift_add];
  }

  void accumulate(const Weight& weight, std::size_t chunk, std::int64_t value) {
    const std::int64_t shifted = value * (std::int64_t{1} << (weight.shift + settings_.chunk_shift[chunk]));
    accumulators_[static_cast<std::size_t>(weight.result)] +=
        weight.sign * settings_.chunk_sign[chunk] * shifted;
  }

  void take_unconverted() {
    for (int port = 0; port < held.size(); ++port) {
      if (!held[port]->event()) continue;
      const Levels& levels = held[port]->read();
      const auto crossbar = static_cast<std::size_t>(settings_.held_crossbar[static_cast<std::size_t>(port)]);
      const auto& columns = settings_.weights[crossbar][static_cast<std::size_t>(levels.step.phase)];
      for (std::size_t c = 0; c < columns.size(); ++c) {
        if (!columns[c].unconverted) continue;
        accumulate(columns[c], static_cast<std::size_t>(levels.step.chunk),
                   columns[c].flip * levels.inputs[c]);
      }
    }
  }

  void close() {
    pipeline_.push_back(std::exchange(accumulators_, std::vector<std::int64_t>(accumulators_.size(), 0)));
    const base::Time now = base::now();
    latency_passed_.notify(base::to_sc(base::align_up(now, settings_.clock) + settings_.latency - now));
  }

  void emit() {
    ++emitted_;
    available_event_.notify(sc_core::SC_ZERO_TIME);
  }

  Settings settings_;
  std::vector<std::int64_t> accumulators_;
  std::deque<std::vector<std::int64_t>> pipeline_;
  std::int64_t emitted_ = 0;
  base::ActionCounts actions_;
  sc_core::sc_event finish_;
  sc_core::sc_event_queue latency_passed_{"latency_passed"};
  sc_core::sc_event available_event_;
  sc_core::sc_event unwired_;  ///< never notified
};

}  // namespace bitline::periphery
