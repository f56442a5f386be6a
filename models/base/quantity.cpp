// SPDX-License-Identifier: Apache-2.0
#include "models/base/quantity.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "models/base/errors.h"

namespace bitline::base {

namespace {

struct Unit {
  std::string_view name;
  int exponent;           ///< power of ten to the unit of the dimension
  bool preferred = true;  ///< used for printing
};

// Each list: ascending; alternatives that are read but not printed last.
constexpr std::array kTime{Unit{"fs", 0}, Unit{"ps", 3},  Unit{"ns", 6},
                           Unit{"us", 9}, Unit{"ms", 12}, Unit{"s", 15}};
constexpr std::array kFrequency{Unit{"Hz", 0},          Unit{"kHz", 3},        Unit{"MHz", 6},
                                Unit{"GHz", 9},         Unit{"S/s", 0, false}, Unit{"kS/s", 3, false},
                                Unit{"MS/s", 6, false}, Unit{"GS/s", 9, false}};
constexpr std::array kEnergy{Unit{"aJ", -18}, Unit{"fJ", -15}, Unit{"pJ", -12}, Unit{"nJ", -9},
                             Unit{"uJ", -6},  Unit{"mJ", -3},  Unit{"J", 0}};
constexpr std::array kPower{Unit{"pW", -12}, Unit{"nW", -9}, Unit{"uW", -6}, Unit{"mW", -3}, Unit{"W", 0}};
constexpr std::array kArea{Unit{"nm2", -12}, Unit{"um2", -6}, Unit{"mm2", 0}, Unit{"cm2", 2, false}};
constexpr std::array kVoltage{Unit{"uV", -6}, Unit{"mV", -3}, Unit{"V", 0}};
constexpr std::array kResistance{Unit{"Ohm", 0}, Unit{"kOhm", 3}, Unit{"MOhm", 6}, Unit{"GOhm", 9}};
constexpr std::array kByteRate{Unit{"B/s", 0}, Unit{"KB/s", 3}, Unit{"MB/s", 6}, Unit{"GB/s", 9},
                               Unit{"TB/s", 12}};
constexpr std::array kLength{Unit{"nm", 0}, Unit{"um", 3}};
constexpr std::array kBytes{Unit{"B", 0}, Unit{"KB", 3}, Unit{"MB", 6}, Unit{"GB", 9}};
constexpr std::array<std::pair<std::string_view, int>, 3> kBinaryBytes{
    {{"KiB", 10}, {"MiB", 20}, {"GiB", 30}}};

std::span<const Unit> units(Dimension dimension) {
  switch (dimension) {
    case Dimension::none:
      return {};
    case Dimension::time:
      return kTime;
    case Dimension::frequency:
      return kFrequency;
    case Dimension::energy:
      return kEnergy;
    case Dimension::power:
      return kPower;
    case Dimension::area:
      return kArea;
    case Dimension::voltage:
      return kVoltage;
    case Dimension::resistance:
      return kResistance;
    case Dimension::bytes:
      return kBytes;
    case Dimension::byte_rate:
      return kByteRate;
    case Dimension::length:
      return kLength;
  }
  return {};
}

std::string quoted(std::string_view text) {
  constexpr std::size_t kShown = 60;
  if (text.size() > kShown) return "'" + std::string(text.substr(0, kShown)) + "...'";
  return "'" + std::string(text) + "'";
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// A decimal number digit by digit: (-1)^negative * digits * 10^exponent, without leading zeros in `digits`.
struct Decimal {
  bool negative = false;
  std::string digits;
  int exponent = 0;
};

/// Reads [-]digits[.digits][e[+-]digits] from the front of `text`; nullopt if it does not start with a
/// number.
std::optional<Decimal> read_decimal(std::string_view& text) {
  Decimal number;
  std::size_t at = 0;
  if (at < text.size() && text[at] == '-') {
    number.negative = true;
    ++at;
  }
  const std::size_t first = at;
  while (at < text.size() && is_digit(text[at])) number.digits += text[at++];
  if (at == first) return std::nullopt;
  if (at + 1 < text.size() && text[at] == '.' && is_digit(text[at + 1])) {
    for (++at; at < text.size() && is_digit(text[at]); ++at) {
      number.digits += text[at];
      --number.exponent;
    }
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    std::size_t end = at + 1;
    if (end < text.size() && (text[end] == '+' || text[end] == '-')) ++end;
    if (end < text.size() && is_digit(text[end])) {
      int power = 0;
      const bool plus = text[at + 1] == '+';
      const auto [rest, error] =
          std::from_chars(text.data() + at + 1 + (plus ? 1 : 0), text.data() + text.size(), power);
      constexpr int kLargestPower = 100'000;
      if (error != std::errc{} || std::abs(power) > kLargestPower) return std::nullopt;
      number.exponent += power;
      at = static_cast<std::size_t>(rest - text.data());
    }
  }
  const std::size_t nonzero = number.digits.find_first_not_of('0');
  number.digits = nonzero == std::string::npos ? "0" : number.digits.substr(nonzero);
  text.remove_prefix(at);
  return number;
}

/// The number and what follows it, blanks between them removed.
struct Split {
  Decimal number;
  std::string_view unit;
};

std::string expected(Dimension dimension) {
  if (dimension == Dimension::none) return "a plain number";
  return std::string("a ") + to_string(dimension) + " with a unit (" + units_of(dimension) + ")";
}

Split split(std::string_view text, Dimension dimension) {
  std::string_view rest = text;
  std::optional<Decimal> number = read_decimal(rest);
  if (!number) throw ValueError(quoted(text) + " is not a number", expected(dimension));
  while (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
  if (dimension == Dimension::none && !rest.empty()) {
    throw ValueError(quoted(text) + " has trailing text " + quoted(rest), expected(dimension));
  }
  if (dimension != Dimension::none && rest.empty()) {
    throw ValueError(quoted(text) + " has no unit", expected(dimension));
  }
  return {std::move(*number), rest};
}

[[noreturn]] void wrong_unit(std::string_view text, std::string_view unit, Dimension dimension) {
  throw ValueError(quoted(text) + " has the unit " + quoted(unit), expected(dimension));
}

int unit_exponent(std::string_view text, std::string_view unit, Dimension dimension) {
  for (const Unit& candidate : units(dimension)) {
    if (candidate.name == unit) return candidate.exponent;
  }
  wrong_unit(text, unit, dimension);
}

double to_double(const Decimal& number, std::string_view text, Dimension dimension) {
  const std::string digits =
      (number.negative ? "-" : "") + number.digits + "e" + std::to_string(number.exponent);
  double value = 0.0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc{} || end != digits.data() + digits.size() || !std::isfinite(value)) {
    throw ValueError(quoted(text) + " is too large or too small", expected(dimension));
  }
  return value;
}

/// The whole number digits * 10^exponent; throws with `what` if it is not whole or does not fit 63 bits.
std::int64_t to_whole(Decimal number, std::string_view text, const std::string& what,
                      const std::string& allowed) {
  while (number.exponent < 0 && number.digits.size() > 1 && number.digits.back() == '0') {
    number.digits.pop_back();
    ++number.exponent;
  }
  if (number.digits == "0") return 0;
  if (number.exponent < 0) throw ValueError(quoted(text) + " is not " + what, allowed);
  constexpr std::size_t kMostDigits = 19;
  const auto size = number.digits.size() + static_cast<std::size_t>(number.exponent);
  std::int64_t value = 0;
  bool fits = size <= kMostDigits;
  if (fits) {
    number.digits.append(static_cast<std::size_t>(number.exponent), '0');
    fits = std::from_chars(number.digits.data(), number.digits.data() + size, value).ec == std::errc{};
  }
  if (!fits) throw ValueError(quoted(text) + " is too large", allowed);
  return number.negative ? -value : value;
}

/// digits * 10^exponent without an exponent where that is short.
std::string plain(const std::string& digits, int exponent) {
  constexpr int kLongestZeros = 6;
  const int point = static_cast<int>(digits.size()) + exponent;  // digits before the decimal point
  if (exponent >= 0 && exponent <= kLongestZeros)
    return digits + std::string(static_cast<std::size_t>(exponent), '0');
  if (exponent < 0 && point > 0) {
    return digits.substr(0, static_cast<std::size_t>(point)) + "." +
           digits.substr(static_cast<std::size_t>(point));
  }
  if (exponent < 0 && point > -kLongestZeros)
    return "0." + std::string(static_cast<std::size_t>(-point), '0') + digits;
  return digits + "e" + std::to_string(exponent);
}

std::string print_decimal(const Decimal& number, Dimension dimension) {
  const std::string sign = number.negative ? "-" : "";
  if (dimension == Dimension::none) return sign + plain(number.digits, number.exponent);
  std::vector<Unit> printed;
  for (const Unit& unit : units(dimension)) {
    if (unit.preferred) printed.push_back(unit);
  }
  // Power of ten of the leading digit decides: the largest unit with at least one digit before the point.
  const int leading = static_cast<int>(number.digits.size()) + number.exponent - 1;
  Unit best = printed.front();
  if (number.digits == "0") {
    best = *std::find_if(printed.begin(), printed.end(), [](const Unit& unit) { return unit.exponent == 0; });
  } else {
    for (const Unit& unit : printed) {
      if (leading >= unit.exponent) best = unit;
    }
  }
  const int exponent = number.digits == "0" ? 0 : number.exponent - best.exponent;
  return sign + plain(number.digits, exponent) + " " + std::string(best.name);
}

void strip_zeros(Decimal& number) {
  while (number.digits.size() > 1 && number.digits.back() == '0') {
    number.digits.pop_back();
    ++number.exponent;
  }
}

}  // namespace

const char* to_string(Dimension dimension) {
  switch (dimension) {
    case Dimension::none:
      return "number";
    case Dimension::time:
      return "time";
    case Dimension::frequency:
      return "frequency";
    case Dimension::energy:
      return "energy";
    case Dimension::power:
      return "power";
    case Dimension::area:
      return "area";
    case Dimension::voltage:
      return "voltage";
    case Dimension::resistance:
      return "resistance";
    case Dimension::bytes:
      return "size";
    case Dimension::byte_rate:
      return "data rate";
    case Dimension::length:
      return "length";
  }
  return "number";
}

std::string units_of(Dimension dimension) {
  std::string text;
  const auto append = [&text](std::string_view name) {
    if (!text.empty()) text += ", ";
    text += name;
  };
  for (const Unit& unit : units(dimension)) append(unit.name);
  if (dimension == Dimension::bytes) {
    for (const auto& [name, shift] : kBinaryBytes) append(name);
  }
  return text;
}

double parse_quantity(std::string_view text, Dimension dimension) {
  BITLINE_CHECK(dimension != Dimension::time && dimension != Dimension::bytes);
  Split parts = split(text, dimension);
  if (dimension != Dimension::none) parts.number.exponent += unit_exponent(text, parts.unit, dimension);
  return to_double(parts.number, text, dimension);
}

Time parse_time(std::string_view text) {
  Split parts = split(text, Dimension::time);
  parts.number.exponent += unit_exponent(text, parts.unit, Dimension::time);
  return Time::from_fs(to_whole(std::move(parts.number), text, "a whole number of femtoseconds",
                                "a time of whole femtoseconds below 9223 s, for example 100 ns"));
}

double parse_seconds(std::string_view text) {
  constexpr int kFemto = 15;
  Split parts = split(text, Dimension::time);
  parts.number.exponent += unit_exponent(text, parts.unit, Dimension::time) - kFemto;
  return to_double(parts.number, text, Dimension::time);
}

std::int64_t parse_bytes(std::string_view text) {
  const std::string allowed = "a whole number of bytes (" + units_of(Dimension::bytes) + ")";
  Split parts = split(text, Dimension::bytes);
  for (const auto& [name, shift] : kBinaryBytes) {
    if (parts.unit != name) continue;
    const std::int64_t count =
        to_whole(std::move(parts.number), text, "a whole number of " + std::string(name), allowed);
    if (std::abs(count) > std::numeric_limits<std::int64_t>::max() >> shift) {
      throw ValueError(quoted(text) + " is too large", allowed);
    }
    return count * (std::int64_t{1} << shift);
  }
  parts.number.exponent += unit_exponent(text, parts.unit, Dimension::bytes);
  return to_whole(std::move(parts.number), text, "a whole number of bytes", allowed);
}

std::int64_t parse_integer(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::result_out_of_range)
    throw ValueError(quoted(text) + " is too large", "a whole number");
  if (error != std::errc{} || end != text.data() + text.size()) {
    throw ValueError(quoted(text) + " is not a whole number", "a whole number without a unit");
  }
  return value;
}

std::string print_quantity(double value, Dimension dimension) {
  BITLINE_CHECK(std::isfinite(value) && dimension != Dimension::time && dimension != Dimension::bytes);
  std::array<char, 40> buffer{};
  const auto result =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::scientific);
  std::string_view text(buffer.data(), static_cast<std::size_t>(result.ptr - buffer.data()));
  std::optional<Decimal> number = read_decimal(text);
  BITLINE_CHECK(number.has_value());
  strip_zeros(*number);
  return print_decimal(*number, dimension);
}

std::string print_time(Time time) {
  Decimal number{time.fs() < 0, std::to_string(time.fs()), 0};
  if (number.negative) number.digits.erase(0, 1);
  strip_zeros(number);
  return print_decimal(number, Dimension::time);
}

std::string print_bytes(std::int64_t bytes) {
  for (std::size_t i = kBinaryBytes.size(); i-- > 0;) {
    const auto& [unit, shift] = kBinaryBytes[i];
    const std::int64_t size = std::int64_t{1} << shift;
    if (bytes != 0 && bytes % size == 0) return std::to_string(bytes / size) + " " + std::string(unit);
  }
  return std::to_string(bytes) + " B";
}

}  // namespace bitline::base
