// SPDX-License-Identifier: Apache-2.0
// One image through the stages with no notion of time.
#pragma once

#include <memory>
#include <vector>

#include "mapper/place/program.h"
#include "mapper/place/window_table.h"

namespace bitline::place {

/// Raises `capacity` of edges where the run blocks; each must hold the span of its window. `tables`: by edge.
/// Throws base::MappingError naming the stage where it stops if no buffer can help.
void grow_until_image_passes(Program& program, const std::vector<std::shared_ptr<const WindowTable>>& tables);

}  // namespace bitline::place
