// SPDX-License-Identifier: Apache-2.0
// The only place that includes SystemC (target bitline_systemc). Debian's library is built as C++17 while we
// compile as C++20, so that target defines SC_CPLUSPLUS=201703L for the library's ABI check.
#pragma once

#define SC_INCLUDE_DYNAMIC_PROCESSES
#include <systemc>

#include "models/base/units.h"

namespace bitline::base {

/// Simulated durations are whole femtoseconds, the kernel's resolution (set by the runner before
/// elaboration).
[[nodiscard]] inline sc_core::sc_time to_sc(Time t) {
  return sc_core::sc_time::from_value(static_cast<sc_core::sc_time::value_type>(t.fs()));
}
[[nodiscard]] inline Time from_sc(const sc_core::sc_time& t) {
  return Time::from_fs(static_cast<std::int64_t>(t.value()));
}
[[nodiscard]] inline Time now() {
  return from_sc(sc_core::sc_time_stamp());
}

}  // namespace bitline::base
