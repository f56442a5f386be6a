// SPDX-License-Identifier: Apache-2.0
// What a placed program sends over the network on chip for an image, and how far it goes.
#pragma once

#include <cstdint>
#include <vector>

#include "mapper/place/program.h"

namespace bitline::place {

/// Packets of `bytes` each from one tile to another of its chip, or from or to the chip's link (link_of).
struct Flow {
  int from = 0;
  int to = 0;
  std::int64_t packets = 0;  ///< of the first image, where copies of a layer work on unequally many windows
  std::int64_t bytes = 0;
};
/// Pixels to the tiles that buffer them, partial sums to their joins, inputs and outputs of the network. What
/// stays in a tile is none; what goes to another chip flows to the link of its own and from that of the
/// other.
[[nodiscard]] std::vector<Flow> flows(const Program& program, const arch::Arch& arch);

/// Of an image. Hop-bytes (Agarwal et al., IPDPS 2006): each byte times the links between routers that it
/// crosses; none between tiles of one router.
struct NocTraffic {
  std::int64_t bytes = 0;
  std::int64_t hop_bytes = 0;
  std::int64_t between_chips = 0;  ///< bytes that go from one chip to another
};
[[nodiscard]] NocTraffic noc_traffic(const Program& program, const arch::Arch& arch);

}  // namespace bitline::place
