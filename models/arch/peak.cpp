// SPDX-License-Identifier: Apache-2.0
#include "models/arch/peak.h"

#include <algorithm>

#include "models/arch/arch_loader.h"
#include "models/periphery/adc.h"

namespace bitline::arch {
namespace {

/// Of an IMA's crossbars, by each of its ADCs in one read.
std::int64_t conversions_per_adc(const Arch& arch, bool analog) {
  const std::int64_t columns = std::int64_t{arch.crossbar.cols} * arch.ima.crossbars / (analog ? 2 : 1);
  return (columns + arch.adc.per_ima - 1) / arch.adc.per_ima;
}

base::Time read_time(const Arch& arch, const std::vector<int>& built, bool analog) {
  base::Time conversion{};
  for (const int bits : built) {
    if (bits > 0) conversion = std::max(conversion, periphery::conversion_time(arch.adc, bits));
  }
  return std::max(arch.crossbar.read_latency, conversion * conversions_per_adc(arch, analog));
}

}  // namespace

Peak peak(const Arch& arch, const std::vector<int>& built_adc_bits) {
  const bool analog = arch.encoding.analog();
  const std::int64_t drives =
      (arch.crossbar.rows + arch.crossbar.active_rows - 1) / arch.crossbar.active_rows;
  const std::int64_t reads = drives * input_chunks(arch);
  const auto slices = static_cast<double>(slice_widths(arch).size());
  const double crossbars = static_cast<double>(arch.ima.crossbars) * arch.tile.imas * arch.chip.tiles;
  const double cells = crossbars * static_cast<double>(arch.crossbar.rows) * arch.crossbar.cols;
  Peak result;
  result.mvm = read_time(arch, built_adc_bits, analog) * reads;
  result.operations_per_second = 2.0 * cells / slices / arch.encoding.arrays() / result.mvm.seconds();
  result.conversions_per_mac =
      slices * (analog ? 1 : arch.encoding.arrays()) * static_cast<double>(reads) / arch.crossbar.rows;
  result.bytes = cells * arch.device.bits_per_cell / 8.0;
  return result;
}

}  // namespace bitline::arch
