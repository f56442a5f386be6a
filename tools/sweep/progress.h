// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>

namespace bitline::sweep {

struct Progress {
  std::size_t finished = 0;
  std::size_t failed = 0;  ///< of them
  std::size_t total = 0;
  std::size_t before = 0;  ///< finished when this process started
  double elapsed_s = 0;    ///< since then
};

/// One line of at most 79 characters: "[####      ] 400/1000 points, 2 failed, 0:01:20 left".
[[nodiscard]] std::string progress_line(const Progress& progress);
/// "1:02:03"
[[nodiscard]] std::string clock_text(double seconds);

}  // namespace bitline::sweep
