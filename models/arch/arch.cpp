// SPDX-License-Identifier: Apache-2.0
// What follows from several parameters of a machine together.
#include "models/arch/arch.h"

#include <algorithm>
#include <bit>

#include "models/arch/arch_loader.h"

namespace bitline::arch {

const char* to_string(Depthwise depthwise) {
  switch (depthwise) {
    case Depthwise::packed:
      return "packed";
    case Depthwise::dense:
      return "dense";
    case Depthwise::digital:
      return "digital";
  }
  return "";
}

const char* to_string(Placement placement) {
  switch (placement) {
    case Placement::row_major:
      return "row_major";
    case Placement::snake:
      return "snake";
    case Placement::annealed:
      return "annealed";
  }
  return "";
}

const char* to_string(Prune prune) {
  switch (prune) {
    case Prune::none:
      return "none";
    case Prune::rows_cols:
      return "rows_cols";
    case Prune::paths:
      return "paths";
  }
  return "";
}

bool has_reference_column(const Arch& arch) {
  const device::EffectParams& effects = arch.device.effects;
  return effects.off_state == device::OffState::finite &&
         effects.off_current == device::OffCurrent::reference_column && !arch.encoding.analog();
}

int code_bits(const Arch& arch) {
  const PrecisionParams::Weights& weights = arch.precision.weights;
  const int magnitude = weights.scheme == WeightScheme::symmetric ? weights.bits - 1 : weights.bits;
  return arch.encoding.weights == WeightEncoding::differential ? magnitude : magnitude + 1;
}

std::vector<int> slice_widths(const Arch& arch) {
  if (!arch.slices.widths.empty()) return arch.slices.widths;
  const bool sign_slice = arch.encoding.weights == WeightEncoding::twos_complement;
  std::vector<int> widths;
  for (int rest = code_bits(arch) - (sign_slice ? 1 : 0); rest > 0; rest -= arch.device.bits_per_cell) {
    widths.insert(widths.begin(), std::min(rest, arch.device.bits_per_cell));
  }
  if (sign_slice) widths.insert(widths.begin(), 1);
  return widths;
}

int input_chunks(const Arch& arch) {
  return (arch.precision.activations.bits + arch.dac.bits - 1) / arch.dac.bits;
}

int isaac_adc_bits(int rows, int cell_bits, int dac_bits, bool flip) {
  const int log_rows = std::bit_width(static_cast<unsigned>(rows - 1));
  return log_rows + cell_bits + dac_bits - (cell_bits == 1 || dac_bits == 1 ? 1 : 0) - (flip ? 1 : 0);
}

namespace {

/// One number for each slice, of a list of one number or one for each.
std::vector<int> per_slice(const std::vector<int>& bits, std::size_t slices) {
  return bits.size() == 1 ? std::vector<int>(slices, bits.front()) : bits;
}

std::vector<int> policy_bits(const Arch& arch) {
  if (arch.adc.resolution.policy == periphery::AdcPolicy::fixed) return arch.adc.resolution.bits;
  std::vector<int> bits;
  for (const int width : slice_widths(arch)) {
    bits.push_back(isaac_adc_bits(arch.crossbar.active_rows, width, arch.dac.bits, arch.encoding.flip));
  }
  return bits;
}

}  // namespace

std::optional<std::vector<int>> built_adc_bits(const Arch& arch) {
  const periphery::AdcResolution& resolution = arch.adc.resolution;
  const bool decided =
      resolution.policy == periphery::AdcPolicy::fixed || resolution.policy == periphery::AdcPolicy::isaac;
  if (!decided) return std::nullopt;
  std::vector<int> built = policy_bits(arch);
  for (const periphery::LayerResolution& row : resolution.layers) {
    const std::size_t slices = std::max(built.size(), row.bits.size());
    built = per_slice(built, slices);
    const std::vector<int> own = per_slice(row.bits, slices);
    for (std::size_t s = 0; s < std::min(built.size(), own.size()); ++s)
      built[s] = std::max(built[s], own[s]);
  }
  if (resolution.granularity == periphery::AdcGranularity::layer && !built.empty())
    built = {*std::max_element(built.begin(), built.end())};
  return built;
}

}  // namespace bitline::arch
