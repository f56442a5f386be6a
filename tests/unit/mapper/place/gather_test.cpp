// SPDX-License-Identifier: Apache-2.0
#include "mapper/place/gather.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>

namespace bitline::place {
namespace {

/// Offsets of a dimension: `first`, then in steps of `step`, each times `stride` elements.
std::vector<std::int64_t> steps(std::int64_t first, std::int64_t step, std::int64_t count,
                                std::int64_t stride) {
  std::vector<std::int64_t> offsets;
  for (std::int64_t i = 0; i < count; ++i) offsets.push_back((first + i * step) * stride);
  return offsets;
}

using Sources = std::function<std::set<std::int64_t>(std::int64_t)>;

/// The three lists of a gather against the pixels that each output pixel takes by definition.
void expect_takes(const Gather& gather, std::int64_t in_pixels, std::int64_t out_pixels,
                  const Sources& sources) {
  ASSERT_EQ(static_cast<std::int64_t>(gather.needed.size()), out_pixels);
  std::int64_t needed = 0;
  for (std::int64_t j = 0; j < out_pixels; ++j) {
    const auto own = sources(j);
    if (!own.empty()) needed = std::max(needed, *own.rbegin() + 1);
    EXPECT_EQ(gather.needed[static_cast<std::size_t>(j)], needed) << j;
    EXPECT_EQ(gather.taken[static_cast<std::size_t>(j)], static_cast<std::int64_t>(own.size())) << j;
    std::int64_t later = in_pixels;
    for (std::int64_t k = j + 1; k < out_pixels; ++k) {
      for (const std::int64_t p : sources(k)) later = std::min(later, p);
    }
    EXPECT_EQ(gather.released[static_cast<std::size_t>(j)], later) << j;
  }
}

TEST(Gather, ACropWithAStrideTakesOnePixelEach) {
  const Geometry in{7, 6, 3, true}, out{3, 5, 3, true};  // rows 1, 3, 5; columns 1 ..
  const graph::RearrangeAttributes crop{{{0}, steps(0, 1, 3, 42), steps(1, 2, 3, 6), steps(1, 1, 5, 1)}};
  const auto gather = gather_of(crop, in, out);
  EXPECT_FALSE(gather->pixelwise);
  expect_takes(*gather, 42, 15,
               [](std::int64_t j) { return std::set<std::int64_t>{(1 + 2 * (j / 5)) * 6 + 1 + j % 5}; });
}

TEST(Gather, EqualMovesOfWholeChannelsShareOne) {
  const Geometry in{7, 6, 3, true}, out{3, 5, 3, true}, one_channel{3, 5, 1, true};
  const auto crop = [](std::int64_t channels, std::int64_t column) {
    return graph::RearrangeAttributes{
        {{0}, steps(0, 1, channels, 42), steps(1, 2, 3, 6), steps(column, 1, 5, 1)}};
  };
  EXPECT_EQ(gather_of(crop(3, 1), in, out), gather_of(crop(3, 1), in, out));
  EXPECT_EQ(gather_of(crop(3, 1), in, out), gather_of(crop(1, 1), in, one_channel));
  EXPECT_NE(gather_of(crop(3, 1), in, out), gather_of(crop(3, 0), in, out));
}

TEST(Gather, PaddingTakesNothing) {
  const Geometry in{2, 2, 1, true}, out{3, 4, 1, true};  // a row above, a column at each side
  const graph::RearrangeAttributes pad{{{0}, {0}, {-1, 0, 2}, {-1, 0, 1, -1}}};
  expect_takes(*gather_of(pad, in, out), 4, 12, [](std::int64_t j) {
    const std::int64_t row = j / 4 - 1, column = j % 4 - 1;
    if (row < 0 || column < 0 || column > 1) return std::set<std::int64_t>{};
    return std::set<std::int64_t>{row * 2 + column};
  });
}

TEST(Gather, AShuffleOfChannelsIsPixelwise) {
  const Geometry image{4, 5, 6, true};
  const graph::RearrangeAttributes shuffle{
      {{0}, {0, 60, 20, 80, 40, 100}, steps(0, 1, 4, 5), steps(0, 1, 5, 1)}};
  EXPECT_TRUE(gather_of(shuffle, image, image)->pixelwise);
}

TEST(Gather, DepthToSpaceTakesThePixelOfItsBlock) {
  const Geometry in{2, 3, 4, true}, out{4, 6, 1, true};
  // Output (h, w) is channel 2 (h % 2) + w % 2 of the input pixel (h / 2, w / 2).
  const graph::RearrangeAttributes blocks{{{0}, {0}, {0, 12, 3, 15}, {0, 6, 1, 7, 2, 8}}};
  expect_takes(*gather_of(blocks, in, out), 6, 24,
               [](std::int64_t j) { return std::set<std::int64_t>{j / 6 / 2 * 3 + j % 6 / 2}; });
}

TEST(Gather, InterpolationTakesTheRowsWithAWeight) {
  const Geometry in{2, 3, 5, true}, out{4, 3, 5, true};
  graph::ResampleAttributes rows;  // rows 0, 0 and 1, 0 and 1, 1
  rows.axis = 2;
  rows.taps = 2;
  rows.indices = {0, 1, 0, 1, 0, 1, 1, -1};
  rows.weights = {1, 0, 0.75F, 0.25F, 0.25F, 0.75F, 1, 0};
  expect_takes(*gather_of(rows, in, out), 6, 12, [](std::int64_t j) {
    const std::int64_t row = j / 3, column = j % 3;
    if (row == 0) return std::set<std::int64_t>{column};
    if (row == 3) return std::set<std::int64_t>{3 + column};
    return std::set<std::int64_t>{column, 3 + column};
  });
}

}  // namespace
}  // namespace bitline::place
