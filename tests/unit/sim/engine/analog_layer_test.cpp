// SPDX-License-Identifier: Apache-2.0
// Layers on cells and converters that are not ideal: exact integers where nothing is wrong, closed forms
// where one thing is.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tbb/global_control.h>

#include <cmath>

#include "engine_cases.h"
#include "mapper/place/partition.h"
#include "mapper/slice/slicer.h"
#include "sim/engine/analog_layer.h"

namespace bitline::engine {
namespace {

using device::Stuck;
using test::EngineCase;

/// A layer as placed: crossbars side by side in one IMA.
AnalogSource placed(std::shared_ptr<const slice::SlicedLayer> sliced, const arch::Arch& arch,
                    int copies = 1) {
  AnalogSource source{std::move(sliced), {}, copies, 3};
  for (int copy = 0; copy < copies; ++copy) {
    place::ImaPart ima;
    ima.tile = 2;
    ima.ima = copy;
    ima.replica = copy;
    for (place::CrossbarPiece& piece : place::partition("layer", *source.sliced, arch).pieces) {
      piece.part.slot = static_cast<int>(ima.crossbars.size());
      ima.crossbars.own().push_back(std::move(piece.part));
    }
    source.imas.push_back(std::move(ima));
  }
  return source;
}

AnalogSetup ideal(const arch::Arch& arch, std::uint64_t seed = 1) {
  AnalogSetup setup;
  setup.device = arch.device;
  setup.gate_zero_chunks = arch.ima.gate_zero_chunks;
  setup.seed = seed;
  setup.adc_of = [](int slot, int) { return slot; };
  return setup;
}

class Matrix final : public InputSource {
 public:
  Matrix(const std::vector<std::int32_t>& x, std::size_t rows) : x_(x), rows_(rows) {}
  [[nodiscard]] std::int64_t positions() const override {
    return static_cast<std::int64_t>(x_.size() / rows_);
  }
  void gather(std::int64_t first, int count, std::int32_t* out) const override {
    std::copy_n(x_.begin() + first * static_cast<std::int64_t>(rows_),
                count * static_cast<std::int64_t>(rows_), out);
  }

 private:
  const std::vector<std::int32_t>& x_;
  std::size_t rows_;
};

class Sums final : public OutputSink {
 public:
  Sums(std::int64_t positions, std::int64_t outputs)
      : y(static_cast<std::size_t>(positions * outputs)), outputs_(outputs) {}
  void store(std::int64_t first, int count, const std::int64_t* values) override {
    std::copy_n(values, count * outputs_, y.begin() + first * outputs_);
  }
  std::vector<std::int64_t> y;

