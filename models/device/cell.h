// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "models/base/units.h"

namespace bitline::device {

/// published: every cell read costs the crossbar group's power share (crossbar.power at full rate);
/// ohmic: V^2 * G * t with the conductance of the cell's level and the driven input.
enum class ReadEnergyModel { published, ohmic };

/// One ReRAM cell. Keys `device.*`.
struct DeviceParams {
  int bits_per_cell = 2;
  ReadEnergyModel read_energy = ReadEnergyModel::published;
  base::Resistance r_on{1333.0};
  base::Resistance r_off{20e3};
  base::Voltage read_voltage{0.2};
};

}  // namespace bitline::device
