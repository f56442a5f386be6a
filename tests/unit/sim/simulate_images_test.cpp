// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <limits>

#include "models/base/errors.h"
#include "sim/images.h"
#include "sim/values.h"
#include "tests/support/refusal.h"

namespace bitline::sim {
namespace {

namespace fs = std::filesystem;
using tensor::Shape;
using tensor::Tensor;
using ::testing::AllOf;
using ::testing::HasSubstr;
using testing_support::refusal;

graph::Graph network(std::vector<std::pair<std::string, Shape>> inputs) {
  graph::Graph graph;
  for (auto& [name, shape] : inputs) {
    graph.inputs.push_back(static_cast<int>(graph.values.size()));
    graph.values.push_back({name, shape, -1, nullptr});
  }
  return graph;
}

Tensor ramp(const Shape& shape, float first = 0) {
  std::vector<float> values(static_cast<std::size_t>(tensor::element_count(shape)));
  for (float& v : values) v = first++;
  return {shape, values};
}

class Images_ : public ::testing::Test {
 protected:
  void SetUp() override { fs::create_directories(root_); }
  void TearDown() override { fs::remove_all(root_); }
  std::string save(const std::string& name, const Tensor& t) {
    tensor::save_npy((root_ / name).string(), t);
    return (root_ / name).string();
  }
  const fs::path root_ = fs::temp_directory_path() / ("bitline_images_" + std::to_string(::getpid()));
  const graph::Graph image_ = network({{"x", {1, 2, 2, 2}}});
};

TEST_F(Images_, SplitsABatchAndAcceptsASingleImageWithoutBatch) {
  const Images batch = load_images(image_, save("b.npy", ramp({3, 2, 2, 2})), "--input");
  ASSERT_EQ(batch.size(), 3U);
  EXPECT_EQ(batch[2][0].shape, (Shape{1, 2, 2, 2}));
  EXPECT_EQ(batch[2][0].as<float>().front(), 16.0F);
  EXPECT_EQ(load_images(image_, save("s.npy", ramp({2, 2, 2})), "--input").size(), 1U);
}

TEST_F(Images_, JoinsTheFilesOfAFolderInTheOrderOfTheirNames) {
  save("b.npy", ramp({1, 2, 2, 2}, 100));
  save("a.npy", ramp({2, 2, 2, 2}, 0));
  const Images images = load_images(image_, root_.string(), "--input");
  ASSERT_EQ(images.size(), 3U);
  EXPECT_EQ(images[1][0].as<float>().front(), 8.0F);
  EXPECT_EQ(images[2][0].as<float>().front(), 100.0F);
}

TEST_F(Images_, SeveralInputsTakeOneFileEachByNameOrIndex) {
  const graph::Graph two = network({{"left/x", {1, 2}}, {"right", {1, 3}}});
  save("left_x.npy", ramp({4, 2}));
  save("input_1.npy", ramp({4, 3}, 50));
  const Images images = load_images(two, root_.string(), "--input");
  ASSERT_EQ(images.size(), 4U);
  EXPECT_EQ(images[3][0].as<float>(), (std::vector<float>{6, 7}));
  EXPECT_EQ(images[1][1].as<float>(), (std::vector<float>{53, 54, 55}));
  EXPECT_THAT(refusal<base::UsageError>([&] {
                (void)load_images(two, save("one.npy", ramp({4, 2})), "--input");
              }),
              HasSubstr("one file for a network of 2 inputs"));
  save("input_1.npy", ramp({3, 3}));
  EXPECT_THAT(refusal<base::UsageError>([&] { (void)load_images(two, root_.string(), "--input"); }),
              HasSubstr("3 images"));
  fs::remove(root_ / "input_1.npy");
  EXPECT_THAT(refusal<base::UsageError>([&] { (void)load_images(two, root_.string(), "--input"); }),
              HasSubstr("input_1.npy"));
}

TEST_F(Images_, AShapeThatDoesNotFitNamesBoth) {
  const std::string path = save("x.npy", ramp({3, 1, 2, 2}));
  EXPECT_THAT(
      refusal<base::UsageError>([&] { (void)load_images(image_, path, "--input"); }),
      AllOf(HasSubstr("--input " + path), HasSubstr("3x1x2x2"), HasSubstr("Nx2x2x2"), HasSubstr("'x'")));
  EXPECT_THAT(refusal<base::UsageError>([&] {
                (void)load_images(image_, save("e.npy", ramp({0, 2, 2, 2})), "--input");
              }),
              HasSubstr("holds no image"));
}

TEST_F(Images_, OtherTypesAndValuesThatAreNotFiniteAreRefused) {
  EXPECT_THAT(
      refusal<base::UsageError>([&] {
        (void)load_images(image_, save("d.npy", {{1, 2, 2, 2}, std::vector<std::int32_t>(8, 5)}), "--input");
      }),
      AllOf(HasSubstr("int32"), HasSubstr("astype('float32')")));
  Tensor bad = ramp({1, 2, 2, 2});
  bad.as<float>()[5] = std::numeric_limits<float>::infinity();
  EXPECT_THAT(refusal<base::UsageError>([&] { (void)load_images(image_, save("i.npy", bad), "--input"); }),
              HasSubstr("inf at element 5"));
}

TEST_F(Images_, FilesThatAreNoArraysAreRefused) {
  EXPECT_THAT(
      refusal<base::UsageError>([&] { (void)load_images(image_, (root_ / "no.npy").string(), "--input"); }),
      HasSubstr("no such file"));
  EXPECT_THAT(refusal<base::UsageError>([&] { (void)load_images(image_, root_.string(), "--calibrate"); }),
              AllOf(HasSubstr("--calibrate"), HasSubstr("no .npy or .pb")));
}

TEST(RandomImages, FollowTheSeedAndStayBelowOne) {
  const graph::Graph graph = network({{"x", {1, 1000}}});
  const Images a = random_images(graph, 2, 7);
  EXPECT_EQ(a[1][0].as<float>(), random_images(graph, 2, 7)[1][0].as<float>());
  EXPECT_NE(a[0][0].as<float>(), a[1][0].as<float>());
  EXPECT_NE(a[0][0].as<float>(), random_images(graph, 1, 8)[0][0].as<float>());
  double sum = 0;
  const quantize::Inputs first = a[0];
  for (const float v : first[0].as<float>()) {
    ASSERT_GE(v, 0.0F);
    ASSERT_LT(v, 1.0F);
    sum += v;
  }
  EXPECT_NEAR(sum / 1000, 0.5, 0.05);  // five standard deviations of the mean: 5 * 0.289 / sqrt(1000)
}

// The first output of splitmix64 from state 0 is 0xe220a8397b1dcdaf (reference implementation).
TEST(RandomImages, AreTheReferenceSequence) {
  const Images images = random_images(network({{"x", {1}}}), 1, 0);
  EXPECT_EQ(images[0][0].as<float>()[0], static_cast<float>(0xe220a8) * 0x1p-24F);
}

TEST_F(Images_, LabelsAreCheckedAgainstImagesAndClasses) {
  const std::string good = save("y.npy", {{3}, std::vector<std::int64_t>{0, 9, 4}});
  EXPECT_EQ(load_labels(good, 3, 10), (std::vector<std::int64_t>{0, 9, 4}));
  EXPECT_THAT(refusal<base::UsageError>([&] { (void)load_labels(good, 4, 10); }),
              HasSubstr("3 labels for 4 images"));
  EXPECT_THAT(refusal<base::UsageError>([&] { (void)load_labels(good, 3, 9); }),
              AllOf(HasSubstr("label 9 at element 1"), HasSubstr("0 to 8")));
  EXPECT_THAT(refusal<base::UsageError>([&] { (void)load_labels(save("f.npy", ramp({3})), 3, 10); }),
              HasSubstr("float32"));
  EXPECT_EQ(load_labels(save("u.npy", {{2, 1}, std::vector<std::uint8_t>{1, 2}}), 2, 3),
            (std::vector<std::int64_t>{1, 2}));
}

TEST(RankOf, CountsHigherScoresAndEqualOnesBefore) {
  const Tensor scores{{1, 5}, std::vector<float>{0.1F, 0.7F, 0.7F, -1.0F, 0.2F}};
  EXPECT_EQ(rank_of(scores, 1), 0);
  EXPECT_EQ(rank_of(scores, 2), 1);
  EXPECT_EQ(rank_of(scores, 4), 2);
  EXPECT_EQ(rank_of(scores, 3), 4);
}

TEST(FileName, IsNeverAPath) {
  EXPECT_EQ(file_name("layer1/conv.2"), "layer1_conv.2");
  EXPECT_EQ(file_name(".."), "_..");
  EXPECT_EQ(file_name(""), "_");
  EXPECT_EQ(file_name("a\xC3\xA4 b"), "a___b");
}

TEST(Score, CountsRanksOfValuesAndOfTheReference) {
  const auto scores = [](std::vector<float> v) {
    return Tensor{{1, static_cast<std::int64_t>(v.size())}, v};
  };
  Score score(6);
  score.add(0, scores({0, 5, 4, 3, 2, 1}), scores({1, 0, 0, 0, 0, 0}));
  score.add(0, scores({9, 1, 2, 3, 4, 5}), scores({0, 1, 0, 0, 0, 0}));
  score.add(3, scores({9, 1, 2, 3, 4, 5}), scores({0, 1, 0, 0, 0, 0}));
  score.add(3, scores({9, 1, 2, 3, 4, 5}), scores({0, 1, 0, 0, 0, 0}));
  const result::Accuracy a = score.accuracy();
  EXPECT_EQ(a.top1, 0.25);        // second image only
  EXPECT_EQ(a.top5, 0.75);        // label 0 is last of six in the first image
  EXPECT_EQ(a.float_top1, 0.25);  // first image only
  EXPECT_EQ(a.images, 4);
  std::vector<std::vector<std::int64_t>> confusion(6, std::vector<std::int64_t>(6, 0));
  confusion[0][1] = 1;
  confusion[0][0] = 1;
  confusion[3][0] = 2;
  EXPECT_EQ(a.confusion, confusion);
}

TEST(Score, LeavesOutTheConfusionOfVeryManyClasses) {
  const Tensor scores{{1, 1001}, std::vector<float>(1001, 0.0F)};
  Score score(1001);
  score.add(0, scores, scores);
  EXPECT_TRUE(score.accuracy().confusion.empty());
  EXPECT_EQ(score.accuracy().top1, 1.0);
}

TEST_F(Images_, ArraysOfOtherFloatsAreConvertedAndJoined) {
  save("a.npy", ramp({1, 2, 2, 2}));
  Tensor doubles{{1, 2, 2, 2}, std::vector<double>(8, 0.5)};
  save("b.npy", doubles);
  const Images images = load_images(image_, root_.string(), "--input");
  EXPECT_EQ(images[0][0].as<float>()[7], 7.0F);
  EXPECT_EQ(images[1][0].as<float>()[7], 0.5F);
}

}  // namespace
}  // namespace bitline::sim
