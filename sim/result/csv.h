// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "sim/result/result.h"

namespace bitline::result {

/// One row per layer; the energy of each component in a column of its own. RFC 4180 quoting, "\n" line ends,
/// doubles with round-trip precision.
[[nodiscard]] std::string layers_csv(const Result& result);
/// One row per component: energy_j (per streamed image) and area_mm2; the last row, "total", is their sum.
[[nodiscard]] std::string components_csv(const Result& result);
/// One row per simulated chip; top1 is empty without labels.
[[nodiscard]] std::string chips_csv(const DeviceResult& device);

}  // namespace bitline::result
