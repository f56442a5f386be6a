// SPDX-License-Identifier: Apache-2.0
// The results of a sweep as a page to explore: tools/report/assets/sweep.js.
#pragma once

#include <string>

#include "tools/sweep/table.h"

namespace bitline::sweep {

/// What the page's script gets, by column. `reports`: by point, whether points/ID/report.html is there.
[[nodiscard]] Json page_data(const Plan& plan, const Records& records, const Front& front,
                             const std::vector<bool>& reports);

/// The page as one file's text.
[[nodiscard]] std::string page(const Plan& plan, const Records& records, const Front& front,
                               const std::vector<bool>& reports);

}  // namespace bitline::sweep
