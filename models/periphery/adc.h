// SPDX-License-Identifier: Apache-2.0
// Analog-to-digital converters of the bitlines: what a conversion gives, how long it takes, what it costs.
// The resolution is chosen per conversion. See README.md for the equations and their sources.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/base/cost.h"
#include "models/base/errors.h"
#include "models/base/units.h"

namespace bitline::base {
class Schema;
}

namespace bitline::periphery {

enum class AdcKind { sar, flash, ramp };
enum class AdcConversion { clip, truncate };
enum class AdcPolicy { fixed, isaac, lossless, percentile };
/// What policy percentile counts: the largest possible sum of each column, or the sums seen on calibration
/// inputs.
enum class PercentileOf { bounds, sums };
/// How far conversions share one resolution: a whole layer, each slice of it, or each row block and slice.
enum class AdcGranularity { layer, slice, crossbar };
/// How energy and area follow from the resolution. See adc_model.cpp for each equation and its source.
enum class AdcModel { isaac_fit, power_law, regression, table };

/// A row of the `table` model.
struct AdcTableRow {
  int bits = 0;
  base::Energy energy{0.0};   ///< per conversion
  base::Area area{0.0};       ///< of one ADC
  base::Frequency rate{0.0};  ///< samples per second
  friend bool operator==(const AdcTableRow&, const AdcTableRow&) = default;
};

/// Bits of one layer, whatever the policy of the others.
struct LayerResolution {
  std::string layer;      ///< name of its node
  std::vector<int> bits;  ///< as AdcResolution::bits
  friend bool operator==(const LayerResolution&, const LayerResolution&) = default;
};

/// Keys `adc.resolution.*`.
struct AdcResolution {
  AdcPolicy policy = AdcPolicy::isaac;
  std::vector<int> bits = {8};  ///< policy fixed: one number, or one per slice, most significant first
  double percentile = 99.9;     ///< policy percentile: share of columns or sums that do not clip, in percent
  PercentileOf percentile_of = PercentileOf::bounds;
  AdcGranularity granularity = AdcGranularity::crossbar;
  std::vector<LayerResolution> layers = {};
  friend bool operator==(const AdcResolution&, const AdcResolution&) = default;
};

/// What makes a converter differ from an ideal one: code = rint(sum / lsb * (1 + gain) + offset + noise).
/// Keys `adc.errors.*`; LSB: the sum of one code.
struct AdcErrors {
  double offset = 0.0;         ///< LSB, of every ADC
  double offset_spread = 0.0;  ///< LSB, standard deviation among the ADCs of a chip
  double gain = 0.0;           ///< relative, of every ADC
  double gain_spread = 0.0;    ///< relative, standard deviation among the ADCs of a chip
  double noise = 0.0;          ///< LSB, standard deviation from conversion to conversion
  [[nodiscard]] bool any() const { return offset != 0.0 || gain != 0.0 || random(); }
  [[nodiscard]] bool random() const { return offset_spread > 0.0 || gain_spread > 0.0 || noise > 0.0; }
};

/// Column converters of an IMA. Keys `adc.*`.
struct AdcParams {
  AdcKind kind = AdcKind::sar;
  int per_ima = 8;
  int rated_bits = 8;            ///< resolution at which rate and cost are given
  base::Frequency rate{1.28e9};  ///< samples/s at rated_bits
  AdcConversion conversion = AdcConversion::clip;
  AdcModel model = AdcModel::isaac_fit;
  bool anchored = true;         ///< scale the model so that it meets `cost` at rated_bits
  double technology_nm = 32.0;  ///< for the regression model
  std::vector<AdcTableRow> table;
  AdcResolution resolution;
  AdcErrors errors;
  base::Cost cost;  ///< of all ADCs of an IMA at rated_bits and rate; parts: ADCs
};

[[nodiscard]] base::Schema schema(AdcParams& params);
[[nodiscard]] base::Schema schema(AdcResolution& params);

/// Time of one conversion at `bits` (1..kMaxAdcBits; 0 bits: no time). T = sample period at rated_bits:
/// SAR ceil(bits*T/rated_bits), flash T, ramp ceil(2^bits*T/2^rated_bits), in whole femtoseconds.
/// With the table model T is 1/rate of the row of `bits`, whatever the kind; a missing row is a ConfigError.
[[nodiscard]] base::Time conversion_time(const AdcParams& adc, int bits);

/// What a conversion gives: the digital value in units of the analog sum, and whether the sum was beyond the
/// range.
struct Converted {
  std::int64_t value = 0;
  bool clipped = false;
};
/// min(sum, 2^bits - 1); sum >= 0. 0 bits: no conversion, 0 (clipped if the sum is not 0).
[[nodiscard]] Converted convert_clip(std::int64_t sum, int bits);
/// min(rint(sum/2^shift), 2^bits - 1) * 2^shift, half to even; sum >= 0. Clipped where the minimum takes
/// effect.
[[nodiscard]] Converted convert_truncate(std::int64_t sum, int bits, int shift);
/// Signed conversion of an analog difference: clamps to +-(2^(bits-1) - 1).
[[nodiscard]] Converted convert_signed_clip(std::int64_t sum, int bits);

/// Energy of a conversion at `bits` by an ADC built for `bits`; 0 bits: none. Anchored: the model's ratio to
/// rated_bits times the published energy, cost.power / (ADCs x rate).
[[nodiscard]] base::Energy conversion_energy(const AdcParams& adc, int bits);
/// Energy of a conversion at `bits` <= `built` by an ADC built for `built` bits: it burns its power for the
/// time of the conversion, E(built) * time(bits) / time(built). With the table model: the row of `bits`.
[[nodiscard]] base::Energy conversion_energy(const AdcParams& adc, int bits, int built);
/// Area of one ADC built for `bits`; 0 bits: none. power_law says nothing about area: that of rated_bits.
[[nodiscard]] base::Area adc_area(const AdcParams& adc, int bits);
/// Power of one ADC built for `bits` that converts back to back.
[[nodiscard]] base::Power full_rate_power(const AdcParams& adc, int bits);
/// What is wrong with asking adc.model for these resolutions (0 is fine); empty: nothing.
[[nodiscard]] std::vector<base::Problem> resolution_problems(const AdcParams& adc,
                                                             const std::vector<int>& bits);

}  // namespace bitline::periphery
