// SPDX-License-Identifier: Apache-2.0
// A network larger than the chip, cut into phases that follow each other on it.
#pragma once

#include "mapper/place/fit.h"

namespace bitline::place {

/// Consecutive stages as a stream of their own. Values that come from earlier phases are inputs of it, values
/// that later phases take are outputs (Stage::stored).
struct Phased {
  Program stream;
  Layers layers;
};

/// The stages [first, last) of `whole`, none of them an input or output.
[[nodiscard]] Phased cut_phase(const Program& whole, const Layers& layers, StageId first, StageId last);

/// `whole` (build_pipeline) on one chip: as it is where it fits; else in phases, each with as many
/// consecutive stages as fit. Throws base::MappingError naming a layer that is larger than the chip by
/// itself, or what a stage alone in its phase is short of.
[[nodiscard]] Program in_phases(Program whole, const arch::Arch& arch, const Layers& layers);

}  // namespace bitline::place
