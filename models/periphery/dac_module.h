// SPDX-License-Identifier: Apache-2.0
// The row drivers of one crossbar as a module: shift registers, loaded from the input register when a phase
// starts, that drive dac.bits of every row per read.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "models/base/actions.h"
#include "models/periphery/levels.h"

namespace bitline::periphery {

class DacModule final : public sc_core::sc_module {
 public:
  sc_core::sc_in<ReadStep> command{"command"};
  sc_core::sc_out<Levels> wordlines{"wordlines"};

  struct Settings {
    std::vector<std::vector<int>> rows;  ///< [phase] index of each driven row in the input vector
    std::vector<int> chunk_bits;         ///< bits driven in each read of a phase
    int input_bits = 8;
    bool gate_zero_chunks = false;
  };
  /// `input` gives the vector in use.
  DacModule(const sc_core::sc_module_name& name, Settings settings,
            std::function<const std::vector<std::int32_t>&()> input)
      : sc_core::sc_module(name), settings_(std::move(settings)), input_(std::move(input)) {
    SC_HAS_PROCESS(DacModule);
    SC_METHOD(drive);
    sensitive << command;
    dont_initialize();
  }
  [[nodiscard]] const base::ActionCounts& actions() const { return actions_; }

 private:
  void drive() {
    const ReadStep& step = command.read();
    if (static_cast<std::size_t>(step.phase) >= settings_.rows.size()) return;
    if (step.chunk == 0) load(settings_.rows[static_cast<std::size_t>(step.phase)]);
    Levels levels{step, false, {}, {}};
    const int bits = settings_.chunk_bits[static_cast<std::size_t>(step.chunk)];
    for (std::uint32_t& shifter : shifters_) {
      levels.values.push_back(static_cast<std::int64_t>(shifter & ((1u << bits) - 1u)));
      shifter >>= bits;
    }
    const auto driven =
        std::count_if(levels.values.begin(), levels.values.end(), [](auto v) { return v != 0; });
    levels.gated = settings_.gate_zero_chunks && driven == 0;
    actions_[base::Action::dac_drive] += driven;
    wordlines.write(levels);
  }

  void load(const std::vector<int>& rows) {
    const std::uint32_t mask = settings_.input_bits >= 32 ? 0xffffffffu : (1u << settings_.input_bits) - 1u;
    shifters_.clear();
    for (const int row : rows) {
      shifters_.push_back(static_cast<std::uint32_t>(input_()[static_cast<std::size_t>(row)]) & mask);
    }
    actions_[base::Action::input_register_read] +=
        (static_cast<std::int64_t>(rows.size()) * settings_.input_bits + 7) / 8;
  }

  Settings settings_;
  std::function<const std::vector<std::int32_t>&()> input_;
  std::vector<std::uint32_t> shifters_;
  base::ActionCounts actions_;
};

}  // namespace bitline::periphery
