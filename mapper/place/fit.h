// SPDX-License-Identifier: Apache-2.0
// A network on a given number of chips: smaller buffers and fewer copies until it has a place.
#pragma once

#include <vector>

#include "mapper/place/limited.h"
#include "mapper/place/partition.h"
#include "models/base/errors.h"

namespace bitline::place {

/// What a stream of stages is placed from; by layer.
struct Layers {
  std::vector<LayerInput> inputs;
  Partitions parts;
  int most_copies = kAnyCopies;  ///< of a layer, where they are balanced
};

/// IMAs that `stream` takes with one copy of each layer, or with those that mapping.replicas asks for.
[[nodiscard]] std::int64_t least_imas(const Program& stream, const arch::Arch& arch, const Layers& layers);

/// Gives `program` (of build_pipeline(), or left by an attempt that failed) capacities, copies and tiles on
/// `chips` chips. False where it does not fit them; `problem` then says what is short. Throws
/// base::MappingError where mapping.replicas is wrong or more IMAs are needed than there are.
[[nodiscard]] bool fit(Program& program, int chips, const arch::Arch& arch, const Layers& layers,
                       base::Problem& problem);

}  // namespace bitline::place
