// SPDX-License-Identifier: Apache-2.0
// Tables whose columns come in groups, one group per run: as many groups beside each other as fit the screen,
// the rest in further blocks below.
#pragma once

#include <string>
#include <vector>

namespace bitline::compare {

struct Column {
  std::string header;
  std::vector<std::string> cells;  ///< one per row
};
using Group = std::vector<Column>;

/// `names`: the first column, which is shortened where needed; `fixed`: columns that every block repeats. At
/// most result::kReportWidth wide (a group that does not fit beside the first columns takes a block of its
/// own).
[[nodiscard]] std::string blocks(const Column& names, const Group& fixed, const std::vector<Group>& groups);

}  // namespace bitline::compare