 private:
  std::int64_t outputs_;
};

struct Outcome {
  std::vector<std::int64_t> y;
  AnalogError error;
};

Outcome run(const AnalogSource& source, const AnalogSetup& setup, const std::vector<std::int32_t>& x,
            std::int64_t image = 0) {
  const slice::SlicedLayer& sliced = *source.sliced;
  const Matrix matrix(x, static_cast<std::size_t>(sliced.groups) * sliced.rows_per_group);
  Sums sums(matrix.positions(), sliced.outputs());
  const AnalogLayer layer(source, setup);
  const AnalogError error = layer.run(image, 0, matrix, sums);
  return {std::move(sums.y), error};
}

/// The exact integers of a case, with conversions as they are.
std::vector<std::int64_t> exact(const EngineCase& test) {
  std::vector<std::int64_t> y(test.x.size() / static_cast<std::size_t>(test.slow.groups * test.slow.rows) *
                              static_cast<std::size_t>(test.slow.groups * test.slow.outputs));
  (void)LayerFunction(test.sliced, {}, false).run(test.x, y);
  return y;
}

bool fits(const EngineCase& test) {
  const auto slices = static_cast<int>(test.sliced->slices.size());
  return slices <= test.slow.arch.crossbar.cols;
}

TEST(AnalogLayer, WithoutEffectsGivesTheExactIntegers) {
  for (std::uint32_t seed = 0; seed < 150; ++seed) {
    const EngineCase test = test::random_case(seed);
    if (!fits(test)) continue;
    SCOPED_TRACE(testing::Message() << "seed " << seed << ": " << test.describe());
    const Outcome got = run(placed(test.sliced, test.slow.arch), ideal(test.slow.arch), test.x);
    ASSERT_EQ(got.y, exact(test));
    ASSERT_EQ(got.error.squares, 0.0);
  }
}

/// The reference column holds the same off current as every column; analog subtraction cancels it.
TEST(AnalogLayer, TheReferenceColumnTakesTheOffCurrentAway) {
  int seen = 0;
  for (std::uint32_t seed = 0; seed < 60; ++seed) {
    const EngineCase test = test::random_case(seed);
    // What rounding leaves of the subtraction would decide the ties of truncating conversions.
    if (!fits(test) || test.slow.arch.device.bits_per_cell > 4 ||
        test.sliced->conversion == periphery::AdcConversion::truncate)
      continue;
    AnalogSetup setup = ideal(test.slow.arch);
    setup.device.effects.off_state = device::OffState::finite;
    const auto sliced = std::make_shared<slice::SlicedLayer>(*test.sliced);
    sliced->reference_column = !sliced->analog;
    ASSERT_EQ(run(placed(sliced, test.slow.arch), setup, test.x).y, exact(test)) << seed;
    ++seen;
  }
  EXPECT_GT(seen, 25);
}

/// One slice, one block, one position: what each sum is can be written down.
struct Small {
  static constexpr int kRows = 20;
  static constexpr int kOutputs = 6;
  static constexpr int kInputBits = 4;

  explicit Small(int positions = 1, int adc_bits = 12) {
    arch.encoding.weights = arch::WeightEncoding::differential;
    arch.device.bits_per_cell = 4;
    arch.device.r_on = base::Resistance(10e3);
    arch.device.r_off = base::Resistance(100e3);
    arch.crossbar.rows = arch.crossbar.active_rows = 32;
    arch.crossbar.cols = 32;
    arch.precision.weights.bits = 5;
    arch.precision.activations.bits = kInputBits;
    arch.adc.resolution = {.policy = periphery::AdcPolicy::fixed, .bits = {adc_bits}};
    quantize::LayerQuant quant;
    quant.weights.bits = 5;
    quant.weights.scale.assign(kOutputs, 1.0);
    for (int o = 0; o < kOutputs; ++o)
      for (int r = 0; r < kRows; ++r) quant.weights.codes.push_back((o * 7 + r * 5) % 16);  // none negative
    q = quant.weights.codes;
    quant.input.bits = kInputBits;
    sliced = std::make_shared<slice::SlicedLayer>(slice::slice_layer(
        {.groups = 1, .outputs_per_group = kOutputs, .rows_per_group = kRows}, quant, arch));
    for (int i = 0; i < positions * kRows; ++i) x.push_back((i * 11 + 3) % 16);
  }
  [[nodiscard]] AnalogSource source(int copies = 1) const { return placed(sliced, arch, copies); }
  [[nodiscard]] int bit(int row, int chunk) const { return x[static_cast<std::size_t>(row)] >> chunk & 1; }
  [[nodiscard]] int weight(int output, int row) const {
    return q[static_cast<std::size_t>(output * kRows + row)];
  }
  [[nodiscard]] std::int64_t plain(int output) const {
    std::int64_t sum = 0;
    for (int r = 0; r < kRows; ++r) sum += std::int64_t{weight(output, r)} * x[static_cast<std::size_t>(r)];
    return sum;
  }

