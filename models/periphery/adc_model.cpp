// SPDX-License-Identifier: Apache-2.0
// Energy and area of an ADC against its resolution b. A published group cost anchors a model at rated_bits.
//
// isaac_fit   E = 0.1955 b + 4.12e-4 2^b pJ, A = 81.727 b + 2.1335 2^b um2: fit to seven points (4..10 bits)
// of a
//             public library of converters scaled from ISAAC's; the linear part is comparator and logic, the
//             exponential one the capacitor array.
// power_law   P ~ 2^b/(b+1), t ~ b (estimate of the bit-slice L1 paper, arXiv 1909.08496, ADC only). Ratio
// only:
//             it needs an anchor and says nothing about area.
// regression  the Accelergy ADC plug-in's fit to the Murmann survey, for f samples/s per ADC in t nm:
//               SNDR = 6.0206 b + 1.761
//               FOM  = min(213.781 - 2.87190 ln f, 128.3068 + 3.220519 ceil(b))
//               E    = 1/2 10^((SNDR-FOM)/10) exp(26.04962 + 1.880037 ln t - 2.829126 ln b - 1.470202) pJ
//               A    = exp(1.346192 + 0.993279 ln t + 0.180715 ln f + 0.299124 ln E) um2
//             valid from 4 bits; E is not monotone between 3 and 5 bits.
// table       rows of the config, exact resolutions only.
#include <algorithm>
#include <cmath>

#include "models/base/errors.h"
#include "models/periphery/adc.h"

namespace bitline::periphery {

namespace {

constexpr int kRegressionFromBits = 4;
constexpr double kPico = 1e-12;
constexpr double kSquareMicrometre = 1e-6;  // in mm2

double power_of_two(int bits) {
  return std::ldexp(1.0, bits);
}

/// What a model gives for one ADC: absolute values, or for power_law only a ratio.
struct Point {
  base::Energy energy{0.0};
  base::Area area{0.0};
};

Point isaac_fit(int bits) {
  return {base::Energy((0.1955 * bits + 4.12e-4 * power_of_two(bits)) * kPico),
          base::Area((81.727 * bits + 2.1335 * power_of_two(bits)) * kSquareMicrometre)};
}

Point power_law(int bits) {
  return {base::Energy(power_of_two(bits) / (bits + 1) * bits), base::Area(1.0)};
}

Point regression(const AdcParams& adc, int bits) {
  const double log_f = std::log(adc.rate.value());
  const double log_t = std::log(adc.technology_nm);
  const double sndr = 6.0206 * bits + 1.761;
  const double fom = std::min(213.781 - 2.87190 * log_f, 128.3068 + 3.220519 * bits);
  const double energy = 0.5 * std::pow(10.0, (sndr - fom) / 10.0) *
                        std::exp(26.04962 + 1.880037 * log_t - 2.829126 * std::log(bits) - 1.470202);
  const double area = std::exp(1.346192 + 0.993279 * log_t + 0.180715 * log_f + 0.299124 * std::log(energy));
  return {base::Energy(energy * kPico), base::Area(area * kSquareMicrometre)};
}

const AdcTableRow* find_row(const AdcParams& adc, int bits) {
  const auto row =
      std::find_if(adc.table.begin(), adc.table.end(), [&](const AdcTableRow& r) { return r.bits == bits; });
  return row == adc.table.end() ? nullptr : &*row;
}

/// Whether adc.model has a figure for so many bits.
bool is_given(const AdcParams& adc, int bits) {
  if (bits == 0) return true;
  if (adc.model == AdcModel::regression) return bits >= kRegressionFromBits;
  return adc.model != AdcModel::table || find_row(adc, bits) != nullptr;
}

Point model_point(const AdcParams& adc, int bits) {
  if (!is_given(adc, bits)) throw base::ConfigError(resolution_problems(adc, {bits}));
  switch (adc.model) {
    case AdcModel::isaac_fit:
      return isaac_fit(bits);
    case AdcModel::power_law:
      return power_law(bits);
    case AdcModel::regression:
      return regression(adc, bits);
    case AdcModel::table:
      return {find_row(adc, bits)->energy, find_row(adc, bits)->area};
  }
  BITLINE_CHECK(false);
  return {};
}

}  // namespace

base::Energy conversion_energy(const AdcParams& adc, int bits) {
  if (bits == 0) return {};
  const Point point = model_point(adc, bits);
  if (!adc.anchored) return point.energy;
  const base::Energy published = adc.cost.power_of_one(adc.per_ima) / adc.rate;
  return published * (point.energy / model_point(adc, adc.rated_bits).energy);
}

base::Energy conversion_energy(const AdcParams& adc, int bits, int built) {
  BITLINE_CHECK(bits >= 0 && bits <= built);
  if (bits == 0) return {};
  if (bits == built || adc.model == AdcModel::table) return conversion_energy(adc, bits);
  const double share = conversion_time(adc, bits).seconds() / conversion_time(adc, built).seconds();
  return conversion_energy(adc, built) * share;
}

base::Area adc_area(const AdcParams& adc, int bits) {
  if (bits == 0) return {};
  const Point point = model_point(adc, bits);
  if (!adc.anchored) return point.area;
  const base::Area published = adc.cost.area_of(adc.per_ima) / adc.per_ima;
  return published * (point.area / model_point(adc, adc.rated_bits).area);
}

base::Power full_rate_power(const AdcParams& adc, int bits) {
  if (bits == 0) return {};
  return conversion_energy(adc, bits) / conversion_time(adc, bits);
}

std::vector<base::Problem> resolution_problems(const AdcParams& adc, const std::vector<int>& bits) {
  std::vector<int> missing = bits;
  std::sort(missing.begin(), missing.end());
  missing.erase(std::unique(missing.begin(), missing.end()), missing.end());
  missing.erase(std::remove_if(missing.begin(), missing.end(), [&](int b) { return is_given(adc, b); }),
                missing.end());
  if (missing.empty()) return {};
  std::string list;
  for (const int b : missing) list += (list.empty() ? "" : ", ") + std::to_string(b);
  if (adc.model == AdcModel::regression) {
    return {{"adc.model", "regression does not hold at " + list + " bits", "4 bits and more",
             "choose another adc.model or more bits"}};
  }
  std::string rows;
  for (const AdcTableRow& row : adc.table) rows += (rows.empty() ? "" : ", ") + std::to_string(row.bits);
  return {
      {"adc.table", "no row for " + list + " bits (rows: " + rows + ")", "a row for each resolution in use",
       "rows are not interpolated: add {bits, energy, area, rate} for each, or choose another adc.model"}};
}

}  // namespace bitline::periphery
