// SPDX-License-Identifier: Apache-2.0
// What every part of the chip did, as a file for Perfetto (protobuf TrackEvents). Perfetto knows nanoseconds
// only; a converter's sample is shorter, so a nanosecond of the trace is a picosecond of the chip.
#pragma once

#include <cstdint>
#include <fstream>
#include <string>
#include <string_view>

#include "models/base/units.h"

namespace bitline::cycle {

struct TraceOptions {
  std::string file;  ///< replaced
  /// Only what overlaps this is written.
  base::Time from;
  base::Time to = base::Time::from_fs(INT64_MAX);
};

class ActivityTrace {
 public:
  using Track = std::uint64_t;
  static constexpr Track kRoot = 1;

  /// Throws base::UsageError if the file cannot be written.
  explicit ActivityTrace(const TraceOptions& options);

  /// A new track below another.
  [[nodiscard]] Track add_track(std::string_view name, Track parent = kRoot);
  [[nodiscard]] bool wants(base::Time start, base::Time end) const {
    return end > options_.from && start < options_.to;
  }
  /// Slices of a track do not overlap and come in the order of time.
  void add_slice(Track track, std::string_view name, base::Time start, base::Time end);
  /// Writes what is left. Throws base::UsageError if the disk is full.
  void finish();

 private:
  void add_packet(const std::string& packet);
  void add_event(Track track, std::string_view name, base::Time time, bool begin);
  void flush();

  TraceOptions options_;
  std::ofstream file_;
  std::string buffer_;
  std::string packet_;
  std::string message_;
  Track last_track_ = kRoot;
};

}  // namespace bitline::cycle
