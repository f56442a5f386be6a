// SPDX-License-Identifier: Apache-2.0
#include "models/device/programming.h"

#include <algorithm>
#include <cmath>

namespace bitline::device {
namespace {

double varied(const DeviceParams& device, double siemens, std::uint32_t draw) {
  const EffectParams& effects = device.effects;
  const double sigma = effects.variation_sigma;
  switch (effects.variation) {
    case Variation::none:
      return siemens;
    case Variation::normal:
      return siemens * (1.0 + sigma * normal(draw));
    case Variation::normal_of_range:
      return siemens + sigma * normal(draw) / device.r_on.value();
    case Variation::lognormal:
      return siemens * std::exp(sigma * normal(draw));
    case Variation::measured:
      return siemens + measured_deviation(device, siemens) * normal(draw);
  }
  return siemens;
}

double drifted(const EffectParams& effects, double siemens, std::uint32_t draw) {
  double exponent = effects.drift_exponent;
  if (effects.drift_spread > 0) exponent += effects.drift_spread * normal(draw);
  if (exponent == 0) return siemens;
  return siemens * std::pow(effects.drift_time_s / effects.drift_reference_s, -exponent);
}

}  // namespace

double target(const DeviceParams& device, double level) {
  return device.effects.off_state == OffState::finite ? conductance(device, level)
                                                      : level * level_step(device);
}

double level_step(const DeviceParams& device) {
  const double off = device.effects.off_state == OffState::finite ? 1.0 / device.r_off.value() : 0.0;
  return (1.0 / device.r_on.value() - off) / static_cast<double>((1 << device.bits_per_cell) - 1);
}

double measured_deviation(const DeviceParams& device, double siemens) {
  constexpr double kFullScale = 40.0;  // uS
  const double x = siemens * device.r_on.value();
  const double microsiemens = 0.348 + x * (16.03 + x * (-43.853 + x * (45.393 - x * 16.815)));
  return microsiemens / kFullScale / device.r_on.value();
}

Stuck drawn_fault(const EffectParams& effects, const Words& draws) {
  if (effects.stuck_off == 0.0 && effects.stuck_on == 0.0) return Stuck::no;
  const double u = uniform(draws[1]);
  if (u < effects.stuck_off) return Stuck::off;
  return u < effects.stuck_off + effects.stuck_on ? Stuck::on : Stuck::no;
}

double programmed(const DeviceParams& device, double level, Stuck stuck, const Words& draws) {
  if (stuck == Stuck::off) return target(device, 0);
  if (stuck == Stuck::on) return 1.0 / device.r_on.value();
  const double siemens = std::max(0.0, varied(device, target(device, level), draws[0]));
  return drifted(device.effects, siemens, draws[2]);
}

}  // namespace bitline::device
