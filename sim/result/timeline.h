// SPDX-License-Identifier: Apache-2.0
// When each layer was at work, as bars of text.
#pragma once

#include <string>

#include "sim/result/result.h"

namespace bitline::result {

/// A bar per layer from its first activity to its last output, on the time from zero to the end of all;
/// at most kReportWidth wide. Beside it: the share of that time in which it was neither without input nor
/// without room for output.
[[nodiscard]] std::string timeline(const Result& result);

}  // namespace bitline::result
