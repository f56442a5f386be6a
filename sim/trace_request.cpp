// SPDX-License-Identifier: Apache-2.0
#include "sim/trace_request.h"

#include <fstream>
#include <string>
#include <string_view>

#include "models/base/quantity.h"

namespace bitline::sim {
namespace {

constexpr std::string_view kActivities = ".pftrace";
constexpr std::string_view kWaveforms = ".vcd";

/// The two times of "10us:20us". Throws base::ValueError.
void read_window(const std::string& text, cycle::TraceOptions& options) {
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos) throw base::ValueError("'" + text + "' is not two times", "<from>:<to>");
  options.from = base::parse_time(text.substr(0, colon));
  options.to = base::parse_time(text.substr(colon + 1));
  if (options.from < base::Time() || options.to <= options.from)
    throw base::ValueError("'" + text + "' is empty", "a second time that is later than the first");
}

}  // namespace

void check_trace(const SimulationRequest& request, std::vector<base::Problem>& problems) {
  const std::string_view file = request.trace;
  const bool activities = file.ends_with(kActivities);
  const bool waveforms = file.ends_with(kWaveforms);
  const std::string where = "--trace " + request.trace;
  if (!file.empty() && !activities && !waveforms)
    problems.push_back({where, "a name that ends otherwise", "<name>.pftrace or <name>.vcd", ""});
  if (activities && request.mode != Mode::cycle)
    problems.push_back({where, "activities with --mode structural", "--mode cycle", "or give a .vcd file"});
  if (waveforms && request.mode != Mode::structural)
    problems.push_back(
        {where, "waveforms with --mode cycle", "--mode structural", "or give a .pftrace file"});
  if (request.trace_window.empty()) return;
  if (!activities)
    problems.push_back(
        {"--trace-window", "given without a trace of activities", "", "give --trace <name>.pftrace"});
  try {
    cycle::TraceOptions unused;
    read_window(request.trace_window, unused);
  } catch (const base::ValueError& error) {
    problems.push_back({"--trace-window", error.what(), error.allowed(), "such as 10us:20us"});
  }
}

void set_trace(const SimulationRequest& request, cycle::CycleOptions& options) {
  if (request.trace.empty()) return;
  if (!std::ofstream(request.trace, std::ios::binary | std::ios::trunc))
    throw base::UsageError({"--trace " + request.trace, "cannot be written", "", "choose another place"});
  if (request.mode == Mode::structural) {
    options.waveform = request.trace.substr(0, request.trace.size() - kWaveforms.size());
    return;
  }
  options.trace.emplace();
  options.trace->file = request.trace;
  if (!request.trace_window.empty()) read_window(request.trace_window, *options.trace);
}

}  // namespace bitline::sim
