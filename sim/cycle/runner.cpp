// SPDX-License-Identifier: Apache-2.0
#include "sim/cycle/runner.h"

#include <cstdlib>
#include <optional>
#include <string>

#include "models/base/errors.h"
#include "sim/cycle/chip.h"

namespace bitline::cycle {

namespace {

/// Takes this process's only SystemC kernel.
void take_kernel() {
  static bool taken = false;
  if (taken) {
    throw base::SimulationError({"cycle simulation", "a second simulation in one process",
                                 "one: SystemC has one global kernel per process",
                                 "run each simulation in a process of its own"});
  }
  taken = true;
  setenv("SYSTEMC_DISABLE_COPYRIGHT_MESSAGE", "1", 1);
  sc_core::sc_set_time_resolution(1, sc_core::SC_FS);
  // Standard output belongs to the caller: the kernel does not announce that it stops.
  sc_core::sc_report_handler::set_actions("/OSCI/SystemC", sc_core::SC_DO_NOTHING);
  sc_core::sc_report_handler::set_actions(sc_core::SC_INFO, sc_core::SC_DO_NOTHING);
}

void check_arguments(const place::Program& program, const std::vector<LayerSource>& layers,
                     const CycleOptions& options) {
  BITLINE_CHECK(layers.size() == program.layers.size());
  if (options.images < 1) {
    throw base::UsageError({"batch", std::to_string(options.images) + " images", "at least 1", ""});
  }
}

/// A VCD file that is closed, and so complete, whatever happens.
class Waveform {
 public:
  explicit Waveform(const std::string& name) : file_(sc_core::sc_create_vcd_trace_file(name.c_str())) {
    file_->set_time_unit(1, sc_core::SC_FS);
  }
  Waveform(const Waveform&) = delete;
  Waveform& operator=(const Waveform&) = delete;
  ~Waveform() { sc_core::sc_close_vcd_trace_file(file_); }
  [[nodiscard]] sc_core::sc_trace_file* file() const { return file_; }

 private:
  sc_core::sc_trace_file* file_;
};

}  // namespace

CycleResult simulate_cycles(const place::Program& program, const arch::Arch& arch,
                            const std::vector<LayerSource>& layers, const CycleOptions& options) {
  check_arguments(program, layers, options);
  take_kernel();
  // Never destroyed: a module must not go before the kernel, and the process runs no second one.
  static Chip* chip = nullptr;
  chip = new Chip("chip", program, arch, layers, options);
  std::optional<Waveform> waveform;
  if (!options.waveform.empty()) chip->trace(waveform.emplace(options.waveform).file());
  try {
    sc_core::sc_start();
  } catch (const sc_core::sc_report& report) {
    if (!chip->error()) throw std::logic_error(std::string("SystemC: ") + report.what());
  }
  waveform.reset();
  chip->finish_trace();
  if (chip->error()) std::rethrow_exception(chip->error());
  if (chip->timed_out()) {
    throw base::TimeoutError(
        {"cycle simulation",
         "wall-clock limit reached at " + std::to_string(base::now().seconds()) + " s of simulated time", "",
         "raise the time limit, or simulate fewer images"});
  }
  if (!chip->complete()) throw base::SimulationError(chip->blocked());
  return chip->result();
}

}  // namespace bitline::cycle
