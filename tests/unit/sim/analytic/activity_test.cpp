// SPDX-License-Identifier: Apache-2.0
#include "sim/analytic/activity.h"

#include <gtest/gtest.h>

namespace bitline::analytic {
namespace {

using base::Action;

/// 6 rows in two blocks, 3 outputs of two slices, one copy on one crossbar: 6 columns.
struct Case {
  place::LayerPlacement placement;
  slice::SlicedLayer layer;
  Case() {
    layer.rows_per_group = 6;
    layer.outputs_per_group = 3;
    layer.slices = {{2, 2, 1}, {2, 0, 1}};
    layer.blocks = {{0, 4}, {4, 6}};
    layer.adc_bits = {{3, 4}, {3, 0}};
    layer.chunks = slice::input_chunks(8, false, 1);
    place::CrossbarPart crossbar;
    crossbar.output_count = 3;
    crossbar.phases = {{0, 0, 1}, {1, 0, 1}};
    place::ImaPart ima;
    ima.crossbars = {crossbar};
    placement.imas = {ima};
    placement.windows = 10;
  }
};

TEST(Activity, CountsWhatTheFactorsSay) {
  const Case c;
  ActivityFactors factors;
  factors.nonnegative = 0.25;
  factors.mean_level = 0.5;
  const auto a = expected_activity(c.placement, c.layer, InputKind::nonnegative, 1.0, factors, 0, false, 2);
  // 20 windows, 8 chunks: 160 reads of 4 rows and of 2.
  EXPECT_EQ(a.windows, 20);
  EXPECT_EQ(a.counts[Action::dac_drive], 160 * 6 / 4);
  // Columns of 0 bits hold zeros only and are not read.
  EXPECT_EQ(a.counts[Action::cell_read], 160 * (4 * 6 + 2 * 3) / 4);
  EXPECT_EQ(a.counts.cell_level_sum, 160 * (4 * 6 + 2 * 3) / 4 * 3 / 2);
  EXPECT_EQ(a.counts.conversions[3], 160 * 3 * 2);
  EXPECT_EQ(a.counts.conversions[4], 160 * 3);
  EXPECT_EQ(a.conversions_per_slice, (std::vector<std::int64_t>{160 * 6, 160 * 3}));
  EXPECT_EQ(a.counts[Action::sample_hold], 160 * 9);
  EXPECT_EQ(a.counts.clipped, 0);
}

TEST(Activity, PaddingDrivesNothing) {
  const Case c;
  const ActivityFactors factors;
  const auto all = expected_activity(c.placement, c.layer, InputKind::network, 1.0, factors, 0, false, 1);
  const auto half = expected_activity(c.placement, c.layer, InputKind::network, 0.5, factors, 0, false, 1);
  EXPECT_EQ(2 * half.counts[Action::dac_drive], all.counts[Action::dac_drive]);
  EXPECT_EQ(half.counts.conversions, all.counts.conversions);
}

TEST(Activity, WiderChunksAreDrivenMoreOften) {
  Case c;
  c.layer.chunks = slice::input_chunks(8, false, 2);
  ActivityFactors factors;
  factors.nonnegative = 0.5;
  const auto a = expected_activity(c.placement, c.layer, InputKind::nonnegative, 1.0, factors, 0, false, 1);
  // Two independent bits: zero in a quarter of the reads. 10 windows, 4 chunks.
  EXPECT_EQ(a.counts[Action::dac_drive], 40 * 6 * 3 / 4);
}

TEST(Activity, GatedReadsConvertNothing) {
  const Case c;
  ActivityFactors factors;
  factors.zero_reads = 0.25;
  const auto a = expected_activity(c.placement, c.layer, InputKind::nonnegative, 1.0, factors, 0, true, 1);
  EXPECT_EQ(a.counts.conversions[4], 80 * 3 * 3 / 4);
  EXPECT_EQ(a.counts.gated, 80 * 9 / 4);
  const auto open =
      expected_activity(c.placement, c.layer, InputKind::nonnegative, 1.0, factors, 0, false, 1);
  EXPECT_EQ(open.counts.conversions[4], 80 * 3);
  EXPECT_EQ(open.counts.gated, 0);
}

}  // namespace
}  // namespace bitline::analytic
