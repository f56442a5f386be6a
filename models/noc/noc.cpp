// SPDX-License-Identifier: Apache-2.0
#include "models/noc/noc.h"

#include <cmath>

namespace bitline::noc {

std::int64_t flits(const NocParams& noc, std::int64_t bits) { return (bits + noc.flit_bits - 1) / noc.flit_bits; }

base::Time occupancy(const NocParams& noc, std::int64_t bits) { return base::period(noc.clock) * flits(noc, bits); }

base::Time hop_latency(const NocParams& noc) { return base::period(noc.clock) * noc.router_cycles; }

base::Time occupancy(const LinkParams& link, std::int64_t bytes) {
  const double seconds = static_cast<double>(bytes) / (link.links * link.bytes_per_second.value());
  return base::Time::from_fs(static_cast<std::int64_t>(std::ceil(seconds * 1e15)));
}

base::Energy flit_energy(const NocParams& noc) {
  return noc.cost.power / (noc.clock * static_cast<double>(noc.ports));
}

base::Energy byte_energy(const LinkParams& link) {
  return link.cost.power_of_one(link.links) / link.bytes_per_second;
}

}  // namespace bitline::noc
