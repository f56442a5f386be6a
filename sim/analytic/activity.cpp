// SPDX-License-Identifier: Apache-2.0
#include "sim/analytic/activity.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "models/arch/arch_loader.h"

namespace bitline::analytic {
namespace {

using base::Action;

std::int64_t rounded(double x) {
  return std::llround(x);
}

/// Shares of ones by bit, from the most significant on; bits beyond the last are like it. Measured with
/// measure_activity.py: with converters that never clip, and 6 bits short of that (configs/isaac.yaml,
/// configs/bitslice-l1.yaml).
constexpr double kNonnegative[] = {0.0453, 0.1400, 0.2042, 0.2368, 0.2532, 0.2621, 0.2659, 0.2680};
constexpr double kNonnegativeClipped[] = {0.0000, 0.0080, 0.0628, 0.1351, 0.1983, 0.2412, 0.2604, 0.2697};
constexpr double kSigned = 0.502, kSignedClipped = 0.484;
/// Small values round to 0: of 8 bits, and of 16.
constexpr double kDepthwise8 = 0.335, kDepthwise16 = 0.360, kDepthwise8Clipped = 0.232;
/// 4 bits short hardly anything differs yet.
constexpr int kExactBits = 4, kClippedBits = 6;

template <std::size_t n>
double mean(const double (&by_bit)[n], int bits) {
  double sum = 0;
  for (int b = 0; b < bits; ++b) sum += by_bit[std::min(static_cast<std::size_t>(b), n - 1)];
  return sum / bits;
}

/// From `exact` to `clipped` as bits are missing.
double between(double exact, double clipped, int missing) {
  return exact + (clipped - exact) * std::clamp(missing - kExactBits, 0, kClippedBits - kExactBits) /
                     (kClippedBits - kExactBits);
}

/// Mean over the reads of a window: rows driven with something.
double driven_share(const slice::SlicedLayer& layer, double ones) {
  double sum = 0;
  for (const slice::InputChunk& chunk : layer.chunks) sum += 1 - std::pow(1 - ones, chunk.width);
  return sum / static_cast<double>(layer.chunks.size());
}

}  // namespace

int missing_bits(const arch::Arch& arch) {
  const auto built = arch::built_adc_bits(arch);
  if (!built || arch.adc.conversion != periphery::AdcConversion::clip) return 0;
  const std::int64_t largest = std::int64_t{arch.crossbar.active_rows} *
                               ((std::int64_t{1} << arch.device.bits_per_cell) - 1) *
                               ((std::int64_t{1} << arch.dac.bits) - 1);
  int bits = 0;
  while (largest >> bits != 0) ++bits;
  return std::max(0, bits - built->back());
}

double share_of_ones(const ActivityFactors& factors, InputKind kind, int bits, int missing) {
  const auto given_or = [](double given, double measured) { return given >= 0 ? given : measured; };
  switch (kind) {
    case InputKind::network:
      return given_or(factors.input, 0.5);
    case InputKind::nonnegative:
      return given_or(factors.nonnegative,
                      between(mean(kNonnegative, bits), mean(kNonnegativeClipped, bits), missing));
    case InputKind::with_sign:
      return given_or(factors.with_sign, between(kSigned, kSignedClipped, missing));
    case InputKind::depthwise:
      break;
  }
  const double exact = kDepthwise8 + (kDepthwise16 - kDepthwise8) * std::clamp(bits - 8, 0, 8) / 8;
  return given_or(factors.depthwise, between(exact, kDepthwise8Clipped, missing));
}

engine::LayerActivity expected_activity(const place::LayerPlacement& placement,
                                        const slice::SlicedLayer& layer, InputKind kind, double inside,
                                        const ActivityFactors& factors, int missing, bool gate_zero_chunks,
                                        std::int64_t images) {
  engine::LayerActivity activity;
  const std::size_t slices = layer.slices.size();
  activity.conversions_per_slice.resize(slices);
  activity.slice_conversions.resize(slices);
  activity.clipped_per_slice.resize(slices);
  activity.windows = placement.windows * images;
  const std::int64_t reads = activity.windows * static_cast<std::int64_t>(layer.chunks.size());
  const double ones = share_of_ones(factors, kind, layer.activation_bits, missing);
  const double driven = inside * driven_share(layer, ones);
  const std::int64_t zero = gate_zero_chunks ? rounded(static_cast<double>(reads) * factors.zero_reads) : 0;
  double levels = 0;
  for (const place::DriveSet& set : place::drive_sets(placement, layer)) {
    const auto block = static_cast<std::size_t>(set.block);
    const double rows = static_cast<double>(reads) * layer.blocks[block].rows() * set.group_count * driven;
    activity.counts[Action::shift_add] += activity.windows * set.centre_additions;
    activity.counts[Action::dac_drive] += rounded(rows * static_cast<double>(set.crossbars));
    activity.counts[Action::cell_read] += rounded(rows * static_cast<double>(set.reference_columns));
    for (std::size_t s = 0; s < slices; ++s) {
      const double columns = static_cast<double>(set.columns_per_slice[s] + set.partner_columns_per_slice[s]);
      activity.counts[Action::cell_read] += rounded(rows * columns);
      levels += rows * columns * ((1 << layer.slices[s].width) - 1) * factors.mean_level;
      const auto bits = static_cast<std::size_t>(layer.adc_bits[block][s]);
      const std::int64_t conversions = (reads - zero) * set.columns_per_slice[s];
      activity.conversions_per_slice[s] += conversions;
      activity.slice_conversions[s][bits] += conversions;
      activity.counts.conversions[bits] += conversions;
      activity.counts[Action::sample_hold] += conversions;
      activity.counts[Action::shift_add] += conversions;
      activity.counts.gated += zero * set.columns_per_slice[s];
    }
  }
  activity.counts.cell_level_sum = rounded(levels);
  return activity;
}

}  // namespace bitline::analytic
