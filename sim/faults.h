// SPDX-License-Identifier: Apache-2.0
// Cells that are stuck because a file says so, or because they hurt most.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "mapper/quantize/quantize.h"
#include "sim/engine/analog_chip.h"
#include "sim/mapping.h"

namespace bitline::sim {

/// Reads a fault map: lines `tile,ima,crossbar,row,column,off` (or on), counted from 0; empty lines, and
/// those that start with '#', say nothing. Throws base::ConfigError with every faulty line.
[[nodiscard]] std::map<engine::ChipCell, device::Stuck> read_fault_map(const std::string& path,
                                                                       const arch::Arch& arch);

/// device.worst_case: `cells` cells, each stuck at the end of its range that is farther from its level. A
/// cell of bit weight 2^s under input row i, in the column of output j, moves Y[j] by its change of level x
/// 2^s x x[i]; its harm is the root mean square of that over the calibration inputs, in the scale of the
/// output, relative to the length of the vector of all outputs of the layer: no gradient, and no network run
/// per cell. Each layer is judged by itself: what later layers make of an error is not followed. `random`
/// takes cells at random instead, by `seed`.
[[nodiscard]] std::map<engine::WeightCell, device::Stuck> worst_cells(
    const Mapping& mapping, const engine::NetworkFunction& network,
    const std::vector<quantize::Inputs>& calibration, std::uint64_t seed);

}  // namespace bitline::sim
