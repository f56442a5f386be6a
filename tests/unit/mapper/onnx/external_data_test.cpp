// SPDX-License-Identifier: Apache-2.0
// Weights in files beside the model.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "mapper/reference/executor.h"
#include "text_model.h"

namespace bitline::onnx {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ExternalWeights : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ =
        fs::temp_directory_path() /
        ("bitline_external_" + std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()));
    fs::remove_all(root_);
    fs::create_directories(root_ / "model" / "data");
    const float values[] = {9, 1, 2, 3};
    for (const char* name : {"model/data/w.bin", "outside.bin"}) {
      std::ofstream file(root_ / name, std::ios::binary);
      file.write(reinterpret_cast<const char*>(values), sizeof values);
    }
  }
  void TearDown() override { fs::remove_all(root_); }

  static std::string entry(const std::string& key, const std::string& value) {
    return "external_data { key: '" + key + "' value: '" + value + "' } ";
  }
  /// A model that adds an external tensor of three floats to its input.
  [[nodiscard]] std::string path(const std::string& location, const std::string& rest) const {
    const std::string file = (root_ / "model" / "net.onnx").string();
    std::ofstream(file, std::ios::binary) << model(
        input("x", {1, 3}) + output("y") +
        "initializer { name: 'w' data_type: 1 dims: 3 data_location: EXTERNAL " +
        entry("location", location) + rest + "} node { op_type: 'Add' input: 'x' input: 'w' output: 'y' } ");
    return file;
  }
  [[nodiscard]] std::string refused(const std::string& location, const std::string& rest = "") const {
    try {
      static_cast<void>(import_onnx(path(location, rest)));
      return "";
    } catch (const base::NetworkError& error) {
      return error.what();
    }
  }
  fs::path root_;
};

TEST_F(ExternalWeights, AreRead) {
  const auto graph = std::make_shared<const graph::Graph>(
      import_onnx(path("data/w.bin", entry("offset", "4") + entry("length", "12"))));
  EXPECT_THAT(reference::Executor(graph).run({{{1, 3}, std::vector<float>{10, 20, 30}}}).at(0).as<float>(),
              ElementsAre(11, 22, 33));
  // Without a length: to the end of the file.
  EXPECT_EQ(refused("data/w.bin", entry("offset", "4")), "");
}

TEST_F(ExternalWeights, OutsideOfTheModelsFolderAreRefused) {
  fs::create_symlink(root_ / "outside.bin", root_ / "model" / "link.bin");
  const std::string outside = "outside of the model's folder; give a relative path inside it";
  for (const std::string& location :
       {std::string("../outside.bin"), (root_ / "outside.bin").string(),
        std::string("data/../../outside.bin"), std::string("link.bin"), std::string()}) {
    EXPECT_THAT(refused(location),
                HasSubstr("initializer 'w': its data lie in '" + location + "', " + outside));
  }
}

TEST_F(ExternalWeights, ThatAreMissingOrShortAreRefused) {
  EXPECT_THAT(
      refused("none.bin"),
      HasSubstr(
          "initializer 'w': the file of its data, 'none.bin', cannot be read: No such file or directory"));
  EXPECT_THAT(refused("data"), HasSubstr("the file of its data, 'data', is not a regular file"));
  EXPECT_THAT(refused("data/w.bin", entry("offset", "8") + entry("length", "12")),
              HasSubstr("its 12 bytes from byte 8 on are not all in 'data/w.bin', which has 16 bytes"));
  EXPECT_THAT(refused("data/w.bin", entry("offset", "8")),
              HasSubstr("shape 3 needs 3 values, but the file holds 2"));
  EXPECT_THAT(refused("data/w.bin", entry("offset", "-4")),
              HasSubstr("offset '-4' of its external data is not a whole number"));
  EXPECT_THAT(refused("data/w.bin", entry("length", "12x")), HasSubstr("length '12x' of its external data"));
}

TEST_F(ExternalWeights, OfAModelInMemoryAreRefused) {
  const std::string file = path("data/w.bin", "");
  std::ifstream in(file, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  EXPECT_THAT(error_of(bytes),
              HasSubstr("its data lie in another file, and the model was not read from a file"));
}

TEST_F(ExternalWeights, CountTowardsTheLimitOnAllValues) {
  ImportOptions options;
  options.max_total_elements = 2;
  EXPECT_THROW(static_cast<void>(import_onnx(path("data/w.bin", ""), options)), base::NetworkError);
}

}  // namespace
}  // namespace bitline::onnx
