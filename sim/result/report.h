// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "sim/result/result.h"

namespace bitline::result {

/// The report that `bitline run` prints: summary, energy and area by component, one line per layer. At most
/// 80 columns wide, ASCII apart from names.
[[nodiscard]] std::string report(const Result& result);

}  // namespace bitline::result
