// SPDX-License-Identifier: Apache-2.0
// Plain-text building blocks of the reports: figures with SI prefixes and aligned tables.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bitline::result {

inline constexpr std::size_t kReportWidth = 80;

/// Four significant digits with an SI prefix from a to T: "12.34 ms", "0 J".
[[nodiscard]] std::string si(double value, std::string_view unit);
/// Thousands separated: "1 234 567".
[[nodiscard]] std::string count(std::int64_t value);
/// "12.3 %" of a ratio.
[[nodiscard]] std::string percent(double ratio);
/// `name` cut in the middle so that it has at most `width` bytes; whole UTF-8 characters only; control
/// characters become '?'.
[[nodiscard]] std::string shortened(std::string_view name, std::size_t width);

/// Left-aligned first columns, right-aligned others, two spaces between columns.
class Table {
 public:
  /// `left`: how many of the first columns are left-aligned.
  explicit Table(std::vector<std::string> header, std::size_t left = 1);
  void add(std::vector<std::string> row);
  /// Lines indented by two spaces, at most kReportWidth wide: the first column is shortened to make it so.
  [[nodiscard]] std::string str() const;

 private:
  std::vector<std::vector<std::string>> rows_;
  std::size_t left_;
};

}  // namespace bitline::result
