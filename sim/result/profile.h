// SPDX-License-Identifier: Apache-2.0
// Where the wall-clock time of a simulation went.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace bitline::result {

struct Profile {
  struct Phase {
    std::string name;
    double seconds = 0;
  };
  std::vector<Phase> phases;  ///< one after another without a gap: they sum to the wall time
  std::int64_t events = 0;    ///< model events of the simulation of time
  double kernel_s = 0;        ///< of the phase that simulates time
};

/// A line per phase with its share, the sum, and the events per second.
[[nodiscard]] std::string profile_table(const Profile& profile);

}  // namespace bitline::result
