// SPDX-License-Identifier: Apache-2.0
#include "sim/deadline.h"

#include <fmt/format.h>

#include <algorithm>

#include "models/base/errors.h"

namespace bitline::sim {

Deadline::Deadline(double limit_s) : limit_s_(limit_s) {}

void Deadline::check(const char* what) const {
  if (limit_s_ <= 0 || elapsed_s() < limit_s_) return;
  throw base::TimeoutError(base::Problem{"--timeout", fmt::format("{} s were up during {}", limit_s_, what),
                                         "", "allow more time, or fewer images"});
}

double Deadline::left_s() const {
  return limit_s_ <= 0 ? 0.0 : std::max(1e-3, limit_s_ - elapsed_s());
}

double Deadline::elapsed_s() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
}

}  // namespace bitline::sim
