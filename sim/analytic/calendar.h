// SPDX-License-Identifier: Apache-2.0
// How much of a contended part is still free when: time in slots, of which each window takes what it needs
// from its own time on. The order in which windows are entered need not be that of their times.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/analytic/parts.h"

namespace bitline::analytic {

class Calendar {
 public:
  explicit Calendar(Instant slot) : slot_(slot) {}

  /// Takes `amount` from `at` on. Returns how much later than `at + amount` the last of it is served.
  Instant take(Instant at, Instant amount) {
    const auto s = static_cast<std::size_t>(at / slot_);
    const bool has_room = s < used_.size() && next_[s] == s && amount <= slot_ - used_[s];
    if (!has_room || static_cast<Instant>(s) * slot_ > at) return take_from(s, at, amount);
    used_[s] += amount;
    return 0;
  }

 private:
  Instant take_from(std::size_t s, Instant at, Instant amount);
  /// The first slot from `s` on that is not full.
  std::size_t open_slot(std::size_t s);

  Instant slot_;
  std::vector<Instant> used_;
  std::vector<std::size_t> next_;  ///< of a full slot: where to look on; else itself
};

}  // namespace bitline::analytic
