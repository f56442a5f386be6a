// SPDX-License-Identifier: Apache-2.0
#include "sim/analytic/calendar.h"

#include <algorithm>
#include <utility>

namespace bitline::analytic {

std::size_t Calendar::open_slot(std::size_t s) {
  std::size_t found = s;
  while (found < next_.size() && next_[found] != found) found = next_[found];
  for (; s < next_.size() && s != found; s = std::exchange(next_[s], found)) {
  }
  for (std::size_t n = next_.size(); n <= found; ++n) {
    next_.push_back(n);
    used_.push_back(0);
  }
  return found;
}

Instant Calendar::take_from(std::size_t s, Instant at, Instant amount) {
  s = open_slot(s);
  const Instant served = at + amount;
  for (Instant left = amount;;) {
    const Instant taken = std::min(left, slot_ - used_[s]);
    used_[s] += taken;
    left -= taken;
    if (left <= 0) break;
    next_[s] = s + 1;
    s = open_slot(s + 1);
  }
  // Within its slot it is served when all that came before it there is, but not before its own time.
  const Instant start = static_cast<Instant>(s) * slot_;
  return start <= at ? 0 : std::max(0.0, start + used_[s] - served);
}

}  // namespace bitline::analytic
