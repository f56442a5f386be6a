// SPDX-License-Identifier: Apache-2.0
// The values of a network on chips whose cells and converters are not ideal: one simulated chip per seed.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "mapper/reference/executor.h"
#include "sim/deadline.h"
#include "sim/engine/analog_chip.h"
#include "sim/mapping.h"
#include "sim/values.h"

namespace bitline::sim {

/// Whether any effect of the machine makes its values differ from the exact integers.
[[nodiscard]] bool has_effects(const arch::Arch& arch);
/// Whether these differ from chip to chip (or from read to read).
[[nodiscard]] bool chips_differ(const arch::Arch& arch);

/// For what knows the exact integers only: throws base::ConfigError where the machine has effects.
void require_no_effects(const arch::Arch& arch);

struct ChipsRequest {
  std::int64_t chips = 1;                             ///< with seeds from device.seed on
  const std::vector<std::int64_t>* labels = nullptr;  ///< one per image
  const reference::Executor* reference = nullptr;     ///< needed with `labels`
  std::vector<quantize::Inputs> calibration;          ///< what device.worst_case looks at
  std::string dump_layers;                            ///< folder for the integers of the first chip
  /// Receives the outputs of every image on the first chip, one call at a time, in any order; may be empty.
  std::function<void(std::int64_t index, const Outputs& outputs)> outputs;
};
struct ChipsValues {
  result::DeviceResult device;
  std::optional<result::Accuracy> accuracy;  ///< of the first chip
};

/// Every image on every chip. `network` holds the exact functions. Throws base::MappingError where the cells
/// of a chip would take more memory than allowed, base::ConfigError for a faulty device.stuck.map.
[[nodiscard]] ChipsValues run_chips(const Mapping& mapping, const engine::NetworkFunction& network,
                                    const Images& images, const ChipsRequest& request,
                                    const Deadline& deadline, const Progress& progress);

/// The layers of a mapping as the chip holds them.
[[nodiscard]] std::vector<engine::AnalogSource> analog_sources(const Mapping& mapping);
/// What the chip with `seed` is made by, without known faults.
[[nodiscard]] engine::AnalogSetup analog_setup(const arch::Arch& arch, std::uint64_t seed);

}  // namespace bitline::sim
