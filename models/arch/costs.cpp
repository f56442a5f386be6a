// SPDX-License-Identifier: Apache-2.0
#include "models/arch/costs.h"

#include <algorithm>
#include <utility>

#include "models/base/errors.h"
#include "models/noc/topology.h"

namespace bitline::arch {

namespace {

using base::Action;
using base::ActionCounts;
using base::Area;
using base::Energy;
using base::Power;

constexpr std::size_t index(Component component) {
  return static_cast<std::size_t>(component);
}

/// How many parts of each kind an IMA (or a tile) has; the units of Cost::parts.
std::int64_t cells(const Arch& a) {
  const std::int64_t columns = a.crossbar.cols + (has_reference_column(a) ? 1 : 0);
  return std::int64_t{a.ima.crossbars} * a.crossbar.rows * columns;
}
std::int64_t rows(const Arch& a) {
  return std::int64_t{a.ima.crossbars} * a.crossbar.rows;
}
std::int64_t columns(const Arch& a) {
  return std::int64_t{a.ima.crossbars} * a.crossbar.cols;
}

/// A group of parts in an IMA, a tile or the chip whose cost is as published (all but the ADCs).
struct Group {
  Component component;
  const base::Cost* cost;
  std::int64_t count;
  bool is_memory = false;  ///< dynamic power goes with the bandwidth, not with the size

