// SPDX-License-Identifier: Apache-2.0
// The first half of placement: the graph as stages and edges, before anything has a tile.
#pragma once

#include "mapper/place/program.h"

namespace bitline::place {

/// Fills `program.stages` and `program.edges` (no tiles, deliveries or capacities) from `program.graph`.
/// Layers are numbered in the order of crossbar nodes. Unary operators (ReLU, clip, sigmoid, scale-shift)
/// that alone read a value are fused into the stage that makes it; Flatten and Reshape are names for the same
/// stream.
void build_pipeline(Program& program, int activation_bits);

/// Bytes that hold `elements` values of `bits` each.
[[nodiscard]] constexpr std::int64_t packed_bytes(std::int64_t elements, int bits) {
  return (elements * bits + 7) / 8;
}

}  // namespace bitline::place
