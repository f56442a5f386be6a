// SPDX-License-Identifier: Apache-2.0
#include "models/device/cell.h"

#include "models/base/schema.h"

namespace bitline::device {

base::Schema schema(DeviceParams& params) {
  using base::Resistance;
  using base::Voltage;
  base::Schema s;
  s.integer("bits_per_cell", params.bits_per_cell, 1, 8, "bits stored in one cell (2^bits levels)");
  s.choice<ReadEnergyModel>(
      "read_energy", params.read_energy,
      {{"published", ReadEnergyModel::published}, {"ohmic", ReadEnergyModel::ohmic}},
      "energy of a cell read: published = its share of crossbar.power during read_latency; "
      "ohmic = V^2 * G * read_latency with the conductance of the stored level");
  s.resistance("r_on", params.r_on, Resistance(1.0), Resistance(1e12),
               "resistance at the highest level (of ohmic reads and of the effects below)");
  s.resistance("r_off", params.r_off, Resistance(1.0), Resistance(1e12),
               "resistance at level 0 (of ohmic reads, and off_state finite)");
  s.voltage("read_voltage", params.read_voltage, Voltage(1e-3), Voltage(10.0),
            "voltage on a driven row (ohmic only)");
  add_effects(s, params.effects);
  s.time("write_latency", params.write_latency, base::Time::from_fs(1), base::Time::from_ns(1'000'000'000),
         "to program the cells of one row, verification included (mapping.oversize reprogram only)");
  s.voltage(
      "write_voltage", params.write_voltage, Voltage(1e-3), Voltage(100.0),
      "on a cell that is programmed: it takes V^2 * G * write_latency with the conductance of its new level");
  s.real("endurance", params.endurance, 1.0, 1e18,
         "writes that a cell lasts for; gives the lifetime of a chip that is reprogrammed");
  return s;
}

double conductance(const DeviceParams& device, double level) {
  const double off = 1.0 / device.r_off.value();
  const double on = 1.0 / device.r_on.value();
  const double highest = static_cast<double>((1 << device.bits_per_cell) - 1);
  return off + (on - off) * level / highest;
}

base::Energy ohmic_read_energy(const DeviceParams& device, double level, base::Time duration) {
  const double volts = device.read_voltage.value();
  return base::Energy(volts * volts * conductance(device, level) * duration.seconds());
}

base::Energy write_energy(const DeviceParams& device, double level) {
  const double volts = device.write_voltage.value();
  return base::Energy(volts * volts * conductance(device, level) * device.write_latency.seconds());
}

}  // namespace bitline::device
