// SPDX-License-Identifier: Apache-2.0
#include "mapper/slice/slicer.h"

#include <gmock/gmock.h>

#include <random>

#include "slice_helpers.h"

namespace bitline::slice {
namespace {

using arch::WeightEncoding;
using testing::ElementsAre;
using testing::HasSubstr;

std::vector<int> widths(const std::vector<Slice>& slices) {
  std::vector<int> result;
  for (const Slice& s : slices) result.push_back(s.width);
  return result;
}

std::vector<int> shifts(const std::vector<Slice>& slices) {
  std::vector<int> result;
  for (const Slice& s : slices) result.push_back(s.shift);
  return result;
}

TEST(Chunks, UnsignedLeastSignificantFirst) {
  const auto chunks = input_chunks(8, false, 3);
  ASSERT_EQ(chunks.size(), 3u);
  EXPECT_EQ(chunks[0].width, 3);
  EXPECT_EQ(chunks[2].width, 2);
  EXPECT_EQ(chunks[2].shift, 6);
  EXPECT_EQ(chunks[2].sign, 1);
  EXPECT_EQ(input_chunks(16, false, 1).size(), 16u);
}

TEST(Chunks, SignBitStandsAlone) {
  const auto chunks = input_chunks(8, true, 2);  // bits 0-1, 2-3, 4-5, 6, sign
  ASSERT_EQ(chunks.size(), 5u);
  EXPECT_EQ(chunks[3].width, 1);
  EXPECT_EQ(chunks[4].width, 1);
  EXPECT_EQ(chunks[4].shift, 7);
  EXPECT_EQ(chunks[4].sign, -1);
  EXPECT_EQ(input_chunks(16, true, 1).size(), 16u);
}

TEST(Chunks, EveryCodeIsTheSumOfItsChunks) {
  for (const bool is_signed : {false, true}) {
    for (int bits = is_signed ? 2 : 1; bits <= 10; ++bits) {
      for (int dac = 1; dac <= 8; ++dac) {
        const int low = is_signed ? -(1 << (bits - 1)) : 0;
        const int high = is_signed ? (1 << (bits - 1)) - 1 : (1 << bits) - 1;
        for (int x = low; x <= high; ++x) {
          int sum = 0;
          for (const InputChunk& c : input_chunks(bits, is_signed, dac)) {
            sum += c.sign * (((x >> c.shift) & ((1 << c.width) - 1)) << c.shift);
          }
          ASSERT_EQ(sum, x) << bits << " bits, DAC " << dac;
        }
      }
    }
  }
}

TEST(RowBlocks, CrossbarsThenActiveRows) {
  const auto blocks = row_blocks(300, {.rows = 128, .cols = 128, .active_rows = 50});
  std::vector<std::pair<int, int>> got;
  for (const RowBlock& b : blocks) got.emplace_back(b.first, b.last);
  // a block never crosses a multiple of 128
  EXPECT_THAT(got, ElementsAre(std::pair(0, 50), std::pair(50, 100), std::pair(100, 128), std::pair(128, 178),
                               std::pair(178, 228), std::pair(228, 256), std::pair(256, 300)));
}

TEST(Slices, WidthsOfTheCell) {
  arch::Arch arch;
  arch.encoding.weights = WeightEncoding::offset;
  arch.device.bits_per_cell = 2;
  EXPECT_THAT(widths(make_slices(16, arch)), ElementsAre(2, 2, 2, 2, 2, 2, 2, 2));
  EXPECT_THAT(shifts(make_slices(16, arch)), ElementsAre(14, 12, 10, 8, 6, 4, 2, 0));
  arch.device.bits_per_cell = 3;
  EXPECT_THAT(widths(make_slices(8, arch)), ElementsAre(2, 3, 3));
  EXPECT_THAT(shifts(make_slices(8, arch)), ElementsAre(6, 3, 0));
}

TEST(Slices, TwosComplementHasItsSignAlone) {
  arch::Arch arch;
  arch.encoding.weights = WeightEncoding::twos_complement;
  arch.device.bits_per_cell = 2;
  const auto slices = make_slices(8, arch);
  EXPECT_THAT(widths(slices), ElementsAre(1, 1, 2, 2, 2));
  EXPECT_EQ(slices[0].sign, -1);
  EXPECT_EQ(slices[1].sign, 1);
}

TEST(Slices, ALayerOfFewerBitsHasTheLowestOfTheWidths) {
  arch::Arch arch;
  arch.encoding.weights = WeightEncoding::offset;
  arch.slices.widths = {1, 3, 4};
  EXPECT_THAT(widths(make_slices(7, arch)), ElementsAre(3, 4));
  EXPECT_THAT(widths(make_slices(6, arch)), ElementsAre(2, 4));
  EXPECT_THAT(widths(make_slices(3, arch)), ElementsAre(3));
  arch.encoding.weights = WeightEncoding::twos_complement;
  arch.slices.widths = {1, 2, 2, 3};
  EXPECT_THAT(widths(make_slices(8, arch)), ElementsAre(1, 2, 2, 3));
  EXPECT_THAT(widths(make_slices(5, arch)), ElementsAre(1, 1, 3));
  EXPECT_THAT(shifts(make_slices(5, arch)), ElementsAre(4, 3, 0));
}

TEST(Slices, ExplicitWidthsMustAddUp) {
  arch::Arch arch;
  arch.encoding.weights = WeightEncoding::offset;
  arch.slices.widths = {1, 3, 4};
  EXPECT_THAT(shifts(make_slices(8, arch)), ElementsAre(7, 4, 0));
  EXPECT_THAT(refusal<base::ConfigError>([&] { return make_slices(9, arch); }),
              HasSubstr("slices.widths: slices of 1, 3, 4 bits; allowed: 9 bits together"));
  arch.slices.widths = {9};
  EXPECT_THAT(refusal<base::ConfigError>([&] { return make_slices(9, arch); }),
              HasSubstr("1 to 8 bits each"));
  arch.encoding.weights = WeightEncoding::twos_complement;
  arch.slices.widths = {4, 4};
  EXPECT_THAT(refusal<base::ConfigError>([&] { return make_slices(8, arch); }),
              HasSubstr("most significant slice of 1 bit"));
}

TEST(Slices, CodeBits) {
  const auto symmetric = quant_of({}, 8).weights;
  const auto fixed_point = quant_of({}, 8, arch::WeightScheme::dynamic_fixed_point).weights;
  EXPECT_EQ(code_bits(symmetric, WeightEncoding::differential), 7);
  EXPECT_EQ(code_bits(symmetric, WeightEncoding::offset), 8);
  EXPECT_EQ(code_bits(symmetric, WeightEncoding::twos_complement), 8);
  EXPECT_EQ(code_bits(fixed_point, WeightEncoding::differential), 8);
  EXPECT_EQ(code_bits(fixed_point, WeightEncoding::offset), 9);
  EXPECT_EQ(code_bits(symmetric, WeightEncoding::centre_offset), 8);
  EXPECT_EQ(code_bits(fixed_point, WeightEncoding::centre_offset), 9);
}

/// What the digital side makes of the cells of one weight, an input of 1 on its row and 0 elsewhere.
std::int64_t reconstruct(const SlicedLayer& layer, int group, int output, int row) {
  int block = 0;
  while (row >= layer.blocks[static_cast<std::size_t>(block)].last) ++block;
  std::int64_t q = layer.centre(group * layer.outputs_per_group + output);
  for (int array = 0; array < layer.arrays; ++array) {
    for (std::size_t s = 0; s < layer.slices.size(); ++s) {
      const Slice& slice = layer.slices[s];
      std::int64_t cell = layer.cell(array, block, static_cast<int>(s), group, output, row);
      EXPECT_LE(cell, (1 << slice.width) - 1);
      if (layer.is_flipped(array, block, static_cast<int>(s), group * layer.outputs_per_group + output)) {
        cell = (1 << slice.width) - 1 - cell;
      }
      q += (array == 0 ? 1 : -1) * slice.sign * (cell << slice.shift);
    }
  }
  return q;
}

TEST(SliceLayer, EveryEncodingHoldsEveryWeight) {
  std::mt19937 random(7);
  for (const auto encoding : {WeightEncoding::differential, WeightEncoding::offset,
                              WeightEncoding::twos_complement, WeightEncoding::centre_offset}) {
    for (const auto scheme : {arch::WeightScheme::symmetric, arch::WeightScheme::dynamic_fixed_point}) {
      for (const bool flip : {false, true}) {
        for (const int bits : {2, 5, 8, 16}) {
          for (const int cell : {1, 2, 3, 8}) {
            arch::Arch arch;
            arch.encoding.weights = encoding;
            arch.encoding.flip = flip;
            arch.device.bits_per_cell = cell;
            arch.crossbar.rows = arch.crossbar.active_rows = 16;
            const LayerShape shape{.groups = 2, .outputs_per_group = 3, .rows_per_group = 20};
            const int limit = (1 << (scheme == arch::WeightScheme::symmetric ? bits - 1 : bits)) - 1;
            std::vector<std::int32_t> codes;
            for (int i = 0; i < 2 * 3 * 20; ++i) {
              codes.push_back(i == 0   ? limit
                              : i == 1 ? -limit
                                       : static_cast<int>(random() % (2u * limit + 1)) - limit);
            }
            const SlicedLayer layer = slice_layer(shape, quant_of(codes, bits, scheme), arch);
            for (std::size_t i = 0; i < codes.size(); ++i) {
              ASSERT_EQ(reconstruct(layer, static_cast<int>(i / 60), static_cast<int>(i / 20 % 3),
                                    static_cast<int>(i % 20)),
                        codes[i]);
            }
          }
        }
      }
    }
  }
}

TEST(SliceLayer, FlipsWhatIsMoreThanHalfFull) {
  arch::Arch arch;
  arch.encoding.weights = WeightEncoding::differential;
  arch.encoding.flip = true;
  arch.device.bits_per_cell = 2;
  arch.crossbar.rows = arch.crossbar.active_rows = 4;
  // 3-bit codes in slices of 1 and 2 bits; 4 rows, so half of the low slice's 12 is 6
  //   output 0: low cells 3, 3, 0, 0 = 6: not more than half; high 0
  //   output 1: low cells 3, 3, 1, 0 = 7: flipped to 0, 0, 2, 3; high 1, 1, 1, 0 = 3 of 4: flipped to 0, 0,
  //   0, 1
  const SlicedLayer layer = slice_layer({.groups = 1, .outputs_per_group = 2, .rows_per_group = 4},
                                        quant_of({3, 3, 0, 0, 7, 7, 5, 0}, 4), arch);
  EXPECT_THAT(widths(layer.slices), ElementsAre(1, 2));
  EXPECT_FALSE(layer.is_flipped(0, 0, 1, 0));
  EXPECT_TRUE(layer.is_flipped(0, 0, 1, 1));
  EXPECT_TRUE(layer.is_flipped(0, 0, 0, 1));
  EXPECT_FALSE(layer.is_flipped(1, 0, 0, 1));  // the negative array is empty
  EXPECT_EQ(layer.cell(0, 0, 1, 0, 1, 2), 2u);
  EXPECT_EQ(layer.cell(0, 0, 0, 0, 1, 3), 1u);
  EXPECT_EQ(layer.max_column_sum[0][1], 6);
  EXPECT_EQ(layer.max_column_sum[0][0], 1);
}

TEST(SliceLayer, FlipWithAnalogSubtractionIsRefused) {
  arch::Arch arch;
  arch.encoding = {
      .weights = WeightEncoding::differential, .subtraction = arch::Subtraction::analog, .flip = true};
  EXPECT_THAT(refusal<base::ConfigError>([&] {
                return slice_layer({.groups = 1, .outputs_per_group = 1, .rows_per_group = 1},
                                   quant_of({1}, 8), arch);
              }),
              HasSubstr("encoding.flip: flip with encoding.subtraction: analog"));
}

TEST(LayerShape, OfConvAndLinear) {
  const auto weight = [](tensor::Shape shape) {
    std::vector<float> values(static_cast<std::size_t>(tensor::element_count(shape)));
    return std::make_shared<tensor::Tensor>(tensor::Tensor{std::move(shape), std::move(values)});
  };
  graph::ConvAttributes conv;
  conv.group = 2;
  conv.weight = weight({6, 4, 3, 5});
  graph::Node node{.name = "c",
                   .onnx_type = "Conv",
                   .op = graph::Op::conv,
                   .attributes = conv,
                   .inputs = {},
                   .outputs = {}};
  EXPECT_EQ(layer_shape(node).groups, 2);
  EXPECT_EQ(layer_shape(node).outputs_per_group, 3);
  EXPECT_EQ(layer_shape(node).rows_per_group, 60);
  node.op = graph::Op::linear;
  node.attributes = graph::LinearAttributes{.weight = weight({10, 7}), .bias = nullptr};
  EXPECT_EQ(layer_shape(node).groups, 1);
  EXPECT_EQ(layer_shape(node).outputs_per_group, 10);
  EXPECT_EQ(layer_shape(node).rows_per_group, 7);
}

TEST(Statistics, OfEachSlice) {
  arch::Arch arch;
  arch.encoding.weights = WeightEncoding::differential;
  arch.device.bits_per_cell = 2;
  arch.crossbar.rows = arch.crossbar.active_rows = 2;
  arch.adc.resolution = {.policy = periphery::AdcPolicy::fixed, .bits = {3}};
  // magnitudes 0..7 as slices of 1 and 2 bits; two arrays x 6 weights = 12 cells per slice
  const SlicedLayer layer = slice_layer({.groups = 1, .outputs_per_group = 2, .rows_per_group = 3},
                                        quant_of({7, 3, -4, 0, 0, 1}, 4), arch);
  const auto stats = statistics(layer);
  ASSERT_EQ(stats.size(), 2u);
  EXPECT_EQ(stats[0].width, 1);
  EXPECT_EQ(stats[0].cells, 12);
  EXPECT_EQ(stats[0].nonzero, 2);  // of 7 and -4
  EXPECT_EQ(stats[0].max_column_sum, 1);
  EXPECT_EQ(stats[0].adc_bits_needed, 1);
  EXPECT_EQ(stats[1].nonzero, 3);  // of 7, 3 and 1
  EXPECT_DOUBLE_EQ(stats[1].nonzero_ratio(), 0.25);
  EXPECT_EQ(stats[1].max_column_sum, 6);  // 3 + 3 in rows 0-1 of output 0
  EXPECT_EQ(stats[1].adc_bits_needed, 3);
  EXPECT_EQ(stats[1].adc_bits, 3);
}

/// More codes than the sums of a piece hold, and most cells not zero, as sums in places of a few bits need.
TEST(Statistics, CountsEveryCellOfAnyWidths) {
  const std::vector<std::vector<int>> all_widths = {
      {1, 1, 1, 1, 1, 1, 1, 1}, {2, 2, 2, 2}, {8}, {3, 1, 4}, {1, 5, 2}};
  for (const std::vector<int>& widths : all_widths) {
    arch::Arch arch;
    arch.encoding.weights = WeightEncoding::offset;
    arch.slices.widths = widths;
    arch.device.bits_per_cell = 8;
    constexpr int kRows = 9001;
    std::vector<std::int32_t> codes;
    for (int i = 0; i < kRows; ++i) codes.push_back(i % 3 == 0 ? i * 7919 % 255 - 127 : 127);
    const SlicedLayer layer =
        slice_layer({.groups = 1, .outputs_per_group = 1, .rows_per_group = kRows}, quant_of(codes, 8), arch);
    const std::vector<SliceStatistics> stats = statistics(layer);
    ASSERT_EQ(stats.size(), widths.size());
    for (std::size_t s = 0; s < stats.size(); ++s) {
      std::int64_t nonzero = 0;
      for (const std::uint32_t code : layer.codes)
        nonzero += (code >> layer.slices[s].shift) % (1U << layer.slices[s].width) != 0 ? 1 : 0;
      EXPECT_EQ(stats[s].nonzero, nonzero) << "slice " << s << " of " << widths.size();
    }
  }
}

}  // namespace
}  // namespace bitline::slice
