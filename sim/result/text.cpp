// SPDX-License-Identifier: Apache-2.0
#include "sim/result/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "models/base/errors.h"

namespace bitline::result {
namespace {

/// Characters on the screen: bytes that do not continue a UTF-8 character.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

bool continues(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

}  // namespace

std::string si(double value, std::string_view unit) {
  constexpr std::array<const char*, 11> kPrefix = {"a", "f", "p", "n", "u", "m", "", "k", "M", "G", "T"};
  if (value == 0.0 || !std::isfinite(value)) return fmt::format("{:g} {}", value, unit);
  // Rounded to four digits first, so that 999.96 becomes 1.000 k.
  const double rounded = std::stod(fmt::format("{:.3e}", value));
  const int exponent = static_cast<int>(std::floor(std::log10(std::abs(rounded)) / 3.0 + 1e-12));
  const int step = std::clamp(exponent, -6, 4);
  const auto prefix = kPrefix.begin() + 6 + step;
  const double scaled = rounded / std::pow(1000.0, step);
  const double magnitude = std::abs(scaled);
  const int digits = magnitude >= 99.995 ? 1 : magnitude >= 9.9995 ? 2 : 3;
  return fmt::format("{:.{}f} {}{}", scaled, digits, *prefix, unit);
}

std::string count(std::int64_t value) {
  std::string digits = std::to_string(value);
  const std::size_t first = value < 0 ? 1 : 0;
  for (std::size_t at = digits.size(); at > first + 3;) digits.insert(at -= 3, 1, ' ');
  return digits;
}

std::string percent(double ratio) {
  return fmt::format("{:.1f} %", ratio * 100.0);
}

std::string shortened(std::string_view name, std::size_t width) {
  std::string clean(name);
  for (char& c : clean)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
  if (clean.size() <= width) return clean;
  if (width < 5) return clean.substr(0, width);
  std::size_t head = (width - 2) / 2;
  std::size_t tail = clean.size() - (width - 2 - head);
  while (head > 0 && continues(clean[head])) --head;
  while (tail < clean.size() && continues(clean[tail])) ++tail;
  return clean.substr(0, head) + ".." + clean.substr(tail);
}

Table::Table(std::vector<std::string> header, std::size_t left) : left_(left) {
  rows_.push_back(std::move(header));
}

void Table::add(std::vector<std::string> row) {
  BITLINE_CHECK(row.size() == rows_.front().size());
  rows_.push_back(std::move(row));
}

std::string Table::str() const {
  const std::size_t columns = rows_.front().size();
  std::vector<std::size_t> widths(columns, 0);
  for (const auto& row : rows_)
    for (std::size_t c = 0; c < columns; ++c) widths[c] = std::max(widths[c], width_of(row[c]));
  std::size_t rest = 2;
  for (std::size_t c = 1; c < columns; ++c) rest += 2 + widths[c];
  constexpr std::size_t kShortest = 8;
  widths[0] = std::min(widths[0], std::max(kReportWidth - std::min(rest, kReportWidth), kShortest));

  std::string out;
  for (const auto& row : rows_) {
    std::string line = "  ";
    for (std::size_t c = 0; c < columns; ++c) {
      const std::string cell = c == 0 ? shortened(row[c], widths[c]) : row[c];
      const std::string padding(widths[c] - std::min(widths[c], width_of(cell)), ' ');
      if (c > 0) line += "  ";
      line += c < left_ ? cell + padding : padding + cell;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

}  // namespace bitline::result
