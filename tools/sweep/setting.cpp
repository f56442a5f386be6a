// SPDX-License-Identifier: Apache-2.0
#include "tools/sweep/setting.h"

#include <algorithm>
#include <cmath>

#include "models/base/errors.h"

namespace bitline::sweep {
namespace {

using base::Dimension;

/// The number at `share` of the way from low to high. Of whole numbers, high is as likely as any other.
double between(const Range& range, double share, bool whole) {
  const double top = whole ? range.high + 1 : range.high;
  const double value = range.logarithmic ? range.low * std::pow(top / range.low, share)
                                         : range.low + share * (top - range.low);
  return whole ? std::clamp(std::floor(value), range.low, range.high) : std::min(value, range.high);
}

/// Step `i` of a grid, ends included.
double step(const Range& range, std::int64_t i, bool whole) {
  if (i == 0) return range.low;
  if (i == range.steps - 1) return range.high;
  const double share = static_cast<double>(i) / static_cast<double>(range.steps - 1);
  const double value = range.logarithmic ? range.low * std::pow(range.high / range.low, share)
                                         : range.low + share * (range.high - range.low);
  return whole ? std::nearbyint(value) : value;
}

}  // namespace

bool ValueKind::whole() const {
  return type == "integer" || type == "list of integers" || dimension == Dimension::bytes;
}

bool ValueKind::is_number() const {
  return whole() || type == "number" || dimension != Dimension::none;
}

std::string ValueKind::text(double value) const {
  if (dimension == Dimension::bytes) return base::print_bytes(static_cast<std::int64_t>(value));
  if (whole()) return std::to_string(static_cast<std::int64_t>(value));
  if (dimension == Dimension::time) return base::print_time(base::Time::from_seconds(value));
  return base::print_quantity(value, dimension);
}

std::optional<double> ValueKind::read(const std::string& text) const {
  if (!is_number()) return std::nullopt;
  try {
    if (dimension == Dimension::bytes) return static_cast<double>(base::parse_bytes(text));
    if (whole()) return static_cast<double>(base::parse_integer(text));
    if (dimension == Dimension::time) return base::parse_seconds(text);
    return base::parse_quantity(text, dimension);
  } catch (const base::ValueError&) {  // a list, or refused where it was given
    return std::nullopt;
  }
}

const char* ValueKind::suffix() const {
  switch (dimension) {
    case Dimension::time:
      return "_s";
    case Dimension::frequency:
      return "_hz";
    case Dimension::energy:
      return "_j";
    case Dimension::power:
      return "_w";
    case Dimension::area:
      return "_mm2";
    case Dimension::voltage:
      return "_v";
    case Dimension::resistance:
      return "_ohm";
    case Dimension::bytes:
      return "_bytes";
    case Dimension::byte_rate:
      return "_bytes_per_s";
    case Dimension::length:
      return "_nm";
    case Dimension::none:
      break;
  }
  return "";
}

SettingPtr Axis::value(double number) const {
  Setting setting;
  setting.text = kind.text(number);
  setting.number = kind.read(setting.text);
  setting.keys = {{name, setting.text}};
  return std::make_shared<const Setting>(std::move(setting));
}

SettingPtr Axis::at(double share) const {
  if (range) return value(between(*range, share, kind.whole()));
  BITLINE_CHECK(!choices.empty());
  const auto n = static_cast<std::size_t>(share * static_cast<double>(choices.size()));
  return choices[std::min(n, choices.size() - 1)];
}

std::vector<SettingPtr> Axis::grid() const {
  if (!range) return choices;
  std::vector<SettingPtr> values;
  for (std::int64_t i = 0; i < range->steps; ++i) values.push_back(value(step(*range, i, kind.whole())));
  return values;
}

}  // namespace bitline::sweep
