// SPDX-License-Identifier: Apache-2.0
#include "tools/sweep/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace bitline::sweep {

std::string clock_text(double seconds) {
  constexpr double kMost = 1e9;
  const auto s = static_cast<std::int64_t>(std::ceil(std::clamp(seconds, 0.0, kMost)));
  return fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
}

std::string progress_line(const Progress& p) {
  constexpr std::size_t kCells = 20;
  const std::size_t filled = p.total == 0 ? kCells : kCells * p.finished / p.total;
  std::string line =
      fmt::format("[{:<{}}] {}/{} points", std::string(filled, '#'), kCells, p.finished, p.total);
  if (p.failed > 0) line += fmt::format(", {} failed", p.failed);
  const std::size_t now = p.finished - std::min(p.before, p.finished);
  if (now > 0 && p.finished < p.total)
    line += fmt::format(", {} left", clock_text(p.elapsed_s / static_cast<double>(now) *
                                                static_cast<double>(p.total - p.finished)));
  return line;
}

}  // namespace bitline::sweep
