// SPDX-License-Identifier: Apache-2.0
// For tools/test-neon, which compiles the kernels for one instruction set and without Highway's library:
// takes the place of sim/engine/targets.cpp.
#include "sim/engine/layer_function.h"

namespace bitline::engine {

std::vector<std::string> supported_targets() {
  return {"NEON"};
}

void force_target(const std::string& /*name*/) {}

}  // namespace bitline::engine
