// SPDX-License-Identifier: Apache-2.0
// The chip's activity as tracks: a tile with its parts, IMAs and converters; a router with its ports; the
// link.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "mapper/place/program.h"
#include "models/base/service.h"
#include "models/ima/ima_timing.h"
#include "sim/cycle/activity_trace.h"

namespace bitline::cycle {

class ChipTrace {
 public:
  ChipTrace(const TraceOptions& options, const place::Program& program);

  /// A part (of a tile, or the link) was at work for `token`.
  void served(const sc_core::sc_object& part, const base::Token& token, base::Time start, base::Time end);
  /// Flits of a packet left a router by `port`.
  void passed(const base::Token& token, int router, int port, base::Time start, base::Time end);
  /// An MVM of IMA `ima` of a tile: its reads and its conversions.
  void mvm(const sc_core::sc_object& tile, int ima, int stage, std::int64_t window,
           const ima::MvmTimes& times);
  void finish() { trace_.finish(); }

 private:
  using Track = ActivityTrace::Track;
  Track track_of(const sc_core::sc_object& part);
  Track named(const std::string& name, Track parent);
  [[nodiscard]] std::string label(const char* what, int stage, std::int64_t window) const;
  void add(Track track, const char* what, int stage, std::int64_t window, base::Time start, base::Time end);

  const place::Program& program_;
  ActivityTrace trace_;
  std::map<const sc_core::sc_object*, Track> parts_;
  std::map<std::pair<Track, std::string>, Track> named_;
};

}  // namespace bitline::cycle
