// SPDX-License-Identifier: Apache-2.0
// Parameters that are rows for single layers: [{layer: conv1, bits: 6}, ...].
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "models/base/config_tree.h"
#include "models/base/quantity.h"

namespace bitline::base {

/// The text of a plain value of a row. Throws ValueError.
[[nodiscard]] inline const std::string& scalar_of_row(const ConfigNode::Member& member, const char* format) {
  if (member.node.kind == ConfigNode::Kind::scalar) return member.node.text;
  throw ValueError("'" + member.key + "' of a row is no plain value", format);
}

/// Reads a list of rows of `layer` (a member of Row) and bits. `set_bits(row, member)` takes every other key
/// of a row and returns whether it knows it. Throws ValueError, with `format` as what is allowed.
template <class Row, class SetBits>
[[nodiscard]] std::vector<Row> read_layer_rows(const ConfigNode& list, const char* format, SetBits set_bits) {
  if (list.kind != ConfigNode::Kind::list) throw ValueError("not a list", format);
  std::vector<Row> rows;
  for (const ConfigNode& item : list.items) {
    if (item.kind != ConfigNode::Kind::map) throw ValueError("a row that is not {...}", format);
    Row row;
    bool has_bits = false;
    for (const ConfigNode::Member& member : item.members) {
      if (member.key == "layer") {
        row.layer = scalar_of_row(member, format);
      } else if (set_bits(row, member)) {
        has_bits = true;
      } else {
        throw ValueError("unknown key '" + member.key + "' in a row", format);
      }
    }
    if (row.layer.empty()) throw ValueError("a row without layer", format);
    if (!has_bits) throw ValueError("a row for '" + row.layer + "' without bits", format);
    const auto same = [&row](const Row& other) { return other.layer == row.layer; };
    if (std::any_of(rows.begin(), rows.end(), same))
      throw ValueError("two rows for '" + row.layer + "'", "one row per layer");
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace bitline::base
