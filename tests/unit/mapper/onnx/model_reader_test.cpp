// SPDX-License-Identifier: Apache-2.0
// Models read without the bytes of their initializers, against protobuf's own parser.
#include "mapper/onnx/model_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "mapper/onnx/tensor_proto.h"
#include "models/base/files.h"
#include "text_model.h"

namespace bitline::onnx {
namespace {

using ::onnx::ModelProto;
using ::testing::ElementsAre;

/// What read_model left out, put back.
ModelProto whole(const std::string& bytes) {
  ModelProto model;
  const RawInitializers raw = read_model(bytes, -1, "test.onnx", model);
  EXPECT_EQ(raw.size(), static_cast<std::size_t>(model.graph().initializer_size()));
  for (std::size_t i = 0; i < raw.size(); ++i) {
    ::onnx::TensorProto& tensor = *model.mutable_graph()->mutable_initializer(static_cast<int>(i));
    EXPECT_FALSE(tensor.has_raw_data());
    if (!raw[i]) continue;
    std::string data(raw[i]->size(), '\0');
    raw[i]->read(0, data.data(), data.size());
    tensor.set_raw_data(data);
  }
  return model;
}

ModelProto parsed(const std::string& bytes) {
  ModelProto model;
  EXPECT_TRUE(model.ParseFromString(bytes));
  return model;
}

TEST(ReadModel, GivesTheMessageThatProtobufGives) {
  int files = 0;
  for (const char* folder : {"/workloads", "/tests/golden/quantised", "/tests/fuzz/corpus/network"}) {
    for (const auto& entry : std::filesystem::directory_iterator(std::string(BITLINE_SOURCE_DIR) + folder)) {
      if (entry.path().extension() != ".onnx") continue;
      const std::string bytes = base::read_file(entry.path(), 1 << 24);
      EXPECT_EQ(whole(bytes).SerializeAsString(), parsed(bytes).SerializeAsString()) << entry.path();
      ++files;
    }
  }
  EXPECT_GT(files, 50);
}

TEST(ReadModel, PartsOfAMessageInAnyOrderAreJoined) {
  const std::string first =
      parsed(model(filled("v", {2}, 1) + "initializer { name: 'r' data_type: 2 dims: 2 raw_data: 'ab' }"))
          .SerializeAsString();
  const std::string second =
      parsed(model("initializer { name: 's' data_type: 2 dims: 1 raw_data: 'c' } node { name: 'n' }", 9))
          .SerializeAsString();
  EXPECT_EQ(whole(first + second).SerializeAsString(), parsed(first + second).SerializeAsString());
}

TEST(ReadModel, ATruncatedMessageIsRefused) {
  const std::string bytes = base::read_file(BITLINE_SOURCE_DIR "/workloads/digits-mlp.onnx", 1 << 24);
  for (std::size_t size = 1; size < bytes.size(); size += size < 600 ? 1 : 61) {
    ModelProto model, reference;
    const bool sound = reference.ParseFromArray(bytes.data(), static_cast<int>(size));
    bool accepted = true;
    try {
      static_cast<void>(read_model(std::string_view(bytes).substr(0, size), -1, "test.onnx", model));
    } catch (const base::NetworkError&) {
      accepted = false;
    }
    EXPECT_EQ(accepted, sound) << size;
  }
}

TEST(RawDataOfAFile, IsReadFromItsPlace) {
  const std::string path = ::testing::TempDir() + "/raw.onnx";
  const std::string bytes =
      parsed(model("initializer { name: 'r' data_type: 2 dims: 5 raw_data: 'abcde' }")).SerializeAsString();
  std::ofstream(path) << bytes;
  const MappedFile file(path);
  ModelProto read;
  const RawInitializers raw = read_model(file.bytes(), file.descriptor(), path, read);
  ASSERT_TRUE(raw.at(0).has_value());
  EXPECT_THAT(take_tensor(*read.mutable_graph()->mutable_initializer(0), raw[0]).as<std::uint8_t>(),
              ElementsAre('a', 'b', 'c', 'd', 'e'));
  std::filesystem::resize_file(path, 10);
  char byte = 0;
  EXPECT_THROW(raw[0]->read(4, &byte, 1), std::invalid_argument);
  std::filesystem::remove(path);
}

TEST(RawDataOfAFile, ALargeWeightIsConvertedInPieces) {
  constexpr std::size_t kCount = 50'001;  // several pieces and a rest
  std::string data;
  for (std::size_t i = 0; i < kCount; ++i) {
    data += static_cast<char>(i & 0xFF);
    data += static_cast<char>(i >> 8 & 0xFF);
  }
  ::onnx::TensorProto proto;
  proto.set_data_type(::onnx::TensorProto::UINT16);
  proto.add_dims(kCount);
  const tensor::Tensor tensor = take_tensor(proto, RawData(data));
  for (std::size_t i = 0; i < kCount; ++i)
    ASSERT_EQ(tensor.as<std::int32_t>()[i], static_cast<std::int32_t>(i & 0xFFFF));
}

}  // namespace
}  // namespace bitline::onnx
