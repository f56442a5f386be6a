// SPDX-License-Identifier: Apache-2.0
// What a machine costs: energy per action, static power, and power and area of the parts, the IMA, the tile
// and the chip. Everything follows from the published group costs in Arch; nothing is counted here.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "models/arch/arch.h"
#include "models/base/actions.h"
#include "models/base/units.h"

namespace bitline::arch {

/// The parts that results are broken down by; to_string gives the name used in results ("sample_hold").
enum class Component : std::uint8_t {
  crossbar,
  dac,
  sample_hold,
  adc,
  shift_add,
  input_register,
  output_register,  // of an IMA
  edram,
  bus,
  tile_shift_add,
  tile_output_register,  // of a tile
  activation,
  pooling,
  elementwise,
  requantise,
  router,
  chip_link,  // of the chip
  count_
};
inline constexpr std::size_t kComponents = static_cast<std::size_t>(Component::count_);
[[nodiscard]] const char* to_string(Component component);

/// One value per component.
template <class Q>
struct ByComponent {
  std::array<Q, kComponents> values{};
  [[nodiscard]] Q& operator[](Component c) { return values[static_cast<std::size_t>(c)]; }
  [[nodiscard]] Q operator[](Component c) const { return values[static_cast<std::size_t>(c)]; }
  [[nodiscard]] Q total() const {
    Q sum{};
    for (const Q& value : values) sum += value;
    return sum;
  }
};

/// Conversions of one slice, by resolution.
using ConversionCounts = std::array<std::int64_t, base::kMaxAdcBits + 1>;

class CostModel {
 public:
  /// `built_adc_bits`: resolution that the ADCs are built for, one per slice, most significant first (or one
  /// for all); 0: that slice has no ADC. slices.placement interleaved: all are built for the widest;
  /// separate: each slice's share of an IMA's ADCs for its own. Throws base::ConfigError if adc.model cannot
  /// give a resolution.
  CostModel(const Arch& arch, std::vector<int> built_adc_bits);

  /// Energy of one action; cell_read (if device.read_energy is ohmic) and cell_write: the mean over levels.
  /// Conversions are conversion_energy().
  [[nodiscard]] base::Energy energy(base::Action action) const {
    return each_[static_cast<std::size_t>(action)];
  }
  /// One conversion at `bits` (<= built) by an ADC built for `built` bits: it burns the power of the built
  /// ADC for the time of the conversion, E(built) * time(bits)/time(built); with adc.model table the row of
  /// `bits`.
  [[nodiscard]] base::Energy conversion_energy(int bits, int built) const;

  /// Dynamic energy of `counts`. Conversions are taken to be made by the ADCs with the lowest built
  /// resolution that is enough for them: exact unless slices are separate and a conversion uses less than its
  /// ADC has.
  [[nodiscard]] ByComponent<base::Energy> energy(const base::ActionCounts& counts) const;
  /// The same without conversions; and these alone, of each slice (most significant first), exact always.
  [[nodiscard]] ByComponent<base::Energy> energy_but_conversions(const base::ActionCounts& counts) const;
  [[nodiscard]] base::Energy conversion_energy(const std::vector<ConversionCounts>& slices) const;

  /// Of the cells written, by the levels that they were written to.
  [[nodiscard]] base::Energy write_energy(const base::ActionCounts& counts) const;

  /// Burnt all the time by the whole chip.
  [[nodiscard]] ByComponent<base::Power> static_power() const;
  /// Dynamic and static power with every part at full rate. Of a tile: with its share of the router
  /// (1 / noc.tiles_per_router); of the chip: tiles x tile, but every router of the mesh, and the link.
  [[nodiscard]] ByComponent<base::Power> ima_power() const;
  [[nodiscard]] ByComponent<base::Power> tile_power() const;
  [[nodiscard]] ByComponent<base::Power> chip_power() const;
  [[nodiscard]] ByComponent<base::Area> ima_area() const;
  [[nodiscard]] ByComponent<base::Area> tile_area() const;
  [[nodiscard]] ByComponent<base::Area> chip_area() const;

 private:
  [[nodiscard]] base::Energy energy_of(base::Action action) const;
  [[nodiscard]] int built_for(int bits) const;
  [[nodiscard]] base::Energy cell_energy(const base::ActionCounts& counts) const;

  Arch arch_;
  std::vector<int> built_;                           ///< per slice, after placement
  std::array<base::Energy, base::kActions> each_{};  ///< by action
};

}  // namespace bitline::arch
