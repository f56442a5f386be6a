// SPDX-License-Identifier: Apache-2.0
// LaTeX text: names of any kind made safe and breakable, numbers in siunitx columns with one unit per column.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bitline::paper {

/// `text` as LaTeX shows it: special characters escaped, control characters as '?'. Letters of Latin-1
/// stay as they are; any other character, which pdfLaTeX may not have, becomes its number,
/// "U+4E2D".
[[nodiscard]] std::string escaped(std::string_view text);

/// The same with a place for a line break after every separator and within long words, for names such as
/// "/layer1/layer1.0/conv1/Conv" in a narrow column.
[[nodiscard]] std::string breakable(std::string_view name);

/// About how wide it is set, in small letters.
[[nodiscard]] std::size_t width_of(std::string_view text);

/// The prefix and the digits that a column of values shares.
struct Scale {
  double factor = 1;            ///< values are divided by it
  std::string prefix;           ///< "\\nano", or empty
  int whole = 1, decimals = 3;  ///< digits before and behind the point
};

/// The largest value gets four significant digits and at most three before the point. `prefixed`: with an SI
/// prefix.
[[nodiscard]] Scale scale_of(const std::vector<std::optional<double>>& values, bool prefixed = true);
/// A cell of an S column of that scale: "12.34"; "{--}" for none; "{$<$0.01}" where only zeros would be left.
[[nodiscard]] std::string cell(const std::optional<double>& value, const Scale& scale);
/// "S[table-format=3.1]".
[[nodiscard]] std::string column(const Scale& scale);

}  // namespace bitline::paper
