// SPDX-License-Identifier: Apache-2.0
// Buffers of the chip and the bus between them: capacity, transfer time, energy per byte, access or bit.
// Left out: refresh (in static_power if it matters), bank conflicts (accesses spread evenly over the banks).
#pragma once

#include <cstdint>

#include "models/base/cost.h"
#include "models/base/units.h"

namespace bitline::base {
class Schema;
}

namespace bitline::memory {

/// `ima.input_register.*`, `ima.output_register.*`, `tile.output_register.*`. Cost parts: bytes of capacity
/// (of one buffer; more buffers are part of the same published area).
struct RegisterParams {
  std::int64_t capacity_bytes = 2048;
  int buffers = 2;                    ///< IMA only; 2: the next vector is loaded while this one is used
  base::Time latency{};               ///< of a write
  base::Frequency bandwidth{2.56e9};  ///< bytes read and written per second that `cost.power` is given at
  base::Cost cost;
};

/// The tile's buffer for layer inputs. `tile.edram.*`. Cost parts: bytes.
struct EdramParams {
  std::int64_t capacity_bytes = 64 * 1024;
  int width_bits = 256;
  int banks = 2;                 ///< accesses that can be under way together
  base::Frequency clock{1.2e9};  ///< one access per bank and cycle
  base::Time latency{};          ///< from request to data, beside the transfer
  base::Cost cost;
};

/// eDRAM to IMA bus, one per tile. `tile.bus.*`. Cost parts: wires.
struct BusParams {
  int wires = 384;
  base::Frequency clock{1.2e9};
  base::Cost cost;
};

[[nodiscard]] base::Schema schema(RegisterParams& params);
/// Of a register that values pass without waiting in it: no `buffers`.
[[nodiscard]] base::Schema pass_through_schema(RegisterParams& params);
[[nodiscard]] base::Schema schema(EdramParams& params);
[[nodiscard]] base::Schema schema(BusParams& params);

/// Accesses of width_bits that move `bytes`: ceil(8*bytes / width_bits).
[[nodiscard]] std::int64_t accesses(const EdramParams& edram, std::int64_t bytes);
/// How long a transfer of `bytes` occupies the eDRAM: ceil(accesses / banks) cycles. The latency comes on
/// top.
[[nodiscard]] base::Time occupancy(const EdramParams& edram, std::int64_t bytes);
/// How long `bits` occupy the bus: ceil(bits / wires) cycles.
[[nodiscard]] base::Time occupancy(const BusParams& bus, std::int64_t bits);

/// Energy of one byte read or written.
[[nodiscard]] base::Energy byte_energy(const RegisterParams& reg);
/// Energy of one access of width_bits.
[[nodiscard]] base::Energy access_energy(const EdramParams& edram);
/// Energy of one bit over the bus.
[[nodiscard]] base::Energy bit_energy(const BusParams& bus);

}  // namespace bitline::memory
