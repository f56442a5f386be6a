// SPDX-License-Identifier: Apache-2.0
// A contended part: serves one request after another, in order, each from an edge of its clock on.
#pragma once

#include <algorithm>
#include <cstdint>

#include "models/base/units.h"

namespace bitline::base {

class Resource {
 public:
  Resource() = default;
  /// `period` zero: self-timed.
  explicit Resource(Time period) : period_(period) {}

  /// When the service of a request made at `request` would start.
  [[nodiscard]] Time earliest(Time request) const { return align_up(std::max(request, free_), period_); }
  /// Takes the resource for `duration` at the earliest time; returns the start.
  Time reserve(Time request, Time duration) { return reserve(request, duration, request); }
  /// The same for a request that was made at `made`, before `request`.
  Time reserve(Time request, Time duration, Time made) {
    const Time start = earliest(request);
    free_ = start + duration;
    const Time waited = start - align_up(made, period_);
    waited_ += waited;
    waits_ += waited > Time() ? 1 : 0;
    busy_ += duration;
    ++uses_;
    return start;
  }
  [[nodiscard]] Time free() const { return free_; }
  [[nodiscard]] Time busy() const { return busy_; }
  [[nodiscard]] std::int64_t uses() const { return uses_; }
  /// From the clock edge at which a request could have been served to its start: summed, and how many waited.
  [[nodiscard]] Time waited() const { return waited_; }
  [[nodiscard]] std::int64_t waits() const { return waits_; }

 private:
  Time period_;
  Time free_;
  Time busy_;
  std::int64_t uses_ = 0;
  Time waited_;
  std::int64_t waits_ = 0;
};

}  // namespace bitline::base
