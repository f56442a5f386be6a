// SPDX-License-Identifier: Apache-2.0
#include "tools/paper/tex.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

namespace bitline::paper {
namespace {

constexpr char32_t kReplacement = 0xFFFD;
/// A wider word may break before what would make a piece wider than kPiece, in small letters.
constexpr std::size_t kLongestWord = 7;
constexpr std::size_t kPiece = 5;
constexpr const char* kBreak = "\\allowbreak{}";

/// The character that begins at `at`, which moves behind it. What is no UTF-8 is kReplacement.
char32_t next(std::string_view text, std::size_t& at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(at++);
  if (first < 0x80) return first;
  const int more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : first >= 0xC0 ? 1 : 0;
  if (more == 0) return kReplacement;
  char32_t c = first & (0x3FU >> more);
  for (int i = 0; i < more; ++i) {
    if (at >= text.size() || (byte(at) & 0xC0) != 0x80) return kReplacement;
    c = c << 6 | (byte(at++) & 0x3FU);
  }
  return c;
}

std::string escaped(char32_t c, std::string_view bytes) {
  switch (c) {
    case '&':
    case '%':
    case '$':
    case '#':
    case '_':
    case '{':
    case '}':
      return std::string("\\") + static_cast<char>(c);
    case '~':
      return "\\textasciitilde{}";
    case '^':
      return "\\textasciicircum{}";
    case '\\':
      return "\\textbackslash{}";
    case '<':
      return "\\textless{}";
    case '>':
      return "\\textgreater{}";
    case '|':
      return "\\textbar{}";
    case '"':
      return "''";
    case '\'':
      return "\\textquotesingle{}";
    case '`':
      return "\\textasciigrave{}";
    case '-':  // never a dash of two or three
      return "{-}";
    default:
      break;
  }
  if (c < 0x20 || c == 0x7F) return "?";
  // Letters that every font encoding has or composes: not eth and thorn, multiplication and division signs.
  const bool letter =
      c >= 0xC0 && c <= 0xFF && c != 0xD0 && c != 0xF0 && c != 0xDE && c != 0xFE && c != 0xD7 && c != 0xF7;
  if (c < 0x80 || letter) return std::string(bytes);
  return fmt::format("U+{:04X}", static_cast<std::uint32_t>(c));
}

/// In small letters.
std::size_t width_of(char32_t c) {
  if (c >= 0x100) return 6;  // its number
  return (c >= 'A' && c <= 'Z') || c == 'm' || c == 'w' || c == '%' || c == '&' || c >= 0xC0 ? 2 : 1;
}

/// visit(character, its escaped text) for every character.
template <class Visit>
void each(std::string_view text, const Visit& visit) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t from = at;
    const char32_t c = next(text, at);
    visit(c, escaped(c, text.substr(from, at - from)));
  }
}

bool separates(char32_t c) {
  return c == '/' || c == '.' || c == '_' || c == '-' || c == ':' || c == ' ' || c == ',';
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string out;
  each(text, [&](char32_t, const std::string& tex) { out += tex; });
  return out;
}

std::string breakable(std::string_view name) {
  struct Letter {
    std::string tex;
    char32_t c;
  };
  std::vector<Letter> letters;
  each(name, [&](char32_t c, const std::string& tex) { letters.push_back({tex, c}); });
  std::string out;
  for (std::size_t at = 0; at < letters.size(); ++at) {
    std::size_t end = at, length = 0;
    for (; end < letters.size() && !separates(letters[end].c); ++end) length += width_of(letters[end].c);
    const bool breaks = length > kLongestWord;
    for (std::size_t piece = 0; at < end; ++at) {
      const std::size_t wide = width_of(letters[at].c);
      if (breaks && piece > 0 && piece + wide > kPiece) {
        out += kBreak;
        piece = 0;
      }
      out += letters[at].tex;
      piece += wide;
    }
    if (at < letters.size()) out += letters[at].c == ' ' ? " " : letters[at].tex + kBreak;
  }
  return out;
}

std::size_t width_of(std::string_view text) {
  std::size_t width = 0;
  each(text, [&](char32_t c, const std::string&) { width += width_of(c); });
  return width;
}

Scale scale_of(const std::vector<std::optional<double>>& values, bool prefixed) {
  double largest = 0;
  for (const auto& value : values) largest = std::max(largest, std::abs(value.value_or(0)));
  Scale scale;
  if (largest == 0) return {1, "", 1, 0};
  // Rounded first, so that 999.96 is counted as 1000.
  largest = std::stod(fmt::format("{:.3e}", largest));
  int exponent = static_cast<int>(std::floor(std::log10(largest) + 1e-9));
  if (prefixed) {
    constexpr std::array<const char*, 11> kPrefix = {"\\atto",  "\\femto", "\\pico", "\\nano",
                                                     "\\micro", "\\milli", "",       "\\kilo",
                                                     "\\mega",  "\\giga",  "\\tera"};
    const int step = std::clamp(static_cast<int>(std::floor(exponent / 3.0)), -6, 4);
    scale.prefix = kPrefix[static_cast<std::size_t>(step + 6)];
    scale.factor = std::pow(10.0, 3 * step);
    exponent -= 3 * step;
  }
  scale.whole = std::max(exponent, 0) + 1;
  scale.decimals = std::clamp(3 - exponent, 0, 6);
  return scale;
}

std::string cell(const std::optional<double>& value, const Scale& scale) {
  if (!value) return "{--}";
  if (*value == 0) return "0";
  const double scaled = *value / scale.factor;
  const double least = std::pow(10.0, -scale.decimals);
  if (std::abs(scaled) < least / 2) return fmt::format("{{$<${:.{}f}}}", least, scale.decimals);
  return fmt::format("{:.{}f}", scaled, scale.decimals);
}

std::string column(const Scale& scale) {
  return fmt::format("S[table-format={}.{}]", scale.whole, scale.decimals);
}

}  // namespace bitline::paper
