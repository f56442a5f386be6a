// SPDX-License-Identifier: Apache-2.0
// Which digital unit does an operator's work, and how much of it a pixel takes.
#pragma once

#include <optional>

#include "mapper/place/gather.h"
#include "models/tile/tile_params.h"

namespace bitline::place {

/// The unit of an operator with one computed input that works element by element; none for others.
[[nodiscard]] std::optional<Unit> unary_unit(const graph::Node& node);

/// The work of node `n` per pixel of its output `out`; none where crossbars or the bus do it.
[[nodiscard]] std::optional<UnitWork> own_work(const graph::Graph& graph, graph::NodeId n,
                                               const Geometry& out);

/// What it takes for one pixel on the units of one tile.
[[nodiscard]] double seconds_of(const UnitWork& work, const tile::TileParams& tile);

}  // namespace bitline::place