  arch::Arch arch;
  std::vector<std::int32_t> q;
  std::vector<std::int32_t> x;
  std::shared_ptr<const slice::SlicedLayer> sliced;
};

/// 1/r_off is 1/9 x 15 = 1.6667 steps (15 steps between 10 and 100 uS): both arrays see it, so it cancels in
/// the sum but for rounding each conversion; the column sums are off by 1.6667 x the driven rows.
TEST(AnalogLayer, TheOffCurrentThatIsKeptIsThatOfTheDrivenRows) {
  const Small small;
  AnalogSetup setup = ideal(small.arch);
  setup.device.effects.off_state = device::OffState::finite;
  setup.device.effects.off_current = device::OffCurrent::kept;
  double squares = 0;
  for (int chunk = 0; chunk < Small::kInputBits; ++chunk) {
    int driven = 0;
    for (int r = 0; r < Small::kRows; ++r) driven += small.bit(r, chunk);
    squares += std::pow(15.0 / 9.0 * driven, 2) * 2 * Small::kOutputs;
  }
  const Outcome got = run(small.source(), setup, small.x);
  EXPECT_EQ(got.error.conversions, 2 * Small::kOutputs * Small::kInputBits);
  EXPECT_NEAR(got.error.squares, squares, 1e-5 * squares);
}

TEST(AnalogLayer, TheDigitalSideSubtractsTheNominalOffCurrent) {
  const Small small;
  AnalogSetup setup = ideal(small.arch);
  setup.device.effects.off_state = device::OffState::finite;
  setup.device.effects.off_current = device::OffCurrent::digital;
  const Outcome wide = run(small.source(), setup, small.x);
  for (int o = 0; o < Small::kOutputs; ++o) EXPECT_EQ(wide.y[static_cast<std::size_t>(o)], small.plain(o));
  // The range is the converter's before the subtraction: the largest ideal sum no longer fits.
  const std::int64_t largest = small.sliced->max_column_sum[0][0];
  const auto bits = static_cast<int>(std::ceil(std::log2(static_cast<double>(largest) + 1)));
  const Small tight(1, bits);
  std::vector<std::int32_t> all(Small::kRows, 15);
  setup.device.r_off = base::Resistance(20e3);  // 15 steps: as much again as a full cell
  const Outcome clipped = run(tight.source(), setup, all);
  EXPECT_NE(clipped.y, run(tight.source(), ideal(tight.arch), all).y);
}

/// A conversion of sum S has variance sigma^2 sum_i x_i^2 g_i^2 over chips, each cell missing its own
/// conductance by a normal share: the mean of the squared differences of 400 chips x 12 columns x 4 chunks is
/// within 5 standard errors (chunks of a column share cells: at least 4800 independent values, each of
/// relative deviation sqrt(2)).
TEST(AnalogLayer, NormalVariationGivesTheVarianceOfTheClosedForm) {
  const Small small;
  AnalogSetup setup = ideal(small.arch);
  setup.device.effects.variation = device::Variation::normal;
  setup.device.effects.variation_sigma = 0.03;
  double expected = 0;
  for (int chunk = 0; chunk < Small::kInputBits; ++chunk)
    for (int o = 0; o < Small::kOutputs; ++o)
      for (int r = 0; r < Small::kRows; ++r)
        expected += std::pow(0.03 * small.bit(r, chunk) * small.weight(o, r), 2);
  constexpr int kChips = 400;
  double squares = 0;
  for (std::uint64_t seed = 0; seed < kChips; ++seed) {
    setup.seed = seed;
    squares += run(small.source(), setup, small.x).error.squares;
  }
  EXPECT_NEAR(squares / kChips, expected, expected * 5 * std::sqrt(2.0 / (kChips * Small::kOutputs)));
}

/// The same for read noise, over reads of one chip: positions, chunks and columns are all independent.
TEST(AnalogLayer, ReadNoiseGivesTheVarianceOfTheClosedForm) {
  constexpr int kPositions = 1000;
  Small small(1);
  const std::vector<std::int32_t> window = small.x;
  std::vector<std::int32_t> many;
  for (int i = 0; i < kPositions; ++i) many.insert(many.end(), window.begin(), window.end());
  AnalogSetup setup = ideal(small.arch);
  setup.device.effects.read_noise = 0.02;
  double expected = 0;
  for (int chunk = 0; chunk < Small::kInputBits; ++chunk)
    for (int o = 0; o < Small::kOutputs; ++o)
      for (int r = 0; r < Small::kRows; ++r)
        expected += std::pow(0.02 * small.bit(r, chunk) * small.weight(o, r), 2);
  const double measured = run(small.source(), setup, many).error.squares / kPositions;
  EXPECT_NEAR(measured, expected, expected * 5 * std::sqrt(2.0 / (kPositions * Small::kOutputs)));
}

/// An offset of k codes adds k to every conversion: k sum_chunks 2^chunk to each array, so nothing to their
/// difference; a gain of 1 + e multiplies what is far from both ends and whole after it.
TEST(AnalogLayer, ConvertersErrAsTheirEquationSays) {
  const Small small;
  AnalogSetup setup = ideal(small.arch);
  setup.adc.gain = 1.0;
  Outcome got = run(small.source(), setup, small.x);
  for (int o = 0; o < Small::kOutputs; ++o) EXPECT_EQ(got.y[static_cast<std::size_t>(o)], 2 * small.plain(o));
  EXPECT_EQ(got.error.squares, 0.0) << "the column sums are right";
  setup.adc.gain = 0.0;
  setup.adc.offset = 3.0;
  got = run(small.source(), setup, small.x);
  // The negative array has no cell, so 0 bits of a lossless policy would skip it; fixed bits convert it too.
  for (int o = 0; o < Small::kOutputs; ++o) EXPECT_EQ(got.y[static_cast<std::size_t>(o)], small.plain(o));
  setup.adc.offset = -1000.0;  // below 0 everywhere: nothing is left
  got = run(small.source(), setup, small.x);
  EXPECT_THAT(got.y, testing::Each(0));
}

TEST(AnalogLayer, AnOffsetMovesTheOneArrayOfOtherEncodings) {
  Small small;
  small.arch.encoding.weights = arch::WeightEncoding::offset;
  small.arch.device.bits_per_cell = 5;
  quantize::LayerQuant quant;
  quant.weights.bits = 5;
  quant.weights.scale.assign(Small::kOutputs, 1.0);
  quant.weights.codes = small.q;
  quant.input.bits = Small::kInputBits;
  small.sliced = std::make_shared<slice::SlicedLayer>(
      slice::slice_layer({.groups = 1, .outputs_per_group = Small::kOutputs, .rows_per_group = Small::kRows},
                         quant, small.arch));
  AnalogSetup setup = ideal(small.arch);
  setup.adc.offset = 3.0;
  const Outcome got = run(small.source(), setup, small.x);
  for (int o = 0; o < Small::kOutputs; ++o)
    EXPECT_EQ(got.y[static_cast<std::size_t>(o)], small.plain(o) + 3 * 15);
}

TEST(AnalogLayer, AStuckCellMovesItsOutputByItsChangeOfLevel) {
  const Small small;
  const std::vector<std::int64_t> before = run(small.source(), ideal(small.arch), small.x).y;
  for (const auto& [stuck, level] : {std::pair{Stuck::off, 0}, std::pair{Stuck::on, 15}}) {
    AnalogSetup setup = ideal(small.arch);
    setup.faults.by_weight[{3, 0, 0, 0, 4, 7}] = stuck;
    std::vector<std::int64_t> expected = before;
    expected[4] += std::int64_t{level - small.weight(4, 7)} * small.x[7];
    EXPECT_EQ(run(small.source(), setup, small.x).y, expected);
    // The same cell by its place: array 0 lies in crossbar 0 of IMA 0 of tile 2.
    AnalogSetup by_place = ideal(small.arch);
    by_place.faults.by_place[{2, 0, 0, 7, 4}] = stuck;
    EXPECT_EQ(run(small.source(), by_place, small.x).y, expected);
    EXPECT_EQ(AnalogLayer(small.source(), by_place).stuck_cells(), 1);
    // Another crossbar: the negative array.
    AnalogSetup other = ideal(small.arch);
    other.faults.by_place[{2, 0, 1, 7, 4}] = stuck;
    expected = before;
    expected[4] -= std::int64_t{level} * small.x[7];
    EXPECT_EQ(run(small.source(), other, small.x).y, expected);
  }
}

/// A fault of copy 1 acts on the windows of copy 1: every second one, over all images.
TEST(AnalogLayer, CopiesHaveCellsOfTheirOwn) {
  const Small small(5);
  AnalogSetup setup = ideal(small.arch);
  const std::vector<std::int64_t> before = run(small.source(2), setup, small.x).y;
  setup.faults.by_weight[{3, 1, 0, 0, 4, 7}] = Stuck::on;
  for (const std::int64_t image : {0, 1}) {
    const std::vector<std::int64_t> after = run(small.source(2), setup, small.x, image).y;
    for (std::int64_t p = 0; p < 5; ++p) {
      const auto at = static_cast<std::size_t>(p * Small::kOutputs + 4);
      const std::int64_t change =
          std::int64_t{15 - small.weight(4, 7)} * small.x[static_cast<std::size_t>(p * Small::kRows + 7)];
      EXPECT_EQ(after[at] - before[at], (image * 5 + p) % 2 == 1 ? change : 0) << image << " " << p;
    }
  }
}

AnalogSetup everything(const arch::Arch& arch, std::uint64_t seed) {
  AnalogSetup setup = ideal(arch, seed);
  device::EffectParams& effects = setup.device.effects;
  effects.off_state = device::OffState::finite;
  effects.variation = device::Variation::lognormal;
  effects.stuck_off = effects.stuck_on = 0.01;
  effects.read_noise = 0.05;
  effects.wire_resistance = base::Resistance(2.82);
  effects.drift_exponent = 0.001;
  effects.drift_spread = 0.001;
  setup.adc = {.offset = 0.3, .offset_spread = 0.5, .gain = 0.01, .gain_spread = 0.01, .noise = 0.5};
  return setup;
}

TEST(AnalogLayer, TheSeedAloneDecidesWhateverTheThreadsAndTheInstructionSet) {
  const Small small(70, 8);
  const Outcome first = run(small.source(), everything(small.arch, 9), small.x);
  {
    const tbb::global_control one(tbb::global_control::max_allowed_parallelism, 1);
    const Outcome alone = run(small.source(), everything(small.arch, 9), small.x);
    EXPECT_EQ(alone.y, first.y);
    EXPECT_EQ(alone.error.squares, first.error.squares);
  }
  for (const std::string& target : supported_targets()) {
    force_target(target);
    const Outcome other = run(small.source(), everything(small.arch, 9), small.x);
    EXPECT_EQ(other.y, first.y) << target;
    EXPECT_EQ(other.error.squares, first.error.squares) << target;
  }
  force_target("");
  EXPECT_NE(run(small.source(), everything(small.arch, 10), small.x).y, first.y);
  EXPECT_NE(run(small.source(), everything(small.arch, 9), small.x, 1).y, first.y)
      << "reads of another image";
}

/// What is drawn for one thing stays when another is switched on.
TEST(AnalogLayer, EffectsDrawIndependently) {
  const Small small;
  AnalogSetup noisy = ideal(small.arch);
  noisy.device.effects.variation = device::Variation::normal;
  const double variation = run(small.source(), noisy, small.x).error.squares;
  noisy.adc.noise = 1.0;
  EXPECT_EQ(run(small.source(), noisy, small.x).error.squares, variation);
}

}  // namespace
}  // namespace bitline::engine
