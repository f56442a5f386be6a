// SPDX-License-Identifier: Apache-2.0
// A command in a process of its own, which may crash or hang without harm.
#pragma once

#include <string>
#include <vector>

namespace bitline::oracle {

struct ChildResult {
  int code = 0;    ///< exit code; meaningless where `signal` is not 0
  int signal = 0;  ///< that ended it
  bool timed_out = false;
  std::string out, err;
};

/// Runs `program` with `arguments`, without input. After `timeout_s` (0: none) it is killed. Throws
/// base::SimulationError where no process can be started.
[[nodiscard]] ChildResult run_child(const std::string& program, const std::vector<std::string>& arguments,
                                    double timeout_s);

}  // namespace bitline::oracle
