// SPDX-License-Identifier: Apache-2.0
// A table of a paper: booktabs rules, siunitx columns, as wide as a text column. Names wrap; what is longer
// than a page continues in a further table.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bitline::paper {

struct TexColumn {
  std::string spec;                ///< "r", "S[table-format=3.1]"
  std::string header;              ///< LaTeX
  std::string unit;                ///< LaTeX below the header; may be empty
  std::vector<std::string> cells;  ///< LaTeX, one per row
};

/// What stands in the first column.
struct TexName {
  std::string tex;
  std::size_t letters;  ///< about as wide as so many small ones
};
/// A plain name, which may break anywhere it must; a leading space indents.
[[nodiscard]] TexName name(std::string_view text);

struct TexTable {
  std::string caption;         ///< LaTeX
  std::string label;           ///< "tab:bitline-layers"
  std::string header;          ///< of the names
  std::vector<TexName> names;  ///< one per row
  std::vector<TexColumn> columns;
  bool total = false;             ///< the last row is a total, below a rule
  std::size_t line_letters = 10;  ///< that fit beside the columns, at least
};

/// A column of numbers of one unit: scaled by scale_of(), with the prefixed unit ("\\joule") below its
/// header.
[[nodiscard]] TexColumn quantities(const std::string& header, const std::string& unit,
                                   const std::vector<std::optional<double>>& values);
/// A column of shares (0 to 1) in percent with one decimal; `sign`: with a plus where it grows.
[[nodiscard]] TexColumn shares(const std::string& header, const std::vector<std::optional<double>>& values,
                               bool sign = false);
/// A column of ratios.
[[nodiscard]] TexColumn ratios(const std::string& header, const std::vector<std::optional<double>>& values);
/// Right-aligned texts, already LaTeX.
[[nodiscard]] TexColumn texts(const std::string& header, std::vector<std::string> cells);

/// One or more `table` floats.
[[nodiscard]] std::string to_tex(const TexTable& table);

}  // namespace bitline::paper
