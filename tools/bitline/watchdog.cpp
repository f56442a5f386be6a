// SPDX-License-Identifier: Apache-2.0
#include "tools/bitline/watchdog.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <string>

#include "models/base/errors.h"

namespace bitline::cli {

Watchdog::Watchdog(double limit_s) {
  if (limit_s <= 0) return;
  const auto end =
      std::chrono::steady_clock::now() + std::chrono::duration_cast<std::chrono::steady_clock::duration>(
                                             std::chrono::duration<double>(limit_s + 1.0));
  thread_ = std::thread([this, end,
                         text = fmt::format("bitline: error: --timeout: {} s were up; allow more time, or "
                                            "fewer images\n",
                                            limit_s)] {
    std::unique_lock lock(mutex_);
    if (stop_.wait_until(lock, end, [this] { return stopped_; })) return;
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text.size());
    std::_Exit(static_cast<int>(base::ExitCode::timeout));
  });
}

Watchdog::~Watchdog() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  stop_.notify_all();
  thread_.join();
}

}  // namespace bitline::cli
