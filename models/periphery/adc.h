// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "models/base/cost.h"
#include "models/base/units.h"

namespace bitline::periphery {

enum class AdcKind { sar, flash, ramp };
enum class AdcConversion { clip, truncate };
enum class AdcPolicy { fixed, isaac, lossless };
/// How energy and area follow from the resolution. See adc.cpp for each equation and its source.
enum class AdcModel { isaac_fit, power_law, regression, table };

/// A row of the `table` model.
struct AdcTableRow {
  int bits = 0;
  base::Energy energy{0.0};     ///< per conversion
  base::Area area{0.0};         ///< of one ADC
  base::Frequency rate{0.0};    ///< samples per second
};

struct AdcResolution {
  AdcPolicy policy = AdcPolicy::isaac;
  std::vector<int> bits = {8};  ///< policy fixed: one number, or one per slice, most significant first
};

/// Column converters of an IMA. Keys `adc.*`.
struct AdcParams {
  AdcKind kind = AdcKind::sar;
  int per_ima = 8;
  int rated_bits = 8;                 ///< resolution at which rate and cost are given
  base::Frequency rate{1.28e9};       ///< samples/s at rated_bits
  AdcConversion conversion = AdcConversion::clip;
  AdcModel model = AdcModel::isaac_fit;
  bool anchored = true;               ///< scale the model so that it meets `cost` at rated_bits
  double technology_nm = 32.0;        ///< for the regression model
  std::vector<AdcTableRow> table;
  AdcResolution resolution;
  base::Cost cost;                    ///< of all ADCs of an IMA at rated_bits and rate
};

}  // namespace bitline::periphery
