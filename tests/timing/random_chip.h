// SPDX-License-Identifier: Apache-2.0
// Small random networks on small random chips.
#pragma once

#include <cstdint>

#include "tests/timing/chip_support.h"

namespace bitline::timing_test {

/// A network of 1 to 5 layers (convolutions, residuals, concatenations, pooling, fully connected) on a chip
/// whose crossbars, converters, tiles, mesh, clocks, buffers and copies of layers are drawn from `seed`.
[[nodiscard]] Network random_network(std::uint32_t seed);

/// A chain of convolutions on a chip where the mesh, the link and the tile's eDRAM and digital units hold
/// nothing up, nor with `fast_bus` the bus.
[[nodiscard]] Network random_chain(std::uint32_t seed, bool fast_bus);

/// The same graph as random_network(seed), for machines of one's own.
[[nodiscard]] std::shared_ptr<const graph::Graph> random_graph(std::uint32_t seed);
[[nodiscard]] arch::Arch random_machine(std::uint32_t seed);

}  // namespace bitline::timing_test