  [[nodiscard]] Power full_rate_power() const {
    const Power dynamic = is_memory ? cost->power : cost->power_of(count);
    return dynamic + cost->static_power_of(count);
  }
};

std::vector<Group> ima_groups(const Arch& a) {
  const ima::ImaParams& i = a.ima;
  return {{Component::crossbar, &a.crossbar.cost, cells(a)},
          {Component::dac, &a.dac.cost, rows(a)},
          {Component::sample_hold, &a.sample_hold.cost, columns(a)},
          {Component::shift_add, &i.shift_add.cost, i.shift_add.units},
          {Component::input_register, &i.input_register.cost, i.input_register.capacity_bytes, true},
          {Component::output_register, &i.output_register.cost, i.output_register.capacity_bytes, true}};
}

std::vector<Group> tile_groups(const Arch& a) {
  const tile::TileParams& t = a.tile;
  return {{Component::edram, &t.edram.cost, t.edram.capacity_bytes, true},
          {Component::bus, &t.bus.cost, t.bus.wires},
          {Component::tile_shift_add, &t.shift_add.cost, t.shift_add.units},
          {Component::tile_output_register, &t.output_register.cost, t.output_register.capacity_bytes, true},
          {Component::activation, &t.activation.cost, t.activation.units},
          {Component::pooling, &t.pooling.cost, t.pooling.units},
          {Component::elementwise, &t.elementwise.cost, t.elementwise.units},
          {Component::requantise, &t.requantise.cost, t.requantise.units}};
}

Group link_group(const Arch& a) {
  return {Component::chip_link, &a.chip.link.cost, a.chip.link.links};
}

/// Mean over the slices of what an ADC built for the slice has: the IMA's ADCs are shared out evenly.
template <class Q, class Function>
Q mean_over_slices(const std::vector<int>& built, Function of_bits) {
  Q sum{};
  for (const int bits : built) sum += of_bits(bits);
  return sum / static_cast<double>(built.size());
}

int routers(const Arch& a) {
  return noc::Topology(a.chip.tiles, a.chip.mesh_width, a.noc.tiles_per_router).routers();
}

template <class Q>
void add_scaled(ByComponent<Q>& sum, const ByComponent<Q>& part, double factor) {
  for (std::size_t c = 0; c < kComponents; ++c) sum.values[c] += part.values[c] * factor;
}

/// The component whose energy an action is.
Component component_of(Action action) {
  switch (action) {
    case Action::cell_read:
    case Action::cell_write:
      return Component::crossbar;
    case Action::dac_drive:
      return Component::dac;
    case Action::sample_hold:
      return Component::sample_hold;
    case Action::shift_add:
      return Component::shift_add;
    case Action::input_register_write:
    case Action::input_register_read:
      return Component::input_register;
    case Action::output_register_write:
    case Action::output_register_read:
      return Component::output_register;
    case Action::edram_read:
    case Action::edram_write:
      return Component::edram;
    case Action::bus_transfer:
      return Component::bus;
    case Action::tile_shift_add:
      return Component::tile_shift_add;
    case Action::tile_output_register:
      return Component::tile_output_register;
    case Action::activation:
      return Component::activation;
    case Action::pooling:
      return Component::pooling;
    case Action::elementwise:
      return Component::elementwise;
    case Action::requantise:
      return Component::requantise;
    case Action::router_flit:
      return Component::router;
    case Action::chip_link_byte:
      return Component::chip_link;
    case Action::count_:
      break;
  }
  BITLINE_CHECK(false);
  return Component::count_;
}

}  // namespace

const char* to_string(Component component) {
  constexpr std::array<const char*, kComponents> kNames{"crossbar",
                                                        "dac",
                                                        "sample_hold",
                                                        "adc",
                                                        "shift_add",
                                                        "input_register",
                                                        "output_register",
                                                        "edram",
                                                        "bus",
                                                        "tile_shift_add",
                                                        "tile_output_register",
                                                        "activation",
                                                        "pooling",
                                                        "elementwise",
                                                        "requantise",
                                                        "router",
                                                        "chip_link"};
  return kNames[index(component)];
}

CostModel::CostModel(const Arch& arch, std::vector<int> built_adc_bits)
    : arch_(arch), built_(std::move(built_adc_bits)) {
  BITLINE_CHECK(!built_.empty());
  if (arch_.slices.placement == SlicePlacement::interleaved)
    built_ = {*std::max_element(built_.begin(), built_.end())};
  std::vector<base::Problem> problems = periphery::resolution_problems(arch_.adc, built_);
  if (!problems.empty()) throw base::ConfigError(std::move(problems));
  for (std::size_t i = 0; i < base::kActions; ++i) each_[i] = energy_of(static_cast<Action>(i));
}

Energy CostModel::energy_of(Action action) const {
  const Arch& a = arch_;
  const double mean_level = ((1 << a.device.bits_per_cell) - 1) / 2.0;
  switch (action) {
    case Action::cell_read:
      if (a.device.read_energy == device::ReadEnergyModel::ohmic) {
        return device::ohmic_read_energy(a.device, mean_level, a.crossbar.read_latency);
      }
      return crossbar::cell_read_energy(a.crossbar, cells(a));
    case Action::cell_write:
      return device::write_energy(a.device, mean_level);
    case Action::dac_drive:
      return periphery::drive_energy(a.dac, rows(a), a.crossbar.read_latency);
    case Action::sample_hold:
      return periphery::hold_energy(a.sample_hold, columns(a), a.crossbar.read_latency);
    case Action::shift_add:
      return periphery::add_energy(a.ima.shift_add);
    case Action::input_register_write:
    case Action::input_register_read:
      return memory::byte_energy(a.ima.input_register);
    case Action::output_register_write:
    case Action::output_register_read:
      return memory::byte_energy(a.ima.output_register);
    case Action::edram_read:
    case Action::edram_write:
      return memory::access_energy(a.tile.edram);
    case Action::bus_transfer:
      return memory::bit_energy(a.tile.bus);
    case Action::tile_shift_add:
      return periphery::add_energy(a.tile.shift_add);
    case Action::tile_output_register:
      return memory::byte_energy(a.tile.output_register);
    case Action::activation:
      return digital::element_energy(a.tile.activation);
    case Action::pooling:
      return digital::element_energy(a.tile.pooling);
    case Action::elementwise:
      return digital::element_energy(a.tile.elementwise);
    case Action::requantise:
      return digital::element_energy(a.tile.requantise);
    case Action::router_flit:
      return noc::flit_energy(a.noc);
    case Action::chip_link_byte:
      return noc::byte_energy(a.chip.link);
    case Action::count_:
      break;
  }
  BITLINE_CHECK(false);
  return {};
}

Energy CostModel::conversion_energy(int bits, int built) const {
  return periphery::conversion_energy(arch_.adc, bits, built);
}

int CostModel::built_for(int bits) const {
  int best = *std::max_element(built_.begin(), built_.end());
  BITLINE_CHECK(bits <= best);
  for (const int built : built_) {
    if (built >= bits) best = std::min(best, built);
  }
  return best;
}

Energy CostModel::write_energy(const ActionCounts& counts) const {
  if (counts[Action::cell_write] == 0) return {};
  const auto writes = static_cast<double>(counts[Action::cell_write]);
  return device::write_energy(arch_.device, static_cast<double>(counts.written_level_sum) / writes) * writes;
}

Energy CostModel::cell_energy(const ActionCounts& counts) const {
  const auto reads = static_cast<double>(counts[Action::cell_read]);
  if (arch_.device.read_energy == device::ReadEnergyModel::published)
    return energy(Action::cell_read) * reads;
  if (counts[Action::cell_read] == 0) return {};
  // Linear in the level, so the energy at the mean level times the reads is the sum over the reads.
  const double mean_level = static_cast<double>(counts.cell_level_sum) / reads;
  return device::ohmic_read_energy(arch_.device, mean_level, arch_.crossbar.read_latency) * reads;
}

ByComponent<Energy> CostModel::energy_but_conversions(const ActionCounts& counts) const {
  ByComponent<Energy> sum;
  sum[Component::crossbar] = cell_energy(counts) + write_energy(counts);
  for (std::size_t i = 0; i < base::kActions; ++i) {
    const auto action = static_cast<Action>(i);
    if (action == Action::cell_read || action == Action::cell_write || counts[action] == 0) continue;
    sum[component_of(action)] += each_[i] * static_cast<double>(counts[action]);
  }
  return sum;
}

ByComponent<Energy> CostModel::energy(const ActionCounts& counts) const {
  const ConversionCounts& conversions = counts.conversions;
  ByComponent<Energy> sum = energy_but_conversions(counts);
  for (std::size_t bits = 1; bits < conversions.size(); ++bits) {
    if (conversions[bits] == 0) continue;
    const int b = static_cast<int>(bits);
    sum[Component::adc] += conversion_energy(b, built_for(b)) * static_cast<double>(conversions[bits]);
  }
  return sum;
}

Energy CostModel::conversion_energy(const std::vector<ConversionCounts>& slices) const {
  Energy sum;
  for (std::size_t s = 0; s < slices.size(); ++s) {
    // A layer of fewer bits has the lowest of the machine's slices.
    const std::size_t below = slices.size() - 1 - s;
    const int built = below < built_.size() ? built_[built_.size() - 1 - below] : built_.front();
    for (std::size_t bits = 1; bits < slices[s].size(); ++bits) {
      if (slices[s][bits] == 0) continue;
      sum += conversion_energy(static_cast<int>(bits), built) * static_cast<double>(slices[s][bits]);
    }
  }
  return sum;
}

ByComponent<Power> CostModel::static_power() const {
  const Arch& a = arch_;
  ByComponent<Power> ima;
  for (const Group& group : ima_groups(a)) ima[group.component] = group.cost->static_power_of(group.count);
  ima[Component::adc] = a.adc.cost.static_power_of(a.adc.per_ima);
  ByComponent<Power> tile;
  for (const Group& group : tile_groups(a)) tile[group.component] = group.cost->static_power_of(group.count);
  tile[Component::router] = a.noc.cost.static_power / a.noc.tiles_per_router;
  add_scaled(tile, ima, a.tile.imas);
  ByComponent<Power> chip;
  add_scaled(chip, tile, a.chip.tiles);
  chip[Component::router] = a.noc.cost.static_power * routers(a);
  const Group link = link_group(a);
  chip[Component::chip_link] = link.cost->static_power_of(link.count);
  return chip;
}

ByComponent<Power> CostModel::ima_power() const {
  const periphery::AdcParams& adc = arch_.adc;
  ByComponent<Power> sum;
  for (const Group& group : ima_groups(arch_)) sum[group.component] = group.full_rate_power();
  const auto of_bits = [&adc](int bits) { return periphery::full_rate_power(adc, bits); };
  sum[Component::adc] =
      mean_over_slices<Power>(built_, of_bits) * adc.per_ima + adc.cost.static_power_of(adc.per_ima);
  return sum;
}

ByComponent<Power> CostModel::tile_power() const {
  ByComponent<Power> sum;
  for (const Group& group : tile_groups(arch_)) sum[group.component] = group.full_rate_power();
  const base::Cost& router = arch_.noc.cost;
  sum[Component::router] = (router.power + router.static_power) / arch_.noc.tiles_per_router;
  add_scaled(sum, ima_power(), arch_.tile.imas);
  return sum;
}

ByComponent<Power> CostModel::chip_power() const {
  ByComponent<Power> sum;
  add_scaled(sum, tile_power(), arch_.chip.tiles);
  const base::Cost& router = arch_.noc.cost;
  sum[Component::router] = (router.power + router.static_power) * routers(arch_);
  sum[Component::chip_link] = link_group(arch_).full_rate_power();
  return sum;
}

ByComponent<Area> CostModel::ima_area() const {
  const periphery::AdcParams& adc = arch_.adc;
  ByComponent<Area> sum;
  for (const Group& group : ima_groups(arch_)) sum[group.component] = group.cost->area_of(group.count);
  const auto of_bits = [&adc](int bits) { return periphery::adc_area(adc, bits); };
  sum[Component::adc] = mean_over_slices<Area>(built_, of_bits) * adc.per_ima;
  return sum;
}

ByComponent<Area> CostModel::tile_area() const {
  ByComponent<Area> sum;
  for (const Group& group : tile_groups(arch_)) sum[group.component] = group.cost->area_of(group.count);
  sum[Component::router] = arch_.noc.cost.area / arch_.noc.tiles_per_router;
  add_scaled(sum, ima_area(), arch_.tile.imas);
  return sum;
}

ByComponent<Area> CostModel::chip_area() const {
  ByComponent<Area> sum;
  add_scaled(sum, tile_area(), arch_.chip.tiles);
  sum[Component::router] = arch_.noc.cost.area * routers(arch_);
  const Group link = link_group(arch_);
  sum[Component::chip_link] = link.cost->area_of(link.count);
  return sum;
}

}  // namespace bitline::arch
