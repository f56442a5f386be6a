// SPDX-License-Identifier: Apache-2.0
#include "models/noc/noc.h"

#include <cmath>

#include "models/base/schema.h"

namespace bitline::noc {

base::Schema schema(NocParams& params) {
  base::Schema s;
  s.integer("tiles_per_router", params.tiles_per_router, 1, 64, "tiles that share a router");
  s.integer("flit_bits", params.flit_bits, 1, 1 << 16, "bits of a flit");
  s.frequency("clock", params.clock, base::Frequency(1e3), base::Frequency(1e12),
              "of routers and links: one flit per link and cycle");
  s.integer("router_cycles", params.router_cycles, 1, 1000,
            "cycles from a flit's arrival at a router to its departure");
  s.integer("buffer_flits", params.buffer_flits, 1, 1 << 20,
            "places in each input buffer of a router; a place is free again a cycle after its flit left");
  s.integer("ports", params.ports, 1, 1024, "flits through a router per cycle at full rate");
  s.single_cost(params.cost, "one router");
  return s;
}

base::Schema schema(LinkParams& params) {
  base::Schema s;
  s.integer("links", params.links, 1, 1024, "external links of the chip");
  s.byte_rate("bandwidth", params.bytes_per_second, base::Frequency(1e3), base::Frequency(1e15),
              "of one link");
  s.cost(params.cost, "links");
  return s;
}

std::int64_t flits(const NocParams& noc, std::int64_t bits) {
  return (bits + noc.flit_bits - 1) / noc.flit_bits;
}

base::Time occupancy(const NocParams& noc, std::int64_t bits) {
  return base::period(noc.clock) * flits(noc, bits);
}

base::Time hop_latency(const NocParams& noc) {
  return base::period(noc.clock) * noc.router_cycles;
}

base::Time occupancy(const LinkParams& link, std::int64_t bytes) {
  const double fs = static_cast<double>(bytes) * 1e15 / (link.links * link.bytes_per_second.value());
  return base::Time::from_fs(static_cast<std::int64_t>(std::ceil(fs)));
}

base::Energy flit_energy(const NocParams& noc) {
  return noc.cost.power / (noc.clock * static_cast<double>(noc.ports));
}

base::Energy byte_energy(const LinkParams& link) {
  return link.cost.power_of_one(link.links) / link.bytes_per_second;
}

}  // namespace bitline::noc
