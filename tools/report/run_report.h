// SPDX-License-Identifier: Apache-2.0
// The report of a run: a page with everything that its result says, to look at and to take charts and tables
// from.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "sim/result/result.h"

namespace bitline::report {

/// The page's HTML. Equal results give equal bytes.
[[nodiscard]] std::string run_report(const result::Result& result);

/// Reads `run` (result.json or the folder of --out) and writes the report to `out`, under a temporary name
/// that is then renamed. Throws base::UsageError.
void write_run_report(const std::string& run, const std::string& out);

/// What the page holds: the result with its layers as columns, and of the confusion matrix what is not 0.
/// Where the page would pass 3 MB, numbers are rounded to six digits ("rounded": true).
[[nodiscard]] nlohmann::ordered_json report_data(const result::Result& result);

}  // namespace bitline::report
