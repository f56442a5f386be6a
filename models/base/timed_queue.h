// SPDX-License-Identifier: Apache-2.0
// Things that fall due at given times, and the event that tells so. One event serves all: idle time costs
// nothing.
#pragma once

#include <algorithm>
#include <functional>
#include <queue>
#include <utility>
#include <vector>

#include "models/base/systemc.h"

namespace bitline::base {

template <class Entry>
class TimedQueue {
 public:
  /// Entries fall due `delay` after their time. Those of one time fall due in the order of Entry.
  explicit TimedQueue(Time delay = {}) : delay_(delay) {}

  void push(Time at, Entry entry) {
    const bool first = entries_.empty() || at < entries_.top().first;
    entries_.push({at, std::move(entry)});
    if (first) arm();
  }
  /// The next entry (with its time) that is due at the current time. Call arm() when there is none left.
  [[nodiscard]] bool pop(Time& at, Entry& entry) {
    if (entries_.empty() || entries_.top().first + delay_ > now()) return false;
    at = entries_.top().first;
    entry = entries_.top().second;
    entries_.pop();
    return true;
  }
  void arm() {
    if (entries_.empty()) return;
    const Time wait = entries_.top().first + delay_ - now();
    event_.notify(to_sc(std::max(wait, Time())));
  }
  [[nodiscard]] const sc_core::sc_event& event() const { return event_; }

 private:
  using Item = std::pair<Time, Entry>;
  Time delay_;
  std::priority_queue<Item, std::vector<Item>, std::greater<>> entries_;
  sc_core::sc_event event_;
};

/// Requests are served one femtosecond after they were made, when all of that time are known, but count from
/// the time they were made.
inline constexpr Time kArbitration = Time::from_fs(1);

}  // namespace bitline::base
