// SPDX-License-Identifier: Apache-2.0
#include "tools/bitline/watchdog.h"

#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <string_view>

#include "models/base/errors.h"

namespace bitline::cli {

Watchdog::Watchdog(double limit_s) {
  if (limit_s <= 0) return;
  const auto end = std::chrono::steady_clock::now() +
                   std::chrono::duration_cast<std::chrono::steady_clock::duration>(
                       std::chrono::duration<double>(limit_s + 1.0));
  thread_ = std::thread([this, end] {
    std::unique_lock lock(mutex_);
    if (stop_.wait_until(lock, end, [this] { return stopped_; })) return;
    constexpr std::string_view kText = "bitline: error: --timeout: the time was up; allow more, or fewer images\n";
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, kText.data(), kText.size());
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
