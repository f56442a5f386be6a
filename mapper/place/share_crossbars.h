// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "mapper/place/program.h"

namespace bitline::place {

/// Sets which layers of `program` use whose crossbars (`shares`), and in which order (`after`).
void share_crossbars(Program& program, const std::vector<LayerInput>& layers);

}  // namespace bitline::place
