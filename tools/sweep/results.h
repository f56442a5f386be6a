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

/// Whose reports are made.
enum class Reports { none, front, all };

/// Makes points/ID/report.html (tools/report) where there is a result.json and no report yet; how many were
/// made. `made` is called after each, by one thread at a time.
std::size_t write_reports(const Plan& plan, const Store& store, const Front& front, Reports which,
                          const std::function<void(std::size_t done, std::size_t total)>& made = {});

/// Writes the tables and the page, which links the reports that are there.
void write_results(const Plan& plan, const Store& store, const Front& front);

}  // namespace bitline::sweep
