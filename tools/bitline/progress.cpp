// SPDX-License-Identifier: Apache-2.0
#include "tools/bitline/progress.h"

#include <fmt/format.h>

#include <string>

namespace bitline::cli {

void ProgressBar::update(const char* phase, std::int64_t done, std::int64_t total) {
  if (!shown_ || total <= 0) return;
  const auto now = std::chrono::steady_clock::now();
  if (drawn_ && done < total && now - last_ < std::chrono::milliseconds(50)) return;
  last_ = now;
  drawn_ = true;
  constexpr std::int64_t kCells = 30;
  const auto filled = static_cast<std::size_t>(kCells * done / total);
  streams_.err << fmt::format("\r{:<8} [{:<{}}] {}/{} images ", phase, std::string(filled, '#'), kCells, done,
                              total)
               << std::flush;
}

void ProgressBar::clear() {
  if (!drawn_) return;
  streams_.err << '\r' << std::string(79, ' ') << '\r' << std::flush;
  drawn_ = false;
}

}  // namespace bitline::cli
