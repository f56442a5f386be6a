// SPDX-License-Identifier: Apache-2.0
#include "tools/compare/blocks.h"

#include <algorithm>

#include "sim/result/text.h"

namespace bitline::compare {
namespace {

constexpr std::size_t kGap = 2;
/// The first column is not shortened below this to make room for a further group.
constexpr std::size_t kLeastName = 20;

std::size_t width(const Group& group) {
  std::size_t sum = 0;
  for (const Column& column : group) {
    std::size_t widest = column.header.size();
    for (const std::string& cell : column.cells) widest = std::max(widest, cell.size());
    sum += kGap + widest;
  }
  return sum;
}

std::string block(const Column& names, const std::vector<const Column*>& columns) {
  std::vector<std::string> header = {names.header};
  for (const Column* column : columns) header.push_back(column->header);
  result::Table table(header, 1);
  for (std::size_t row = 0; row < names.cells.size(); ++row) {
    std::vector<std::string> cells = {names.cells[row]};
    for (const Column* column : columns) cells.push_back(column->cells[row]);
    table.add(std::move(cells));
  }
  return table.str();
}

}  // namespace

std::string blocks(const Column& names, const Group& fixed, const std::vector<Group>& groups) {
  const std::size_t first = kGap + std::min(kLeastName, width({names}) - kGap) + width(fixed);
  std::string out;
  for (std::size_t g = 0; g < groups.size();) {
    std::vector<const Column*> columns;
    for (const Column& column : fixed) columns.push_back(&column);
    std::size_t used = first;
    do {
      for (const Column& column : groups[g]) columns.push_back(&column);
      used += width(groups[g++]);
    } while (g < groups.size() && used + width(groups[g]) <= result::kReportWidth);
    if (!out.empty()) out += "\n";
    out += block(names, columns);
  }
  return out;
}

}  // namespace bitline::compare
