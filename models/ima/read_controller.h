// SPDX-License-Identifier: Apache-2.0
// The sequencer of a structural IMA: starts reads and latches sample-and-holds on its clock edges. It knows
// no latency; it waits for what the parts signal.
#pragma once

#include <cstdint>
#include <vector>

#include "models/base/systemc.h"
#include "models/memory/register_module.h"
#include "models/periphery/levels.h"
#include "models/periphery/shift_add_module.h"

namespace bitline::ima {

class ReadController final : public sc_core::sc_module {
 public:
  using LevelsIn =
      sc_core::sc_port<sc_core::sc_signal_in_if<periphery::Levels>, 0, sc_core::SC_ZERO_OR_MORE_BOUND>;
  using DoneIn = sc_core::sc_port<sc_core::sc_signal_in_if<std::int64_t>, 0, sc_core::SC_ZERO_OR_MORE_BOUND>;

  sc_core::sc_out<periphery::ReadStep> command{"command"};
  sc_core::sc_out<std::int64_t> latch{"latch"};
  LevelsIn bitlines{"bitlines"};  ///< of every crossbar
  LevelsIn held{"held"};          ///< of every crossbar with sample-and-holds
  DoneIn done{"done"};            ///< of every ADC

  /// Which of the ports take part in a phase.
  struct PhaseParts {
    std::vector<int> bitlines;
    std::vector<int> held;
    std::vector<int> adcs;
  };
  struct Parts {
    memory::RegisterModule<std::int32_t>* input = nullptr;
    memory::RegisterModule<std::int64_t>* output = nullptr;
    periphery::ShiftAddModule* shift_add = nullptr;
    sc_core::sc_port<class ImaClient>* client = nullptr;
  };
  ReadController(const sc_core::sc_module_name& name, base::Time clock, int chunks, int output_buffers,
                 std::vector<PhaseParts> phases, const Parts& parts);

  [[nodiscard]] base::Time read_time() const { return read_time_; }

 private:
  void step();  ///< process: acts on whatever has changed
  void begin_read();
  void latch_read();
  [[nodiscard]] bool may_latch() const;
  [[nodiscard]] bool settled() const;
  [[nodiscard]] bool converted(std::int64_t read) const;
  [[nodiscard]] bool on_edge();  ///< else wakes up at the next
  [[nodiscard]] std::int64_t reads_per_mvm() const {
    return static_cast<std::int64_t>(phases_.size()) * chunks_;
  }
  [[nodiscard]] std::size_t phase_of(std::int64_t read) const;

  base::Time clock_;
  std::int64_t chunks_;
  std::int64_t output_buffers_;
  std::vector<PhaseParts> phases_;
  Parts parts_;
  bool reading_ = false;
  std::int64_t read_ = 0;      ///< under way, or the next; numbered through all MVMs
  std::int64_t finished_ = 0;  ///< MVMs whose conversions are all done
  base::Time read_start_;
  base::Time read_time_;
  sc_core::sc_event wake_;
};

}  // namespace bitline::ima
