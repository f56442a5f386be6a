// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

namespace bitline::cli {

/// Keeps the promise of --timeout where a step does not look at the clock in time: a second after the limit
/// it ends the process with the exit code of a timeout. Files are only ever renamed into place, so none is
/// left half written.
class Watchdog {
 public:
  /// 0: none.
  explicit Watchdog(double limit_s);
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;
  ~Watchdog();

 private:
  std::mutex mutex_;
  std::condition_variable stop_;
  bool stopped_ = false;
  std::thread thread_;
};

}  // namespace bitline::cli
