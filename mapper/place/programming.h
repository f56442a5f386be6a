// SPDX-License-Identifier: Apache-2.0
// What is written into crossbars before each phase of a program.
#pragma once

#include <vector>

#include "mapper/place/program.h"

namespace bitline::place {

/// Fills what is written of `layers` and of `phases` (one per phase), and writes_per_cell, from the placed
/// crossbars. A crossbar is written where it is read: the rows that it drives x the columns that it converts,
/// cells between packed groups included.
void add_programming(Program& program, const std::vector<LayerInput>& layers);

}  // namespace bitline::place
