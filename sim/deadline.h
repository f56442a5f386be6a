// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

namespace bitline::sim {

/// A wall-clock limit for a whole simulation, asked between its steps.
class Deadline {
 public:
  /// 0: none.
  explicit Deadline(double limit_s);
  /// Throws base::TimeoutError naming `what` was under way when the time is up.
  void check(const char* what) const;
  /// Seconds left, at least a millisecond; 0: no limit.
  [[nodiscard]] double left_s() const;
  /// Seconds since construction.
  [[nodiscard]] double elapsed_s() const;

 private:
  double limit_s_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace bitline::sim
