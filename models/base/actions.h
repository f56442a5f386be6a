// SPDX-License-Identifier: Apache-2.0
// The actions that cost energy. Every simulation mode counts these (whole numbers, so sums never depend on
// order); energy is count x energy per action, evaluated once at the end from the component models.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace bitline::base {

enum class Action : std::uint8_t {
  cell_read,              ///< one cell of a converted column under a row driven with a non-zero chunk
  dac_drive,              ///< one row of one crossbar driven with a non-zero chunk
  sample_hold,            ///< one column value held
  shift_add,              ///< one addition of the IMA: a conversion to an accumulator, or for a centre
  input_register_write,   ///< one byte into an IMA's input register
  input_register_read,    ///< one byte read out to the DACs of one crossbar, once per MVM
  output_register_write,  ///< one byte into an IMA's output register
  output_register_read,   ///< one byte drained from it
  edram_read,             ///< one access of edram.width bits
  edram_write,            ///< one access of edram.width bits
  bus_transfer,           ///< one bit over the tile bus
  tile_shift_add,         ///< one partial sum added in the tile
  tile_output_register,   ///< one byte through the tile's output register
  activation,             ///< one element through an activation unit (ReLU, sigmoid, softmax, ...)
  pooling,                ///< one element into a pooling comparator / adder
  elementwise,            ///< one element-wise operation (Add, BatchNormalization left unfolded, ...)
  requantise,             ///< one element scaled, rounded and clamped
  router_flit,            ///< one flit through one router
  chip_link_byte,         ///< one byte over a chip's external link
  cell_write,             ///< one cell programmed
  count_
};

inline constexpr std::size_t kActions = static_cast<std::size_t>(Action::count_);
inline constexpr int kMaxAdcBits = 24;

/// Counts of one layer (or of the whole chip). ADC conversions are kept by resolution.
struct ActionCounts {
  std::array<std::int64_t, kActions> counts{};
  std::array<std::int64_t, kMaxAdcBits + 1> conversions{};  ///< [bits]; [0]: columns that need no conversion
  std::int64_t clipped = 0;            ///< conversions whose analog sum exceeded the ADC's limit
  std::int64_t gated = 0;              ///< conversions not made because the whole input chunk was zero
  std::int64_t cell_level_sum = 0;     ///< sum of x*c over all reads (for conductance-dependent read energy)
  std::int64_t written_level_sum = 0;  ///< the same of c over all cell writes

  [[nodiscard]] std::int64_t& operator[](Action a) { return counts[static_cast<std::size_t>(a)]; }
  [[nodiscard]] std::int64_t operator[](Action a) const { return counts[static_cast<std::size_t>(a)]; }
  ActionCounts& operator+=(const ActionCounts& other) {
    for (std::size_t i = 0; i < kActions; ++i) counts[i] += other.counts[i];
    for (std::size_t i = 0; i < conversions.size(); ++i) conversions[i] += other.conversions[i];
    clipped += other.clipped;
    gated += other.gated;
    cell_level_sum += other.cell_level_sum;
    written_level_sum += other.written_level_sum;
    return *this;
  }
  [[nodiscard]] std::int64_t total_conversions() const {
    std::int64_t sum = 0;
    for (std::size_t bits = 1; bits < conversions.size(); ++bits) sum += conversions[bits];
    return sum;
  }
  friend bool operator==(const ActionCounts&, const ActionCounts&) = default;
};

}  // namespace bitline::base
