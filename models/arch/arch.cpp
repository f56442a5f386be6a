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

std::optional<std::vector<int>> built_adc_bits(const Arch& arch) {
  const periphery::AdcResolution& resolution = arch.adc.resolution;
  if (resolution.policy == periphery::AdcPolicy::lossless) return std::nullopt;
  if (resolution.policy == periphery::AdcPolicy::fixed) return resolution.bits;
  std::vector<int> bits;
  for (const int width : slice_widths(arch)) {
    bits.push_back(isaac_adc_bits(arch.crossbar.active_rows, width, arch.dac.bits, arch.encoding.flip));
  }
  return bits;
}

}  // namespace bitline::arch
