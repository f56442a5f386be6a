// SPDX-License-Identifier: Apache-2.0
// Random small IMAs: shapes, encodings, converters, latencies, clocks, weights, inputs and handshake delays.
#pragma once

#include <random>
#include <vector>

#include "models/ima/ima_plan.h"
#include "models/ima/ima_timing.h"
#include "models/ima/structural_ima.h"
#include "tests/timing/ima_driver.h"

namespace bitline::timing_test {

struct ImaCase {
  ima::ImaPlan plan;
  ima::StructuralParams params;
  std::vector<Mvm> mvms;
};

/// ImaTimingParams of `plan` on the machine of `params`.
[[nodiscard]] ima::ImaTimingParams timing_params(const ima::ImaPlan& plan,
                                                 const ima::StructuralParams& params);

[[nodiscard]] ImaCase random_case(std::mt19937& random);

}  // namespace bitline::timing_test
