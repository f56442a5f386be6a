// SPDX-License-Identifier: Apache-2.0
#include "models/periphery/adc.h"

#include <algorithm>
#include <string>

#include "models/base/actions.h"
#include "models/base/errors.h"

namespace bitline::periphery {

namespace {

/// ceil(time * numerator / denominator); at most 2^37 fs (a rate of 10 kHz) x kMaxAdcBits.
base::Time scale_up(base::Time time, std::int64_t numerator, std::int64_t denominator) {
  return base::Time::from_fs((time.fs() * numerator + denominator - 1) / denominator);
}

/// ceil(time * 2^exponent).
base::Time scale_power(base::Time time, int exponent) {
  if (exponent < 0) return scale_up(time, 1, std::int64_t{1} << -exponent);
  return time * (std::int64_t{1} << exponent);
}

base::Time table_time(const AdcParams& adc, int bits) {
  for (const AdcTableRow& row : adc.table) {
    if (row.bits == bits) return base::period(row.rate);
  }
  throw base::ConfigError({"adc.table", "no row for " + std::to_string(bits) + " bits", "",
                           "add a row {bits, energy, area, rate} or choose another adc.model"});
}

}  // namespace

base::Time conversion_time(const AdcParams& adc, int bits) {
  BITLINE_CHECK(bits >= 0 && bits <= base::kMaxAdcBits);
  if (bits == 0) return {};
  if (adc.model == AdcModel::table) return table_time(adc, bits);
  const base::Time sample = base::period(adc.rate);
  switch (adc.kind) {
    case AdcKind::sar:
      return scale_up(sample, bits, adc.rated_bits);
    case AdcKind::flash:
      return sample;
    case AdcKind::ramp:
      return scale_power(sample, bits - adc.rated_bits);
  }
  BITLINE_CHECK(false);
  return {};
}

Converted convert_clip(std::int64_t sum, int bits) {
  BITLINE_CHECK(sum >= 0 && bits >= 0 && bits <= base::kMaxAdcBits);
  const std::int64_t limit = (std::int64_t{1} << bits) - 1;
  return {std::min(sum, limit), sum > limit};
}

Converted convert_truncate(std::int64_t sum, int bits, int shift) {
  BITLINE_CHECK(sum >= 0 && bits >= 0 && bits <= base::kMaxAdcBits && shift >= 0 && shift < 32);
  const std::int64_t step = std::int64_t{1} << shift;
  std::int64_t code = sum >> shift;
  const std::int64_t twice_rest = 2 * (sum - code * step);
  if (twice_rest > step || (twice_rest == step && code % 2 != 0)) ++code;
  const Converted clip = convert_clip(code, bits);
  return {clip.value * step, clip.clipped};
}

Converted convert_signed_clip(std::int64_t sum, int bits) {
  BITLINE_CHECK(bits >= 0 && bits <= base::kMaxAdcBits);
  const std::int64_t limit = bits == 0 ? 0 : (std::int64_t{1} << (bits - 1)) - 1;
  return {std::clamp(sum, -limit, limit), sum > limit || sum < -limit};
}

}  // namespace bitline::periphery
