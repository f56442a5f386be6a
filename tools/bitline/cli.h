// SPDX-License-Identifier: Apache-2.0
// The command line. Results go to `out`, everything else to `err`; see README.md of this folder.
#pragma once

#include <ostream>
#include <string>
#include <vector>

namespace bitline::cli {

/// Where a command writes to.
struct Streams {
  std::ostream& out;
  std::ostream& err;
  bool terminal = false;  ///< `err` is a terminal: progress may be drawn
};

/// Runs one command line (without the program's name) and returns its exit code (base::ExitCode). Never
/// throws.
[[nodiscard]] int run(const std::vector<std::string>& arguments, const Streams& streams);

}  // namespace bitline::cli
