// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <tbb/global_control.h>

#include <array>
#include <numeric>

#include "engine_cases.h"
#include "mapper/slice/slicer.h"
#include "sim/engine/layer_function.h"

namespace bitline::engine {
namespace {

using test::EngineCase;

constexpr std::uint32_t kCases = 400;

struct Outcome {
  std::vector<std::int64_t> y;
  LayerActivity activity;
};

Outcome run(const EngineCase& test) {
  const LayerFunction function(test.sliced, test.drives, test.slow.arch.ima.gate_zero_chunks);
  const auto rows = static_cast<std::size_t>(test.slow.groups * test.slow.rows);
  Outcome outcome;
  outcome.y.resize(test.x.size() / rows * static_cast<std::size_t>(test.slow.groups * test.slow.outputs));
  outcome.activity = function.run(test.x, outcome.y);
  return outcome;
}

/// Restores the best instruction set when a test ends.
struct TargetGuard {
  ~TargetGuard() { force_target(""); }
};

TEST(LayerFunction, EqualsTheSlowComputationOnRandomLayers) {
  std::int64_t clipped = 0;
  std::int64_t converting = 0;
  std::int64_t collapsed = 0;
  for (std::uint32_t seed = 0; seed < kCases; ++seed) {
    const EngineCase test = test::random_case(seed);
    SCOPED_TRACE(testing::Message() << "seed " << seed << ": " << test.describe());
    const test::SlowResult expected = test::run_slowly(test.slow, test.x, test.drives);
    const Outcome got = run(test);
    ASSERT_EQ(got.y, expected.y);
    ASSERT_EQ(got.activity.counts.counts, expected.counts.counts);
    ASSERT_EQ(got.activity.counts.conversions, expected.counts.conversions);
    ASSERT_EQ(got.activity.counts.clipped, expected.counts.clipped);
    ASSERT_EQ(got.activity.counts.gated, expected.counts.gated);
    ASSERT_EQ(got.activity.counts.cell_level_sum, expected.counts.cell_level_sum);
    ASSERT_EQ(got.activity.conversions_per_slice, expected.conversions_per_slice);
    for (std::size_t bits = 0; bits <= base::kMaxAdcBits; ++bits) {
      std::int64_t conversions = 0;
      for (const auto& slice : got.activity.slice_conversions) conversions += slice[bits];
      ASSERT_EQ(conversions, got.activity.counts.conversions[bits]);
    }
    ASSERT_EQ(got.activity.clipped_per_slice, expected.clipped_per_slice);
    clipped += expected.counts.clipped;
    const LayerFunction function(test.sliced, {}, false);
    (function.converting_sets() > 0 ? converting : collapsed) += 1;
  }
  // the cases reach both ways of computing, and clipping
  EXPECT_GT(clipped, 10000);
  EXPECT_GT(converting, 100);
  EXPECT_GT(collapsed, 50);
}

TEST(LayerFunction, EveryInstructionSetGivesTheSame) {
  const TargetGuard guard;
  const std::vector<std::string> targets = supported_targets();
  ASSERT_GE(targets.size(), 2u);
  EXPECT_THAT(targets, testing::Contains(testing::AnyOf("SCALAR", "EMU128")));
  for (std::uint32_t seed = 1000; seed < 1120; ++seed) {
    const EngineCase test = test::random_case(seed);
    force_target("");
    const Outcome best = run(test);
    for (const std::string& target : targets) {
      SCOPED_TRACE(testing::Message() << target << " seed " << seed << ": " << test.describe());
      force_target(target);
      const Outcome got = run(test);
      ASSERT_EQ(got.y, best.y);
      ASSERT_EQ(got.activity, best.activity);
    }
  }
}

/// Every encoding (with its ways of subtracting and flipping) x conversion x width of cells x width of reads
/// on every instruction set, against the slow computation.
TEST(LayerFunction, EveryCombinationOnEveryInstructionSet) {
  using arch::Subtraction;
  using arch::WeightEncoding;
  using periphery::AdcConversion;
  const TargetGuard guard;
  struct Way {
    WeightEncoding encoding;
    Subtraction subtraction;
    bool flip;
  };
  constexpr std::array<Way, 10> kWays = {{{WeightEncoding::differential, Subtraction::digital, false},
                                          {WeightEncoding::differential, Subtraction::digital, true},
                                          {WeightEncoding::differential, Subtraction::analog, false},
                                          {WeightEncoding::offset, Subtraction::digital, false},
                                          {WeightEncoding::offset, Subtraction::digital, true},
                                          {WeightEncoding::twos_complement, Subtraction::digital, false},
                                          {WeightEncoding::twos_complement, Subtraction::digital, true},
                                          {WeightEncoding::centre_offset, Subtraction::digital, false},
                                          {WeightEncoding::centre_offset, Subtraction::digital, true},
                                          {WeightEncoding::centre_offset, Subtraction::analog, false}}};
  std::uint32_t seed = 5000;
  for (const Way& way : kWays) {
    for (const AdcConversion conversion : {AdcConversion::clip, AdcConversion::truncate}) {
      for (const int cell_bits : {1, 2, 5, 8}) {
        for (const int dac_bits : {1, 2, 8}) {
          const EngineCase test = test::random_case(++seed, [&](arch::Arch& arch) {
            arch.encoding = {.weights = way.encoding, .subtraction = way.subtraction, .flip = way.flip};
            arch.adc.conversion = conversion;
            arch.adc.resolution.policy = periphery::AdcPolicy::fixed;
            arch.device.bits_per_cell = cell_bits;
            arch.dac.bits = dac_bits;
          });
          const test::SlowResult expected = test::run_slowly(test.slow, test.x, test.drives);
          for (const std::string& target : supported_targets()) {
            SCOPED_TRACE(testing::Message() << target << " seed " << seed << ": " << test.describe());
            force_target(target);
            const Outcome got = run(test);
            ASSERT_EQ(got.y, expected.y);
            ASSERT_EQ(got.activity.counts.counts, expected.counts.counts);
            ASSERT_EQ(got.activity.clipped_per_slice, expected.clipped_per_slice);
          }
        }
      }
    }
  }
}

/// A plan made for one instruction set runs on any other: bit planes and products of bytes agree.
TEST(LayerFunction, PlansRunOnEveryInstructionSet) {
  const TargetGuard guard;
  const std::vector<std::string> targets = supported_targets();
  for (std::uint32_t seed = 6000; seed < 6040; ++seed) {
    const EngineCase test = test::random_case(seed);
    const test::SlowResult expected = test::run_slowly(test.slow, test.x, {});
    for (const std::string& made_for : targets) {
      force_target(made_for);
      const LayerFunction function(test.sliced, {}, false);
      for (const std::string& target : targets) {
        SCOPED_TRACE(testing::Message()
                     << made_for << " on " << target << " seed " << seed << ": " << test.describe());
        force_target(target);
        std::vector<std::int64_t> y(expected.y.size());
        const LayerActivity activity = function.run(test.x, y);
        ASSERT_EQ(y, expected.y);
        ASSERT_EQ(activity.counts.clipped, expected.counts.clipped);
      }
    }
  }
}

/// Positions do not know of each other: any part of a batch gives its part of the results, and its counts.
TEST(LayerFunction, BatchAndNeighboursDoNotMatter) {
  for (std::uint32_t seed = 7000; seed < 7030; ++seed) {
    EngineCase test = test::random_case(seed);
    SCOPED_TRACE(testing::Message() << "seed " << seed << ": " << test.describe());
    const std::vector<std::int32_t> once = test.x;
    for (int i = 0; i < 40; ++i) test.x.insert(test.x.end(), once.rbegin(), once.rend());
    const LayerFunction function(test.sliced, test.drives, test.slow.arch.ima.gate_zero_chunks);
    const auto rows = static_cast<std::size_t>(test.slow.groups * test.slow.rows);
    const auto outputs = static_cast<std::size_t>(test.slow.groups * test.slow.outputs);
    const std::size_t positions = test.x.size() / rows;
    std::vector<std::int64_t> whole(positions * outputs);
    const LayerActivity all = function.run(test.x, whole);
    for (const std::size_t batch : {std::size_t{1}, std::size_t{5}, std::size_t{67}}) {
      std::vector<std::int64_t> parts(whole.size());
      LayerActivity sum;
      for (std::size_t first = 0; first < positions; first += batch) {
        const std::size_t count = std::min(batch, positions - first);
        sum += function.run(std::span(test.x).subspan(first * rows, count * rows),
                            std::span(parts).subspan(first * outputs, count * outputs));
      }
      ASSERT_EQ(parts, whole);
      ASSERT_EQ(sum, all);
    }
  }
}

/// Columns that cannot clip are not converted one by one, whatever their neighbours do.
TEST(LayerFunction, CollapsesColumnByColumn) {
  arch::Arch arch;
  arch.encoding.weights = arch::WeightEncoding::differential;
  arch.device.bits_per_cell = 2;
  arch.adc.resolution = {.policy = periphery::AdcPolicy::fixed, .bits = {3}};
  constexpr int kRows = 6;
  constexpr int kOutputs = 40;
  quantize::LayerQuant quant;
  quant.weights.bits = 3;  // magnitudes up to 3: one slice
  quant.input = {.bits = 1, .is_signed = false};
  // column j holds j/4 ones and for the rest zeros: 8 ones and more would clip at 7, but there are 6 rows;
  // the last column holds threes, 18
  for (int j = 0; j < kOutputs; ++j) {
    for (int i = 0; i < kRows; ++i)
      quant.weights.codes.push_back(j == kOutputs - 1 ? 3 : (i < j / 4 ? 1 : 0));
  }
  const auto sliced = std::make_shared<slice::SlicedLayer>(
      slice::slice_layer({.groups = 1, .outputs_per_group = kOutputs, .rows_per_group = kRows}, quant, arch));
  const LayerFunction function(sliced, {}, false);
  EXPECT_EQ(function.converting_sets(), 1);
  EXPECT_EQ(function.converting_columns(), 1);
  std::vector<std::int64_t> y(kOutputs);
  const LayerActivity activity = function.run(std::vector<std::int32_t>(kRows, 1), y);
  EXPECT_EQ(activity.counts.clipped, 1);
  for (int j = 0; j < kOutputs - 1; ++j) EXPECT_EQ(y[static_cast<std::size_t>(j)], std::min(j / 4, kRows));
  EXPECT_EQ(y.back(), 7);
}

TEST(LayerFunction, ThreadsDoNotMatter) {
  for (std::uint32_t seed = 2000; seed < 2010; ++seed) {
    EngineCase test = test::random_case(seed);
    const std::vector<std::int32_t> once = test.x;
    for (int i = 0; i < 60; ++i) test.x.insert(test.x.end(), once.begin(), once.end());
    Outcome one;
    Outcome two;
    {
      const tbb::global_control threads(tbb::global_control::max_allowed_parallelism, 1);
      one = run(test);
    }
    {
      const tbb::global_control threads(tbb::global_control::max_allowed_parallelism, 2);
      two = run(test);
    }
    EXPECT_EQ(one.y, two.y);
    EXPECT_EQ(one.activity, two.activity);
    EXPECT_EQ(one.activity.windows,
              static_cast<std::int64_t>(test.x.size()) / (test.slow.groups * test.slow.rows));
  }
}

TEST(LayerFunction, LosslessEqualsTheMatrixProduct) {
  for (std::uint32_t seed = 3000; seed < 3100; ++seed) {
    EngineCase test = test::random_case(seed);
    test.slow.arch.adc.conversion = periphery::AdcConversion::clip;
    test.slow.arch.adc.resolution.policy = periphery::AdcPolicy::lossless;
    quantize::LayerQuant quant;
    quant.weights.bits = test.slow.arch.precision.weights.bits;
    quant.weights.scheme = test.slow.arch.precision.weights.scheme;
    quant.weights.codes.assign(test.slow.q.begin(), test.slow.q.end());
    quant.input = {.bits = test.slow.input_bits, .is_signed = test.slow.input_signed};
    test.sliced =
        std::make_shared<slice::SlicedLayer>(slice::slice_layer({.groups = test.slow.groups,
                                                                 .outputs_per_group = test.slow.outputs,
                                                                 .rows_per_group = test.slow.rows},
                                                                quant, test.slow.arch));
    const Outcome got = run(test);
    EXPECT_EQ(got.activity.counts.clipped, 0);
    std::size_t at = 0;
    const std::size_t positions =
        got.y.size() / static_cast<std::size_t>(test.slow.groups * test.slow.outputs);
    for (std::size_t position = 0; position < positions; ++position) {
      for (int group = 0; group < test.slow.groups; ++group) {
        for (int output = 0; output < test.slow.outputs; ++output, ++at) {
          std::int64_t expected = 0;
          for (int row = 0; row < test.slow.rows; ++row) {
            const auto x = test.x[(position * test.slow.groups + group) * test.slow.rows + row];
            const auto q =
                test.slow
                    .q[static_cast<std::size_t>((group * test.slow.outputs + output) * test.slow.rows + row)];
            expected += static_cast<std::int64_t>(x) * q;
          }
          ASSERT_EQ(got.y[at], expected) << "seed " << seed;
        }
      }
    }
  }
}

/// Weights of 16 bits of either sign are two bytes each, though -32767..32767 is not what two signed bytes
/// hold: the product has them less a bias. More rows than are packed at once.
TEST(LayerFunction, SixteenBitWeightsAreTwoBytes) {
  constexpr int kRows = 1300;
  constexpr int kOutputs = 17;
  for (const bool is_signed : {false, true}) {
    arch::Arch arch;
    arch.encoding.weights = arch::WeightEncoding::offset;
    arch.encoding.flip = true;
    arch.adc.resolution = {.policy = periphery::AdcPolicy::lossless};
    quantize::LayerQuant quant;
    quant.weights.bits = 16;
    quant.weights.scheme = arch::WeightScheme::symmetric;
    for (int i = 0; i < kRows * kOutputs; ++i)
      quant.weights.codes.push_back(i % 5 == 0 ? 32767 : i % 7 == 0 ? -32767 : i * 7919 % 65535 - 32767);
    quant.input = {.bits = 16, .is_signed = is_signed};
    const LayerFunction function(
        std::make_shared<slice::SlicedLayer>(slice::slice_layer(
            {.groups = 1, .outputs_per_group = kOutputs, .rows_per_group = kRows}, quant, arch)),
        {}, false);
    std::vector<std::int32_t> x;
    for (int i = 0; i < 3 * kRows; ++i) x.push_back(i * 104729 % 65536 - (is_signed ? 32768 : 0));
    std::vector<std::int64_t> y(std::size_t{3} * kOutputs);
    function.run(x, y);
    for (int position = 0; position < 3; ++position)
      for (int output = 0; output < kOutputs; ++output) {
        std::int64_t expected = 0;
        for (int row = 0; row < kRows; ++row)
          expected += std::int64_t{x[static_cast<std::size_t>(position * kRows + row)]} *
                      quant.weights.codes[static_cast<std::size_t>(output * kRows + row)];
        ASSERT_EQ(y[static_cast<std::size_t>(position * kOutputs + output)], expected);
      }
    // 32 columns of 1344 rows, and 8 bytes for each row and output beside them
    EXPECT_LE(function.bytes(), 2 * 32 * 1344 + 8 * (kRows + 32));
  }
}

/// All inputs and weights at their extremes over the most rows a crossbar can have: the widest sums there
/// are.
TEST(LayerFunction, ExtremesDoNotOverflow) {
  for (const int cell_bits : {1, 8}) {
    for (const int dac_bits : {1, 8}) {
      for (const int sign : {1, -1}) {
        arch::Arch arch;
        arch.encoding.weights = arch::WeightEncoding::differential;
        arch.device.bits_per_cell = cell_bits;
        arch.dac.bits = dac_bits;
        arch.crossbar.rows = arch.crossbar.active_rows = 4096;
        arch.adc.resolution = {.policy = periphery::AdcPolicy::fixed, .bits = {24}};
        constexpr int kRows = 9000;
        quantize::LayerQuant quant;
        quant.weights.bits = 16;
        quant.weights.scheme = arch::WeightScheme::dynamic_fixed_point;
        quant.weights.codes.assign(kRows, sign * 65535);
        quant.input = {.bits = 16, .is_signed = false};
        const auto sliced = std::make_shared<slice::SlicedLayer>(
            slice::slice_layer({.groups = 1, .outputs_per_group = 1, .rows_per_group = kRows}, quant, arch));
        const std::vector<std::int32_t> x(kRows, 65535);
        std::vector<std::int64_t> y(1);
        const LayerActivity activity = LayerFunction(sliced, {}, false).run(x, y);
        if (cell_bits == 8 && dac_bits == 8) {
          // 4096 rows x 255 x 255 = 266,342,400 clips at 2^24-1, and so do the 808 rows of the last block:
          // three blocks, two slices, two chunks
          const std::int64_t code = (std::int64_t{1} << 24) - 1;
          EXPECT_EQ(y[0], sign * 3 * code * (1 + 256) * (1 + 256));
          EXPECT_EQ(activity.counts.clipped, 3 * 2 * 2);
        } else {
          EXPECT_EQ(y[0], sign * std::int64_t{kRows} * 65535 * 65535);
          EXPECT_EQ(activity.counts.clipped, 0);
        }
      }
    }
  }
}

}  // namespace
}  // namespace bitline::engine
