// SPDX-License-Identifier: Apache-2.0
#include "models/memory/memory.h"

#include "models/base/schema.h"

namespace bitline::memory {

namespace {

std::int64_t ceil_div(std::int64_t a, std::int64_t b) {
  return (a + b - 1) / b;
}

constexpr base::Frequency kSlowest{1e3};
constexpr base::Frequency kFastest{1e12};
constexpr std::int64_t kLargest = std::int64_t{1} << 40;

}  // namespace

base::Schema schema(RegisterParams& params) {
  base::Schema s = pass_through_schema(params);
  s.integer("buffers", params.buffers, 1, 1024,
            "buffers of `capacity`; 2: one is filled while the other is used");
  return s;
}

base::Schema pass_through_schema(RegisterParams& params) {
  base::Schema s;
  s.bytes("capacity", params.capacity_bytes, 1, kLargest, "of one buffer");
  s.time("latency", params.latency, {}, base::kMaxLatency, "of a write");
  s.byte_rate("bandwidth", params.bandwidth, kSlowest, base::Frequency(1e15),
              "bytes read and written per second at full rate, at which `power` is given");
  s.memory_cost(params.cost);
  return s;
}

base::Schema schema(EdramParams& params) {
  base::Schema s;
  s.bytes("capacity", params.capacity_bytes, 1, kLargest, "of the tile's buffer for layer inputs");
  s.integer("width", params.width_bits, 8, 1 << 16, "bits per access");
  s.integer("banks", params.banks, 1, 1024, "accesses that can be under way together");
  s.frequency("clock", params.clock, kSlowest, kFastest,
              "one access per bank and cycle; full rate: all banks busy");
  s.time("latency", params.latency, {}, base::kMaxLatency, "from request to data, beside the transfer");
  s.memory_cost(params.cost);
  return s;
}

base::Schema schema(BusParams& params) {
  base::Schema s;
  s.integer("wires", params.wires, 1, 1 << 16, "bits moved per cycle between eDRAM and IMAs");
  s.frequency("clock", params.clock, kSlowest, kFastest, "of the bus; full rate: every wire in every cycle");
  s.cost(params.cost, "wires");
  return s;
}

std::int64_t accesses(const EdramParams& edram, std::int64_t bytes) {
  return ceil_div(bytes * 8, edram.width_bits);
}

base::Time occupancy(const EdramParams& edram, std::int64_t bytes) {
  return base::period(edram.clock) * ceil_div(accesses(edram, bytes), edram.banks);
}

base::Time occupancy(const BusParams& bus, std::int64_t bits) {
  return base::period(bus.clock) * ceil_div(bits, bus.wires);
}

base::Energy byte_energy(const RegisterParams& reg) {
  return reg.cost.power / reg.bandwidth;
}

base::Energy access_energy(const EdramParams& edram) {
  return edram.cost.power / (edram.clock * static_cast<double>(edram.banks));
}

base::Energy bit_energy(const BusParams& bus) {
  return bus.cost.power_of_one(bus.wires) / bus.clock;
}

}  // namespace bitline::memory
