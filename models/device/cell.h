// SPDX-License-Identifier: Apache-2.0
// The ReRAM cell: levels, conductance and read energy. What makes it differ from an ideal cell: effects.h.
#pragma once

#include "models/base/units.h"
#include "models/device/effects.h"

namespace bitline::base {
class Schema;
}

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
  EffectParams effects;
  base::Time write_latency = base::Time::from_ns(40);
  base::Voltage write_voltage{2.0};
  double endurance = 1e9;  ///< writes that a cell lasts for
};

[[nodiscard]] base::Schema schema(DeviceParams& params);

/// Conductance in siemens of a cell at `level` (0 ... 2^bits_per_cell - 1): levels are equidistant between
/// 1/r_off (level 0) and 1/r_on. `level` may be a mean.
[[nodiscard]] double conductance(const DeviceParams& device, double level);
/// Ohmic energy of one read of a cell at `level` whose row is driven with read_voltage for `duration`: V^2 *
/// G * t.
[[nodiscard]] base::Energy ohmic_read_energy(const DeviceParams& device, double level, base::Time duration);
/// One write of a cell to `level`: V^2 * G * t with write_voltage, the conductance of the level that it ends
/// with, and write_latency. The cells of a row are written together, from whatever they held before.
[[nodiscard]] base::Energy write_energy(const DeviceParams& device, double level);

}  // namespace bitline::device
