// SPDX-License-Identifier: Apache-2.0
// Routers and links between tiles, and the link that leaves the chip: flits, transfer times, energy.
#pragma once

#include <cstdint>

#include "models/base/cost.h"
#include "models/base/units.h"

namespace bitline::base {
class Schema;
}

namespace bitline::noc {

/// Concentrated 2-D mesh with XY routing. Keys `noc.*`. `cost` is that of one router.
struct NocParams {
  int tiles_per_router = 4;
  int flit_bits = 32;
  base::Frequency clock{1e9};  ///< of routers and links: one flit per link and cycle
  int router_cycles = 1;       ///< from a flit's arrival at a router to its departure
  int buffer_flits = 8;        ///< of each input buffer of a router
  int ports = 8;               ///< for the energy at full rate: flits per router and cycle
  base::Cost cost;
};

/// External link of the chip. Keys `chip.link.*`. Cost parts: links.
struct LinkParams {
  int links = 4;
  base::Frequency bytes_per_second{6.4e9};  ///< of one link
  base::Cost cost;
};

[[nodiscard]] base::Schema schema(NocParams& params);
[[nodiscard]] base::Schema schema(LinkParams& params);

/// Flits of a packet of `bits`: ceil(bits / flit_bits).
[[nodiscard]] std::int64_t flits(const NocParams& noc, std::int64_t bits);
/// How long a packet of `bits` occupies each link on its way: one cycle per flit.
[[nodiscard]] base::Time occupancy(const NocParams& noc, std::int64_t bits);
/// Latency of a packet's head through one router.
[[nodiscard]] base::Time hop_latency(const NocParams& noc);
/// How long `bytes` occupy the external link; they spread over all links. Rounded up to a femtosecond.
[[nodiscard]] base::Time occupancy(const LinkParams& link, std::int64_t bytes);

/// Energy of one flit through one router.
[[nodiscard]] base::Energy flit_energy(const NocParams& noc);
/// Energy of one byte over the external link.
[[nodiscard]] base::Energy byte_energy(const LinkParams& link);

}  // namespace bitline::noc
