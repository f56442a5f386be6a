// SPDX-License-Identifier: Apache-2.0
#include "sim/analytic/activity.h"

#include <cmath>
#include <numeric>

namespace bitline::analytic {
namespace {

using base::Action;

std::int64_t rounded(double x) {
  return std::llround(x);
}

/// Mean over the reads of a window: rows driven with something.
double driven_share(const slice::SlicedLayer& layer, InputKind kind, const ActivityFactors& factors) {
  const double bit = kind == InputKind::network       ? factors.input
                     : kind == InputKind::nonnegative ? factors.nonnegative
                                                      : factors.with_sign;
  double sum = 0;
  for (const slice::InputChunk& chunk : layer.chunks) sum += 1 - std::pow(1 - bit, chunk.width);
  return sum / static_cast<double>(layer.chunks.size());
}

}  // namespace

engine::LayerActivity expected_activity(const place::LayerPlacement& placement,
                                        const slice::SlicedLayer& layer, InputKind kind, double inside,
                                        const ActivityFactors& factors, bool gate_zero_chunks,
                                        std::int64_t images) {
  engine::LayerActivity activity;
  const std::size_t slices = layer.slices.size();
  activity.conversions_per_slice.resize(slices);
  activity.slice_conversions.resize(slices);
  activity.clipped_per_slice.resize(slices);
  activity.windows = placement.windows * images;
  const std::int64_t reads = activity.windows * static_cast<std::int64_t>(layer.chunks.size());
  const double driven = inside * driven_share(layer, kind, factors);
  const std::int64_t zero = gate_zero_chunks ? rounded(static_cast<double>(reads) * factors.zero_reads) : 0;
  double levels = 0;
  for (const place::DriveSet& set : place::drive_sets(placement, layer)) {
    const auto block = static_cast<std::size_t>(set.block);
    const double rows = static_cast<double>(reads) * layer.blocks[block].rows() * set.group_count * driven;
    activity.counts[Action::dac_drive] += rounded(rows * static_cast<double>(set.crossbars));
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
