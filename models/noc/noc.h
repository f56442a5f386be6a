// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "models/base/cost.h"
#include "models/base/units.h"

namespace bitline::noc {

/// Concentrated 2-D mesh with XY routing. Keys `noc.*`. `cost` is that of one router.
struct NocParams {
  int tiles_per_router = 4;
  int flit_bits = 32;
  base::Frequency clock{1e9};  ///< of routers and links: one flit per link and cycle
  int router_cycles = 1;       ///< from a flit's arrival at a router to its departure
  int ports = 8;               ///< for the energy at full rate: flits per router and cycle
  base::Cost cost;
};

/// External link of the chip. Keys `chip.link.*`. `cost` is that of all links.
struct LinkParams {
  int links = 4;
  base::Frequency bytes_per_second{6.4e9};  ///< of one link
  base::Cost cost;
};

}  // namespace bitline::noc
