// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <limits>
#include <memory>
#include <vector>

#include "mapper/place/program.h"

namespace bitline::place {

/// No limit to the copies of a layer but the rule's own.
inline constexpr int kAnyCopies = std::numeric_limits<int>::max();

/// place() with balanced copies, at most `most_copies` of each layer.
[[nodiscard]] Program place_limited(std::shared_ptr<const graph::Graph> graph, const arch::Arch& arch,
                                    const std::vector<LayerInput>& layers, int most_copies);

}  // namespace bitline::place
