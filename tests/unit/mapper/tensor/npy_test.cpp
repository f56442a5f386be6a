// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "mapper/tensor/tensor.h"
#include "models/base/errors.h"
#include "models/base/files.h"

namespace bitline::tensor {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

class Npy : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    path_ = (std::filesystem::path(::testing::TempDir()) / (std::string("npy_") + test->name() + ".npy"))
                .string();
  }
  void TearDown() override { std::filesystem::remove(path_); }

  /// A version 1 file with that header dictionary.
  static std::string file(const std::string& header, const std::string& data) {
    std::string bytes("\x93NUMPY\x01\x00", 8);
    bytes += static_cast<char>(header.size() & 0xFF);
    bytes += static_cast<char>(header.size() >> 8);
    return bytes + header + data;
  }
  template <class T>
  static std::string raw(const std::vector<T>& values) {
    return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
  }
  Tensor load(const std::string& bytes) {
    std::ofstream(path_, std::ios::binary) << bytes;
    return load_npy(path_);
  }
  void expect_refused(const std::string& bytes, const std::string& why) {
    EXPECT_THAT([&] { static_cast<void>(load(bytes)); }, ThrowsMessage<base::UsageError>(HasSubstr(why)));
  }

  std::string path_;
};

template <class T>
Tensor sample() {
  return {{2, 3}, std::vector<T>{1, 2, 3, 4, 5, 6}};
}

TEST_F(Npy, WhatIsSavedIsLoadedAgain) {
  for (const Tensor& tensor :
       {sample<float>(), sample<std::int64_t>(), sample<std::int32_t>(), sample<std::int8_t>(),
        sample<std::uint8_t>(), Tensor{{}, std::vector<float>{7}}, Tensor{{5}, std::vector<float>(5)},
        Tensor{{0, 4}, std::vector<float>{}}}) {
    save_npy(path_, tensor);
    const Tensor loaded = load_npy(path_);
    EXPECT_EQ(loaded.shape, tensor.shape);
    EXPECT_EQ(loaded.data, tensor.data);
    EXPECT_EQ(base::read_file(path_, 1 << 20).find('\n') % 64, 63U) << "data must start at a multiple of 64";
  }
}

TEST_F(Npy, ReadsWhatNumPyWrote) {
  const Tensor x = load_npy(BITLINE_SOURCE_DIR "/workloads/digits-test-x.npy");
  EXPECT_EQ(x.shape[0], 360);
  EXPECT_TRUE(x.holds<float>());
  EXPECT_EQ(load_npy(BITLINE_SOURCE_DIR "/workloads/digits-test-y.npy").shape, Shape{360});
}

TEST_F(Npy, ConvertsOtherElementTypes) {
  EXPECT_THAT(load(file("{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }", raw<double>({1.5, -2})))
                  .as<float>(),
              ElementsAre(1.5F, -2.0F));
  EXPECT_THAT(load(file("{'descr': '<f2', 'fortran_order': False, 'shape': (2,)}",
                        raw<std::uint16_t>({0x3C00, 0xC000})))
                  .as<float>(),
              ElementsAre(1.0F, -2.0F));
  EXPECT_THAT(
      load(file("{'descr': '<i2', 'fortran_order': False, 'shape': (2,)}", raw<std::int16_t>({-3, 4})))
          .as<std::int32_t>(),
      ElementsAre(-3, 4));
  EXPECT_THAT(
      load(file("{'descr': '<u4', 'fortran_order': False, 'shape': (1,)}", raw<std::uint32_t>({4000000000U})))
          .as<std::int64_t>(),
      ElementsAre(4000000000));
  EXPECT_THAT(load(file("{'descr': '|b1', 'fortran_order': False, 'shape': ()}", std::string(1, '\1')))
                  .as<std::uint8_t>(),
              ElementsAre(1));
}

