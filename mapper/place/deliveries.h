// SPDX-License-Identifier: Apache-2.0
// Which part of each input pixel the tiles and IMAs of a crossbar layer take.
#pragma once

#include <vector>

#include "mapper/place/program.h"

namespace bitline::place {

/// The input `edge` of layer `l` cut into IMAs `imas`: each of their tiles gets the channels of the producer
/// that its rows come from, of `bits` each; the whole pixel where rows are laid out otherwise. The IMAs are
/// all those of the layer, tile after tile.
[[nodiscard]] Few<Delivery> deliveries(const Program& program, const Edge& edge, LayerId l,
                                       const slice::SlicedLayer& sliced, const std::vector<ImaPart>& imas,
                                       int bits);

/// Of the distinct rows of an IMA, per window.
[[nodiscard]] std::int64_t input_bytes(const ImaPart& ima, const slice::SlicedLayer& sliced, int bits);

}  // namespace bitline::place
