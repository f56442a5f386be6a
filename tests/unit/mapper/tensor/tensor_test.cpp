// SPDX-License-Identifier: Apache-2.0
#include "mapper/tensor/tensor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "mapper/tensor/half.h"
#include "mapper/tensor/operations.h"

namespace bitline::tensor {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

Tensor floats(Shape shape, std::vector<float> values) {
  return {std::move(shape), std::move(values)};
}

TEST(ElementCount, IsTheProductOfTheDimensions) {
  EXPECT_EQ(element_count({}), 1);
  EXPECT_EQ(element_count({2, 3, 5}), 30);
  EXPECT_EQ(element_count({7, 0, 5}), 0);
  EXPECT_EQ(element_count({std::int64_t{1} << 31, std::int64_t{1} << 31}), std::int64_t{1} << 62);
}

TEST(ElementCount, RefusesWhatDoesNotFit) {
  EXPECT_THROW(static_cast<void>(element_count({std::int64_t{1} << 32, std::int64_t{1} << 31})),
               std::overflow_error);
  EXPECT_THROW(static_cast<void>(element_count({2, -3})), std::overflow_error);
}

TEST(Half, CoversAllKindsOfNumbers) {
  EXPECT_EQ(half_to_float(0x3C00), 1.0F);
  EXPECT_EQ(half_to_float(0xC000), -2.0F);
  EXPECT_EQ(half_to_float(0x7BFF), 65504.0F);
  EXPECT_EQ(half_to_float(0x0400), 0x1p-14F);
  EXPECT_EQ(half_to_float(0x0001), 0x1p-24F);
  EXPECT_EQ(half_to_float(0x83FF), -1023 * 0x1p-24F);
  EXPECT_TRUE(std::signbit(half_to_float(0x8000)));
  EXPECT_EQ(half_to_float(0xFC00), -std::numeric_limits<float>::infinity());
  EXPECT_TRUE(std::isnan(half_to_float(0x7E00)));
  EXPECT_EQ(bfloat16_to_float(0x4049), 3.140625F);
}

TEST(Broadcast, FollowsNumPy) {
  EXPECT_EQ(broadcast_shape({2, 1, 4}, {3, 1}), (Shape{2, 3, 4}));
  EXPECT_EQ(broadcast_shape({}, {5}), (Shape{5}));
  EXPECT_THROW(static_cast<void>(broadcast_shape({2, 3}, {2, 4})), std::invalid_argument);
}

TEST(Add, BroadcastsEachOperandWhereItIsOne) {
  const Tensor sum = add(floats({2, 1, 2}, {1, 2, 3, 4}), floats({3, 1}, {10, 20, 30}));
  EXPECT_EQ(sum.shape, (Shape{2, 3, 2}));
  EXPECT_THAT(sum.as<float>(), ElementsAre(11, 12, 21, 22, 31, 32, 13, 14, 23, 24, 33, 34));
}

TEST(Add, WorksOnScalarsAndIntegersButNotOnAMixture) {
  EXPECT_THAT(add(floats({}, {2}), floats({}, {3})).as<float>(), ElementsAre(5));
  const Tensor integers{{2}, std::vector<std::int64_t>{1, 2}};
  EXPECT_THAT(add(integers, integers).as<std::int64_t>(), ElementsAre(2, 4));
  EXPECT_THROW(static_cast<void>(add(integers, floats({2}, {1, 2}))), std::invalid_argument);
}

TEST(Concat, JoinsAlongAnyAxis) {
  const Tensor a = floats({2, 1}, {1, 2});
  const Tensor b = floats({2, 2}, {3, 4, 5, 6});
  const Tensor* both[] = {&a, &b};
  const Tensor joined = concat(both, 1);
  EXPECT_EQ(joined.shape, (Shape{2, 3}));
  EXPECT_THAT(joined.as<float>(), ElementsAre(1, 3, 4, 2, 5, 6));
  const Tensor* twice[] = {&a, &a};
  EXPECT_THAT(concat(twice, 0).as<float>(), ElementsAre(1, 2, 1, 2));
}

TEST(Concat, RefusesShapesThatDiffer) {
  const std::vector<Shape> shapes = {{2, 3}, {3, 3}};
  EXPECT_THAT([&] { static_cast<void>(concat_shape(shapes, 1)); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("shapes 2x3 and 3x3 differ beside axis 1")));
  EXPECT_THROW(static_cast<void>(concat_shape(shapes, 2)), std::invalid_argument);
}

TEST(Transpose, SwapsRowsAndColumnsAcrossBlocks) {
  Tensor matrix = zeros({37, 65});
  for (std::size_t i = 0; i < 37 * 65; ++i) matrix.as<float>()[i] = static_cast<float>(i);
  const Tensor turned = transpose(matrix);
  EXPECT_EQ(turned.shape, (Shape{65, 37}));
  for (std::size_t r = 0; r < 37; ++r) {
    for (std::size_t c = 0; c < 65; ++c)
      ASSERT_EQ(turned.as<float>()[c * 37 + r], matrix.as<float>()[r * 65 + c]);
  }
}

TEST(Image, TakesOneRowOfTheBatch) {
  const Tensor batch{{3, 2}, std::vector<std::int32_t>{1, 2, 3, 4, 5, 6}};
  const Tensor second = image(batch, 1);
  EXPECT_EQ(second.shape, (Shape{1, 2}));
  EXPECT_THAT(second.as<std::int32_t>(), ElementsAre(3, 4));
  EXPECT_THROW(static_cast<void>(image(batch, 3)), std::out_of_range);
  EXPECT_THAT(to_float(second).as<float>(), ElementsAre(3, 4));
}

}  // namespace
}  // namespace bitline::tensor