TEST_F(Npy, FortranOrderIsTurnedToRows) {
  const std::string columns = raw<float>({1, 4, 2, 5, 3, 6});
  const Tensor tensor = load(file("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }", columns));
  EXPECT_EQ(tensor.shape, (Shape{2, 3}));
  EXPECT_THAT(tensor.as<float>(), ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST_F(Npy, NamesWhatIsWrong) {
  const std::string good = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }";
  const std::string data = raw<float>({1, 2});
  expect_refused("", "is not a NumPy file");
  expect_refused("PK\x03\x04 an npz archive", "is not a NumPy file");
  expect_refused(file(good, data.substr(0, 7)), "7 bytes follow");
  expect_refused(file(good, data + data), "16 bytes follow");
  expect_refused(file("{'descr': '>f4', 'fortran_order': False, 'shape': (2,), }", data),
                 "element type '>f4'");
  expect_refused(file("{'descr': '|O', 'fortran_order': False, 'shape': (2,), }", data), "element type '|O'");
  expect_refused(file("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }", data),
                 "structured");
  expect_refused(file("{'descr': '<f4', 'fortran_order': False, 'shape': (-2,), }", data),
                 "non-negative dimension");
  expect_refused(file("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }", data),
                 "63 bits");
  expect_refused(file("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }", data),
                 "2^63");
  expect_refused(file("{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776,), }", data),
                 "8 bytes follow");
  expect_refused(file("{'descr': '<f4', 'shape': (2,), }", data), "lacks");
  expect_refused(file("{'descr': '<f4', 'fortran_order': 1, 'shape': (2,), }", data), "True or False");
  expect_refused(file("{'descr': '<f4', 'evil': 1, 'shape': (2,), }", data), "unexpected key 'evil'");
  std::string version = file(good, data);
  version[6] = 9;
  expect_refused(version, "format version 9");
}

TEST_F(Npy, EveryTruncationIsRefused) {
  const std::string whole =
      file("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", raw<float>({1, 2}));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_THROW(static_cast<void>(load(whole.substr(0, size))), base::UsageError) << size;
  }
}

TEST_F(Npy, AnUnwritablePathIsAnError) {
  EXPECT_THROW(save_npy("/nonexistent/folder/x.npy", sample<float>()), base::UsageError);
  EXPECT_THROW(static_cast<void>(load_npy("/nonexistent/x.npy")), base::UsageError);
}

TEST_F(Npy, FloatsInCOrderAreFoundWhereTheyLie) {
  const Tensor t{{2, 3}, std::vector<float>{1, 2, 3, 4, 5, 6}};
  save_npy(path_, t);
  const auto stored = stored_floats(path_);
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->shape, t.shape);
  std::ifstream file(path_, std::ios::binary);
  file.seekg(stored->offset + 5 * 4);
  float last = 0;
  file.read(reinterpret_cast<char*>(&last), sizeof last);
  EXPECT_EQ(last, 6.0F);
}

TEST_F(Npy, OtherFilesHaveNoStoredFloats) {
  save_npy(path_, {{2}, std::vector<double>{1, 2}});
  EXPECT_FALSE(stored_floats(path_));
  const std::string data = raw<float>({1, 2, 3, 4});
  for (const std::string& bytes : {
           file("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 2), }", data),
           file("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", data),
           std::string("not an array"),
       }) {
    std::ofstream(path_, std::ios::binary) << bytes;
    EXPECT_FALSE(stored_floats(path_)) << bytes;
  }
  EXPECT_FALSE(stored_floats("/nonexistent/x.npy"));
}

TEST_F(Npy, AWriterJoinsPartsInAnyOrder) {
  const Tensor a{{1, 2}, std::vector<std::int64_t>{1, 2}};
  const Tensor b{{1, 2}, std::vector<std::int64_t>{3, 4}};
  {
    NpyWriter writer(path_, 2, a);
    writer.write(1, b);
    writer.write(0, a);
    EXPECT_FALSE(std::filesystem::exists(path_));
    writer.finish();
  }
  const Tensor joined = load_npy(path_);
  EXPECT_EQ(joined.shape, (Shape{2, 2}));
  EXPECT_THAT(joined.as<std::int64_t>(), ElementsAre(1, 2, 3, 4));
}

TEST_F(Npy, AWriterThatDoesNotFinishLeavesNothing) {
  {
    NpyWriter writer(path_, 2, {{}, std::vector<float>{1}});
    writer.write(0, {{}, std::vector<float>{1}});
  }
  EXPECT_FALSE(std::filesystem::exists(path_));
  EXPECT_FALSE(std::filesystem::exists(path_ + ".part"));
  EXPECT_THROW(NpyWriter("/nonexistent/folder/x.npy", 1, sample<float>()), base::UsageError);
}

}  // namespace
}  // namespace bitline::tensor
