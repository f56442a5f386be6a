// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>

#include "tools/bitline/cli.h"

namespace bitline::cli {

/// A line on the terminal that says how far a run is; nothing where `err` is not a terminal or `quiet`.
class ProgressBar {
 public:
  ProgressBar(const Streams& streams, bool quiet) : streams_(streams), shown_(streams.terminal && !quiet) {}
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;
  ~ProgressBar() { clear(); }

  void update(const char* phase, std::int64_t done, std::int64_t total);
  /// Removes the line, so that what follows starts clean.
  void clear();

 private:
  const Streams& streams_;
  bool shown_;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point last_{};
};

}  // namespace bitline::cli
