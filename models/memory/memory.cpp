// SPDX-License-Identifier: Apache-2.0
#include "models/memory/memory.h"

namespace bitline::memory {

namespace {

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

}  // namespace

std::int64_t accesses(const EdramParams& edram, std::int64_t bytes) {
  return ceil_div(bytes * 8, edram.width_bits);
}

base::Time occupancy(const EdramParams& edram, std::int64_t bytes) {
  return base::period(edram.clock) * ceil_div(accesses(edram, bytes), edram.banks);
}

base::Time occupancy(const BusParams& bus, std::int64_t bits) {
  return base::period(bus.clock) * ceil_div(bits, bus.wires);
}

base::Energy byte_energy(const RegisterParams& reg) { return reg.cost.power / reg.bandwidth; }

base::Energy access_energy(const EdramParams& edram) {
  return edram.cost.power / (edram.clock * static_cast<double>(edram.banks));
}

base::Energy bit_energy(const BusParams& bus) { return bus.cost.power_of_one(bus.wires) / bus.clock; }

}  // namespace bitline::memory
