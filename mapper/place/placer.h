// SPDX-License-Identifier: Apache-2.0
// Layers and digital stages to tiles, their buffers to eDRAM.
#pragma once

#include <optional>
#include <vector>

#include "mapper/place/partition.h"
#include "models/base/errors.h"

namespace bitline::place {

/// What found no place.
struct Misfit {
  base::Problem problem;
  LayerId layer = -1;  ///< -1: a digital stage
};

/// Which of the tiles with room a digital stage is given, from where its first input is made on.
enum class DigitalTiles {
  idle,  ///< the first whose units have time (UnitLedger)
  near,  ///< the first
};

/// Gives every stage of `program` its tiles; `parts`: its layers, whose `replicas` are set, as cut by
/// partition(). Returns what does not fit where an eDRAM is too small for the buffers asked for; the program
/// is then of no use. Throws base::MappingError where no other buffers could help: crossbars, registers.
[[nodiscard]] std::optional<Misfit> try_place(Program& program, const arch::Arch& arch,
                                              const std::vector<LayerInput>& layers, const Partitions& parts,
                                              DigitalTiles digital);

}  // namespace bitline::place
