// SPDX-License-Identifier: Apache-2.0
// Text of physical quantities, read strictly ("100 ns", "1.28 GS/s", "64 KiB") and printed so that reading
// the text gives the same value. Decimal prefixes are powers of ten and exact; KB is 1000 bytes, KiB 1024.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include "models/base/units.h"

namespace bitline::base {

/// What a value measures. `none` is a plain number.
enum class Dimension {
  none,
  time,
  frequency,
  energy,
  power,
  area,
  voltage,
  resistance,
  bytes,
  byte_rate,
  length
};

/// "time"
[[nodiscard]] const char* to_string(Dimension dimension);
/// The accepted units: "fs, ps, ns, us, ms, s". Empty for `none`.
[[nodiscard]] std::string units_of(Dimension dimension);

/// What is wrong with a value; `what()` is a sentence fragment ("'100' has no unit"), `allowed()` what would
/// do.
class ValueError : public std::runtime_error {
 public:
  ValueError(const std::string& given, std::string allowed)
      : std::runtime_error(given), allowed_(std::move(allowed)) {}
  [[nodiscard]] const std::string& allowed() const { return allowed_; }

 private:
  std::string allowed_;
};

/// Number and unit as a double in the SI unit (mm2 for area, nm for length, bytes per second for byte_rate),
/// correctly rounded. Throws ValueError: no number, trailing text, missing or wrong unit, not finite.
[[nodiscard]] double parse_quantity(std::string_view text, Dimension dimension);
/// A duration; it must be a whole number of femtoseconds that fits in 63 bits. Throws ValueError.
[[nodiscard]] Time parse_time(std::string_view text);
/// A duration of any length (a Time ends after hours), in seconds. Throws ValueError.
[[nodiscard]] double parse_seconds(std::string_view text);
/// A number of bytes; it must be whole. Throws ValueError.
[[nodiscard]] std::int64_t parse_bytes(std::string_view text);
/// A whole number without unit. Throws ValueError.
[[nodiscard]] std::int64_t parse_integer(std::string_view text);

/// Shortest text that reads back as `value` exactly, with the unit prefix that suits its size.
[[nodiscard]] std::string print_quantity(double value, Dimension dimension);
[[nodiscard]] std::string print_time(Time time);
[[nodiscard]] std::string print_bytes(std::int64_t bytes);

}  // namespace bitline::base
