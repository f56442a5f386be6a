// SPDX-License-Identifier: Apache-2.0
// Each format on small files that the test makes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stb/stb_image_write.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "models/base/errors.h"
#include "sim/images.h"
#include "tests/support/refusal.h"

namespace bitline::sim {
namespace {

namespace fs = std::filesystem;
using tensor::Shape;
using ::testing::AllOf;
using ::testing::HasSubstr;
using testing_support::refusal;

graph::Graph network(const Shape& input) {
  graph::Graph graph;
  graph.inputs.push_back(0);
  graph.values.push_back({"x", input, -1, nullptr});
  return graph;
}

class Datasets : public ::testing::Test {
 protected:
  void SetUp() override { fs::create_directories(root_); }
  void TearDown() override { fs::remove_all(root_); }
  std::string write(const std::string& name, const std::string& bytes) {
    fs::create_directories((root_ / name).parent_path());
    std::ofstream(root_ / name, std::ios::binary) << bytes;
    return (root_ / name).string();
  }
  /// A PNG whose byte (y, x, c) is first + (y*width + x)*channels + c.
  void png(const std::string& name, int width, int height, int channels, int first) {
    fs::create_directories((root_ / name).parent_path());
    std::vector<std::uint8_t> pixels(static_cast<std::size_t>(width * height * channels));
    for (std::size_t i = 0; i < pixels.size(); ++i)
      pixels[i] = static_cast<std::uint8_t>(first + static_cast<int>(i));
    ASSERT_NE(
        stbi_write_png((root_ / name).c_str(), width, height, channels, pixels.data(), width * channels), 0);
  }
  std::string refused(const Shape& input, const std::string& path, const Normalisation& how = {}) {
    return refusal<base::UsageError>([&] { (void)load_images(network(input), path, "--input", how); });
  }
  const fs::path root_ = fs::temp_directory_path() / ("bitline_datasets_" + std::to_string(::getpid()));
};

/// A record: the label, then 3072 bytes (first + index) mod 256.
std::string cifar_record(int label, int first) {
  std::string record(1, static_cast<char>(label));
  for (int i = 0; i < 3072; ++i) record += static_cast<char>((first + i) % 256);
  return record;
}

const Shape kCifar{1, 3, 32, 32};

TEST_F(Datasets, CifarRecordsHaveALabelAndThreePlanes) {
  const std::string path = write("test_batch.bin", cifar_record(7, 0) + cifar_record(9, 5));
  const Images images = load_images(network(kCifar), path, "--input");
  ASSERT_EQ(images.count(), 2);
  EXPECT_EQ(images.labels(), (std::vector<std::int64_t>{7, 9}));
  const quantize::Inputs second = images[1];
  EXPECT_EQ(second[0].shape, kCifar);
  EXPECT_EQ(second[0].as<float>()[0], 5.0F / 255.0F);
  EXPECT_EQ(second[0].as<float>()[3071], static_cast<float>((5 + 3071) % 256) / 255.0F);
}

TEST_F(Datasets, CifarFilesThatDoNotFitAreRefused) {
  EXPECT_THAT(refused(kCifar, write("short.bin", cifar_record(1, 0).substr(1))),
              AllOf(HasSubstr("3072 bytes"), HasSubstr("multiple of 3073")));
  EXPECT_THAT(refused(kCifar, write("label.bin", cifar_record(1, 0) + cifar_record(10, 0))),
              AllOf(HasSubstr("label 10 in record 1"), HasSubstr("0 to 9")));
  EXPECT_THAT(refused({1, 3, 28, 28}, write("whole.bin", cifar_record(1, 0))),
              HasSubstr("images of 3x32x32"));
}

TEST_F(Datasets, NormalisationDividesBySubtractsAndDividesPerChannel) {
  const std::string path = write("b.bin", cifar_record(0, 0));
  const Images images = load_images(network(kCifar), path, "--input", {0, {0.5, 0.25, 0.125}, {0.5, 2, 4}});
  const quantize::Inputs inputs = images[0];
  const std::vector<float>& x = inputs[0].as<float>();
  EXPECT_EQ(x[3], (3.0F / 255.0F - 0.5F) / 0.5F);
  EXPECT_EQ(x[1024 + 3], (3.0F / 255.0F - 0.25F) / 2.0F);
  EXPECT_EQ(x[2048 + 3], (3.0F / 255.0F - 0.125F) / 4.0F);
  EXPECT_EQ(load_images(network(kCifar), path, "--input", {1, {1}, {2}})[0][0].as<float>()[3], 1.0F);
  EXPECT_THAT(refused(kCifar, path, {0, {1, 2}, {}}),
              AllOf(HasSubstr("--mean"), HasSubstr("2 numbers"), HasSubstr("3")));
  EXPECT_THAT(refused(kCifar, path, {0, {}, {1, 0, 1}}), AllOf(HasSubstr("--std"), HasSubstr("above 0")));
}

TEST_F(Datasets, ArraysAreNormalisedOnlyWhereAsked) {
  tensor::save_npy((root_ / "x.npy").string(), {{2, 1, 1, 2}, std::vector<float>{8, 6, 4, 2}});
  const std::string path = (root_ / "x.npy").string();
  EXPECT_EQ(load_images(network({1, 1, 1, 2}), path, "--input")[1][0].as<float>(),
            (std::vector<float>{4, 2}));
  EXPECT_EQ(load_images(network({1, 1, 1, 2}), path, "--input", {2, {1}, {}})[1][0].as<float>(),
            (std::vector<float>{1, 0}));
}

std::string idx(std::uint8_t type, const std::vector<int>& shape, const std::string& data) {
  std::string bytes{'\0', '\0', static_cast<char>(type), static_cast<char>(shape.size())};
  for (const int d : shape)
    bytes += {static_cast<char>(d >> 24), static_cast<char>(d >> 16), static_cast<char>(d >> 8),
              static_cast<char>(d)};
  return bytes + data;
}

TEST_F(Datasets, IdxImagesFillAChannelOrAVector) {
  const std::string path =
      write("t10k-images-idx3-ubyte",
            idx(8, {2, 2, 3}, std::string("\x01\x02\x03\x04\x05\xff\x07\x08\x09\x0a\x0b\x0c")));
  for (const Shape& shape : {Shape{1, 1, 2, 3}, Shape{1, 6}}) {
    const Images images = load_images(network(shape), path, "--input");
    ASSERT_EQ(images.count(), 2);
    EXPECT_FALSE(images.labels());
    EXPECT_EQ(images[0][0].as<float>()[5], 1.0F);
    EXPECT_EQ(images[1][0].as<float>()[0], 7.0F / 255.0F);
  }
  EXPECT_THAT(refused({1, 1, 3, 2}, path), AllOf(HasSubstr("images of 2x3"), HasSubstr("1x1x3x2")));
}

TEST_F(Datasets, IdxLabelsAreReadAndChecked) {
  const std::string path = write("labels-idx1-ubyte", idx(8, {3}, std::string("\x01\x00\x09", 3)));
  EXPECT_EQ(load_labels(path, 3, 10), (std::vector<std::int64_t>{1, 0, 9}));
  EXPECT_THAT(refusal<base::UsageError>([&] { (void)load_labels(path, 2, 10); }),
              HasSubstr("3 labels for 2 images"));
  EXPECT_THAT(refusal<base::UsageError>([&] { (void)load_labels(path, 3, 9); }),
              HasSubstr("label 9 at element 2"));
  const std::string images = write("images", idx(8, {1, 1, 1}, "a"));
  EXPECT_THAT(refusal<base::UsageError>([&] { (void)load_labels(images, 1, 9); }),
              HasSubstr("3 dimensions, as images are"));
  EXPECT_THAT(refused({1, 3}, path), HasSubstr("as labels are"));
}

TEST_F(Datasets, IdxFilesThatAreDamagedOrOfOtherTypesAreRefused) {
  EXPECT_THAT(refused({1, 4}, write("a", idx(8, {2, 4}, "1234567"))),
              AllOf(HasSubstr("8 bytes"), HasSubstr("has 7")));
  EXPECT_THAT(refused({1, 4}, write("b", idx(8, {2, 4}, "").substr(0, 9))), HasSubstr("truncated"));
  EXPECT_THAT(refused({1, 1}, write("c", idx(0x0d, {1, 1}, "1234"))), HasSubstr("element type 0x0d"));
  EXPECT_THAT(refused({1, 1}, write("d.gz", "\x1f\x8b....")),
              AllOf(HasSubstr("unknown kind"), HasSubstr("decompress")));
}

TEST_F(Datasets, AFolderOfPicturesPerClassTakesItsLabelsFromTheOrderOfNames) {
  png("set/cat/b.png", 3, 2, 3, 100);
  png("set/cat/a.PNG", 3, 2, 3, 0);
  png("set/ant/z.png", 3, 2, 3, 30);
  write("set/cat/.hidden", "x");
  write("set/notes.txt", "x");
  const Images images = load_images(network({1, 3, 2, 3}), (root_ / "set").string(), "--input");
  EXPECT_EQ(images.labels(), (std::vector<std::int64_t>{0, 1, 1}));  // ant; cat/a.PNG, cat/b.png
  const quantize::Inputs inputs = images[1];
  // Plane 1, pixel (1, 0): byte ((1*3 + 0)*3 + 1) of a.PNG.
  EXPECT_EQ(inputs[0].as<float>()[6 + 3], 10.0F / 255.0F);
  EXPECT_EQ(images[2][0].as<float>()[0], 100.0F / 255.0F);
}

TEST_F(Datasets, PicturesTakeTheChannelsOfTheNetwork) {
  png("grey/0/a.png", 2, 2, 1, 50);
  const Images colour = load_images(network({1, 3, 2, 2}), (root_ / "grey").string(), "--input");
  const quantize::Inputs inputs = colour[0];
  for (const std::size_t at : {0U, 4U, 8U}) EXPECT_EQ(inputs[0].as<float>()[at], 50.0F / 255.0F);
  const Images grey = load_images(network({1, 1, 2, 2}), (root_ / "grey").string(), "--input");
  EXPECT_EQ(grey[0][0].as<float>()[3], 53.0F / 255.0F);
}

TEST_F(Datasets, AJpegOfOneColourKeepsIt) {
  fs::create_directories(root_ / "j" / "0");
  const std::vector<std::uint8_t> pixels(16 * 16 * 3, 128);
  ASSERT_NE(stbi_write_jpg((root_ / "j/0/a.jpeg").c_str(), 16, 16, 3, pixels.data(), 95), 0);
  const Images images = load_images(network({1, 3, 16, 16}), (root_ / "j").string(), "--input");
  const quantize::Inputs inputs = images[0];
  for (const float v : inputs[0].as<float>()) ASSERT_NEAR(v, 128.0F / 255.0F, 1.5F / 255.0F);  // JPEG rounds
}

TEST_F(Datasets, PicturesThatDoNotFitAreRefused) {
  png("s/0/a.png", 3, 2, 3, 0);
  const Images images = load_images(network({1, 3, 4, 4}), (root_ / "s").string(), "--input");
  EXPECT_THAT(refusal<base::UsageError>([&] { (void)images[0]; }),
              AllOf(HasSubstr("a.png"), HasSubstr("3 pixels wide and 2 high"), HasSubstr("resize")));
  EXPECT_THAT(refused({1, 18}, (root_ / "s").string()), HasSubstr("images fit 1x1xHxW and 1x3xHxW"));
  write("s/0/b.jpg", "not a picture");
  EXPECT_THAT(refusal<base::UsageError>([&] {
                (void)load_images(network({1, 3, 2, 3}), (root_ / "s").string(), "--input")[1];
              }),
              AllOf(HasSubstr("b.jpg"), HasSubstr("damaged")));
  // A chunk that claims 1.6 GB, which the decoder would take memory for: signature, length, type.
  write("s/0/b.jpg", std::string("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\3\0\0\0\2\10\2\0\0\0", 29) +
                         std::string("\0\0\0\0\x60\0\x50\x49IDATx", 13));
  EXPECT_THAT(refusal<base::UsageError>([&] {
                (void)load_images(network({1, 3, 2, 3}), (root_ / "s").string(), "--input")[1];
              }),
              AllOf(HasSubstr("b.jpg"), HasSubstr("a chunk is longer than the file")));
  write("s/0/c.txt", "text");
  EXPECT_THAT(refused({1, 3, 2, 3}, (root_ / "s").string()),
              AllOf(HasSubstr("c.txt"), HasSubstr("not a PNG or JPEG")));
}

}  // namespace
}  // namespace bitline::sim
