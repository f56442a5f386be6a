// SPDX-License-Identifier: Apache-2.0
// What a finished sweep leaves in its folder beside the journal and the points: results.csv, results.json,
// index.html.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tools/sweep/store.h"
#include "tools/sweep/table.h"

namespace bitline::sweep {

/// `objectives` as of find_front(); empty: those of the sweep file. Throws base::UsageError; then no file has
/// changed.
[[nodiscard]] Front front_of(const Plan& plan, const Records& records,
                             const std::vector<std::string>& objectives);

/// Writes the tables and the page.
void write_results(const Plan& plan, const Store& store, const Front& front);

}  // namespace bitline::sweep
