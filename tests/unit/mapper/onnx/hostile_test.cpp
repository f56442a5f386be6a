// SPDX-License-Identifier: Apache-2.0
// Damaged and malicious files: one clean NetworkError each.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>

#include "models/base/files.h"
#include "text_model.h"

namespace bitline::onnx {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

const std::string kRelu = "node { op_type: 'Relu' name: 'r' input: 'x' output: 'y' } ";

std::string conv(const std::string& attributes = "") {
  return "node { op_type: 'Conv' name: 'c' input: 'x' input: 'w' output: 'y' " + attributes + "} ";
}
std::string ints(const std::string& name, const std::vector<std::int64_t>& values) {
  std::string text = "attribute { name: '" + name + "' type: INTS ";
  for (const std::int64_t value : values) text += "ints: " + std::to_string(value) + " ";
  return text + "} ";
}

void expect_refused(const std::string& graph, const std::string& why, int opset = 13) {
  EXPECT_THAT(error_of(model(graph, opset)), HasSubstr(why)) << graph;
}

std::string digits() {
  return base::read_file(BITLINE_SOURCE_DIR "/workloads/digits-cnn.onnx", 1 << 24);
}

TEST(HostileOnnx, EmptyAndForeignFiles) {
  EXPECT_THAT(error_of(""), HasSubstr("test.onnx: is empty"));
  EXPECT_THAT(error_of("crossbar:\n  rows: 128\n"), HasSubstr("is not an ONNX model"));
  EXPECT_THAT(error_of(std::string("\x08\x07", 2)), HasSubstr("contains no network"));
  EXPECT_THROW(static_cast<void>(import_onnx("/nonexistent.onnx")), base::UsageError);
  EXPECT_THROW(static_cast<void>(import_onnx("/tmp")), base::UsageError);
}

TEST(HostileOnnx, AFileOfTwoGigabytesIsRefusedUnread) {
  const std::string path = ::testing::TempDir() + "/huge.onnx";
  std::ofstream(path) << "x";
  std::filesystem::resize_file(path, (std::uintmax_t{1} << 31) + 5);  // sparse
  try {
    static_cast<void>(import_onnx(path));
    ADD_FAILURE() << "accepted";
  } catch (const base::NetworkError& error) {
    EXPECT_THAT(error.what(), HasSubstr("less than 2 GiB"));
  }
  std::filesystem::remove(path);
}

TEST(HostileOnnx, EveryTruncationIsRefused) {
  const std::string whole = digits();
  for (std::size_t size = 0; size < whole.size(); size += size < 600 ? 1 : 97) {
    EXPECT_NE(error_of(whole.substr(0, size)), "") << size;
  }
}

TEST(HostileOnnx, RandomBytesAreRefused) {
  std::mt19937 random(1);
  for (int i = 0; i < 2000; ++i) {
    std::string bytes(random() % 300, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    EXPECT_NE(error_of(bytes), "") << i;
  }
}

TEST(HostileOnnx, DamagedBytesGiveANetworkOrANetworkError) {
  const std::string whole = digits();
  std::mt19937 random(2);
  int refused = 0;
  for (int i = 0; i < 600; ++i) {
    std::string bytes = whole;
    // Mostly in the structure, which is at the beginning.
    for (int k = 0; k < 3; ++k)
      bytes[random() % (i % 2 == 0 ? 2000 : bytes.size())] = static_cast<char>(random());
    refused += error_of(bytes).empty() ? 0 : 1;  // any other exception fails the test
  }
  EXPECT_GT(refused, 100);
}

TEST(HostileOnnx, ACycleIsNamed) {
  expect_refused(input("x", {1, 3}) + output("y") +
                     "node { op_type: 'Add' name: 'a' input: 'x' input: 'q' output: 'p' } "
                     "node { op_type: 'Relu' name: 'b' input: 'p' output: 'q' } "
                     "node { op_type: 'Relu' name: 'c' input: 'q' output: 'y' } ",
                 "is part of a cycle: a -> b -> a");
}

TEST(HostileOnnx, AllUnsupportedOperatorsAreListedAtOnce) {
  const std::string error =
      error_of(model(input("x", {1, 3}) + output("y") +
                     "node { op_type: 'Loop' name: 'first' input: 'x' output: 'a' } "
                     "node { op_type: 'Relu' name: 'fine' input: 'a' output: 'b' } "
                     "node { op_type: 'Relu' domain: 'com.other' name: 'second' input: 'b' output: 'c' } "
                     "node { op_type: 'Einsum' input: 'c' output: 'y' } "));
  EXPECT_THAT(error, AllOf(HasSubstr("node 'first' (Loop): unsupported operator Loop"),
                           HasSubstr("node 'second' (Relu): unsupported operator Relu of domain 'com.other'"),
                           HasSubstr("node 'Einsum_3' (Einsum): unsupported operator Einsum")));
  EXPECT_THAT(error, HasSubstr("allowed: Abs, Add, AveragePool, "));
  EXPECT_EQ(std::count(error.begin(), error.end(), '\n'), 2);
}

TEST(HostileOnnx, MissingThings) {
  expect_refused(input("x", {1, 3, 8, 8}) + output("y") + conv(),
                 "node 'c' (Conv): its input 'w' is missing");
  expect_refused(input("x", {1, 3}) + output("nowhere") + kRelu,
                 "network output 'nowhere': is computed by no node");
  expect_refused(input("x", {1, 3}) + kRelu, "has no outputs");
  expect_refused("input { name: 'x' } " + output("y") + kRelu, "network input 'x': is not a tensor");
  expect_refused("input { name: 'x' type { tensor_type { elem_type: 1 } } } " + output("y") + kRelu,
                 "has no shape");
  expect_refused(input("x", {1, 3}) + output("y") + "node { op_type: 'Relu' name: 'r' output: 'y' } ",
                 "input 0 is missing");
  expect_refused(input("x", {1, 3}) + output("y") + "node { op_type: 'Relu' name: 'r' input: 'x' } ",
                 "has no output");
  expect_refused(input("x", {1, 3, 8, 8}) + input("w", {4, 3, 3, 3}) + output("y") + conv(),
                 "input 1 ('w') is computed");
}

TEST(HostileOnnx, NamesUsedTwice) {
  expect_refused(
      input("x", {1, 3}) + output("y") + kRelu + "node { op_type: 'Relu' name: 'r' input: 'x' output: 'z' } ",
      "node 'r': the name is used more than once");
  expect_refused(
      input("x", {1, 3}) + output("y") + kRelu + "node { op_type: 'Relu' name: 's' input: 'x' output: 'y' } ",
      "'y': the name is used more than once");
  expect_refused(input("x", {1, 3}) + input("x", {1, 3}) + output("y") + kRelu,
                 "network input 'x': the name is used more than once");
  expect_refused(input("x", {1, 3}) + output("y") + output("y") + kRelu,
                 "network output 'y': the name is used more than once");
  expect_refused(input("x", {1, 3}) + filled("v", {1}, 1) + filled("v", {1}, 1) + output("y") + kRelu,
                 "initializer 'v': the name is used more than once");
}

TEST(HostileOnnx, DimensionsThatAreNone) {
  expect_refused(input("x", {1, -3}) + output("y") + kRelu, "dimension 1 is -3; allowed: 1 or more");
  expect_refused("input { name: 'x' type { tensor_type { elem_type: 1 shape { dim { dim_value: 0 } } } } } " +
                     output("y") + kRelu,
                 "dimension 0 is 0");
  expect_refused(input("x", {1, 0}) + output("y") + kRelu, "dimension 1 is symbolic ('n')");
  expect_refused(input("x", {1, 3, 4, 4}) + filled("w", {0, 3, 3, 3}, 1) + output("y") + conv(), "are empty");
  expect_refused(input("x", {1, 4}) + integers("s", {0, -1, -1}) + output("y") +
                     "node { op_type: 'Reshape' name: 'r' input: 'x' input: 's' output: 'y' } ",
                 "reshaped to 0x-1x-1");
}

TEST(HostileOnnx, ShapesThatDoNotFit) {
  const std::string image = input("x", {1, 3, 8, 8}) + output("y");
  expect_refused(input("x", {1, 3}) + filled("w", {4, 3, 3, 3}, 1) + output("y") + conv(),
                 "input of shape 1x3; allowed: an image");
  expect_refused(image + filled("w", {4, 3, 9}, 1) + conv(), "weight of shape 4x3x9");
  expect_refused(image + filled("w", {4, 2, 3, 3}, 1) + conv(),
                 "input of shape 1x3x8x8 with weight of shape 4x2x3x3");
  expect_refused(image + filled("w", {4, 3, 3, 3}, 1) + conv(ints("strides", {0, 1})),
                 "strides 0; allowed: 1 to 2^31-1");
  expect_refused(image + filled("w", {4, 3, 3, 3}, 1) + conv(ints("strides", {1})), "strides with 1 numbers");
  expect_refused(image + filled("w", {4, 3, 3, 3}, 1) + conv(ints("pads", {-1, 0, 0, 0})),
                 "pads must be 4 numbers");
  expect_refused(image + filled("w", {4, 3, 3, 3}, 1) + conv(ints("pads", {1, 1})),
                 "2 pads; allowed: two for each dimension");
  expect_refused(image + filled("w", {4, 3, 3, 3}, 1) + conv(ints("dilations", {5, 5})),
                 "a window of 11 pixels");
  expect_refused(image + filled("w", {4, 3, 3, 3}, 1) + conv(ints("kernel_shape", {2, 2})),
                 "kernel_shape 2x2 with weight");
  expect_refused(image + filled("w", {4, 3, 3, 3}, 1) + conv("attribute { name: 'group' type: INT i: -1 } "),
                 "group -1");
  expect_refused(input("x", {1, 5}) + filled("w", {4, 3}, 1) + output("y") +
                     "node { op_type: 'MatMul' name: 'm' input: 'x' input: 'w' output: 'y' } ",
                 "input of shape 1x5 with weight of shape 3x4");
  expect_refused(input("x", {1, 5}) + input("z", {1, 4}) + output("y") +
                     "node { op_type: 'Add' name: 'a' input: 'x' input: 'z' output: 'y' } ",
                 "cannot be broadcast together");
}

TEST(HostileOnnx, AttributesOfTheWrongKind) {
  const std::string image = input("x", {1, 3, 8, 8}) + filled("w", {4, 3, 3, 3}, 1) + output("y");
  expect_refused(image + conv("attribute { name: 'strides' type: INT i: 2 } "),
                 "attribute 'strides' is not a list of integers");
  expect_refused(image + conv("attribute { name: 'stride' type: INT i: 2 } "),
                 "attribute 'stride' is not known for this operator");
  expect_refused(image + conv("attribute { name: 'auto_pad' type: STRING s: 'SAME' } "), "auto_pad 'SAME'");
}

TEST(HostileOnnx, WeightsThatAreNoNumbers) {
  const std::string before =
      input("x", {1, 2}) + output("y") +
      "initializer { name: 'w' data_type: 1 dims: 2 dims: 1 float_data: 1 float_data: ";
  const std::string after = " } node { op_type: 'MatMul' name: 'm' input: 'x' input: 'w' output: 'y' } ";
  for (const char* bad : {"nan", "inf", "-inf"})
    expect_refused(before + bad + after, "weights 'w' contain NaN or infinite values");
  expect_refused(input("x", {1, 2}) + output("y") +
                     "initializer { name: 'w' data_type: 1 dims: 2 float_data: nan float_data: 1 } " +
                     "node { op_type: 'Add' name: 'a' input: 'x' input: 'w' output: 'y' } ",
                 "contain NaN");
}

TEST(HostileOnnx, InitializersWhoseDataDoNotMatch) {
  const auto with = [](const std::string& tensor) {
    return input("x", {1, 2}) + output("y") + kRelu + "initializer { name: 'w' " + tensor + " } ";
  };
  expect_refused(with("data_type: 1 dims: 3 float_data: 1"), "shape 3 needs 3 values, but the file holds 1");
  expect_refused(with("data_type: 1 dims: 1 raw_data: 'abc'"), "no whole number of values");
  expect_refused(with("data_type: 8 dims: 1 string_data: 'a'"), "element type STRING");
  expect_refused(with("data_type: 77 dims: 1"), "element type 77");
  expect_refused(with("data_type: 3 dims: 1 int32_data: 300"), "value 300 does not fit");
  expect_refused(with("data_type: 1 dims: -4"), "negative dimension");
  expect_refused(with("data_type: 1 dims: 4 data_location: EXTERNAL external_data { key: 'location' value: "
                      "'/etc/passwd' }"),
                 "its data lie in another file");
}

TEST(HostileOnnx, NumbersThatNoIndexOrCodeHas) {
  expect_refused(input("x", {1, 2}) + output("y") + kRelu +
                     "initializer { name: 'w' data_type: 22 dims: 9223372036854775807 raw_data: 'a' } ",
                 "needs 4611686018427387904 bytes of two values");
  const std::string steps = input("x", {1, 2}) + output("y") + filled("s", {1}, 1);
  const std::string quantise =
      "node { op_type: 'QuantizeLinear' name: 'q' input: 'x' input: 's' input: 'z' output: 'y' } ";
  for (const float zero : {1e30F, 0.5F})
    expect_refused(steps + filled("z", {1}, zero) + quantise, "zero point");
  const std::string resize =
      input("x", {1, 1, 2, 2}) + output("y") + filled("none", {0}, 0) +
      "node { op_type: 'Resize' name: 'z' input: 'x' input: 'r' input: 'f' output: 'y' "
      "attribute { name: 'coordinate_transformation_mode' type: STRING s: "
      "'tf_crop_and_resize' } } ";
  expect_refused(resize + filled("r", {8}, 1e30F) + filled("f", {4}, 1), "a region that is not finite");
  expect_refused(resize + filled("r", {8}, 0) + filled("f", {4}, 1e9F), "allowed: more than 0, up to 65536");
}

TEST(HostileOnnx, IntegersThatAreAddedWrapAround) {
  const std::string most = "initializer { name: 'm' data_type: 7 dims: 1 int64_data: 9223372036854775807 } ";
  const graph::Graph graph = import_text(
      output("y") + most + "node { op_type: 'Add' name: 'a' input: 'm' input: 'm' output: 'y' } ");
  EXPECT_EQ(graph.values.at(0).constant->as<std::int64_t>().at(0), -2);
}

TEST(HostileOnnx, TerabytesAreRefusedWithoutAllocating) {
  rusage before{};
  getrusage(RUSAGE_SELF, &before);
  const std::int64_t million = 1'000'000;
  expect_refused(input("x", {million, million}) + output("y") + kRelu, "has more than 268435456 elements");
  expect_refused(input("x", {million * million, million * million}) + output("y") + kRelu,
                 "more than 2^63 elements");
  expect_refused(input("x", {1, 1, 4, 4}) + filled("w", {1, 1, 1, 1}, 1) + output("y") +
                     conv(ints("pads", {1 << 30, 1 << 30, 1 << 30, 1 << 30})),
                 "elements");
  expect_refused(input("x", {1, 1}) + output("y") +
                     "initializer { name: 'w' data_type: 1 dims: 1099511627776 float_data: 1 } " + kRelu,
                 "but the file holds 1");
  // Each constant twice as large as the one before.
  std::string doubling = input("x", {1}) + filled("v0", {1, 1024}, 1);
  for (int i = 0; i < 60; ++i) {
    const std::string from = std::string("v") + std::to_string(i);
    const std::string to = std::string("v") + std::to_string(i + 1);
    doubling += "node { op_type: 'Concat' input: '" + from + "' input: '" + from + "' output: '" + to +
                "' attribute { name: 'axis' type: INT i: 0 } } ";
  }
  ImportOptions small;
  small.max_value_elements = 1 << 20;
  EXPECT_THAT(error_of(model(doubling + output("v60")), small), HasSubstr("has more than 1048576 elements"));
  rusage after{};
  getrusage(RUSAGE_SELF, &after);
  EXPECT_LT(after.ru_maxrss - before.ru_maxrss, 200 * 1024) << "kilobytes";
}

TEST(HostileOnnx, TheLimitOnAllValuesTogetherHolds) {
  ImportOptions options;
  options.max_total_elements = 5;
  const std::string graph = input("x", {1, 3}) + output("y") + kRelu;
  EXPECT_THAT(error_of(model(graph), options), HasSubstr("more than 5 elements together"));
  options.max_total_elements = 6;
  EXPECT_EQ(error_of(model(graph), options), "");
}

TEST(HostileOnnx, TheWorkOfFoldingIsBounded) {
  // 4 x 5 times 5 x 6: 4*6*5 products, 4*5 + 5*6 elements read.
  const std::string product =
      filled("a", {4, 5}, 1) + filled("b", {5, 6}, 1) + output("y") +
      "node { op_type: 'Add' name: 's' input: 'a' input: 'a' output: 'c' } "  // 2*20 elements read, 2*20
                                                                              // steps
      "node { op_type: 'MatMul' name: 'm' input: 'c' input: 'b' output: 'y' } ";
  ImportOptions options;
  options.max_folded_operations = 80 + 120 + 50;
  const std::string enough = error_of(model(product), options);
  EXPECT_EQ(enough, "");
  options.max_folded_operations = 79;
  EXPECT_THAT(
      error_of(model(product), options),
      HasSubstr(
          "value 'c' is constant, and evaluating the constants takes more than 79 operations together"));
  // A convolution of constants that would take a day.
  const std::string shape =
      "initializer { name: 'xs' data_type: 7 dims: 4 int64_data: [1, 128, 1024, 1024] } "
      "initializer { name: 'ws' data_type: 7 dims: 4 int64_data: [128, 128, 31, 31] } ";
  EXPECT_THAT(
      error_of(model(shape + output("y") +
                     "node { op_type: 'ConstantOfShape' name: 'p' input: 'xs' output: 'x' } "
                     "node { op_type: 'ConstantOfShape' name: 'q' input: 'ws' output: 'w' } " +
                     conv())),
      HasSubstr("value 'y' is constant, and evaluating the constants takes more than 1073741824 operations"));
}

TEST(HostileOnnx, AWeightSharedByManyLayersIsNotCopiedWithoutLimit) {
  std::string graph = input("x", {1, 100}) + filled("w", {100, 100}, 0) + output("y");
  for (int i = 0; i < 50; ++i) {
    const std::string y = std::string("v") + std::to_string(i);
    graph += "node { op_type: 'MatMul' input: 'x' input: 'w' output: '" + y + "' } ";
  }
  ImportOptions options;
  options.max_total_elements = 100'000;  // ten copies
  EXPECT_THAT(error_of(model(graph + "node { op_type: 'Relu' input: 'v49' output: 'y' } "), options),
              HasSubstr("more than 100000 elements together"));
}

TEST(HostileOnnx, FoldingThatOverflowsIsRefused) {
  const std::string large = input("x", {1, 1, 2, 2}) + filled("w", {1, 1, 1, 1}, 1e30F) + output("y") +
                            "node { op_type: 'Conv' name: 'c' input: 'x' input: 'w' output: 'a' } " +
                            filled("s", {1}, 1e30F) + filled("z", {1}, 0) + filled("v", {1}, 1);
  expect_refused(large +
                     "node { op_type: 'BatchNormalization' name: 'b' input: 'a' input: 's' input: 'z' input: "
                     "'z' input: 'v' output: 'y' } ",
                 "node 'b' (BatchNormalization): weights that are not finite");
  expect_refused(large +
                     "node { op_type: 'BatchNormalization' name: 'b' input: 'a' input: 's' input: 'z' input: "
                     "'z' input: 'z' output: 'y' "
                     "attribute { name: 'epsilon' type: FLOAT f: 0 } } ",
                 "variance 0.000000 of channel 0; allowed: a positive number");
}

TEST(HostileOnnx, OperatorSetsWeDoNotKnow) {
  const std::string graph = input("x", {1, 3}) + output("y") + kRelu;
  EXPECT_EQ(error_of(model(graph, 23)), "");
  for (const int opset : {0, -1, 24, 1000})
    EXPECT_THAT(error_of(model(graph, opset)), HasSubstr("operator set")) << opset;
}

TEST(HostileOnnx, ProblemsOfSeveralNodesComeTogetherAndOnlyOnce) {
  const std::string error =
      error_of(model(input("x", {1, 3, 8, 8}) + filled("w", {4, 2, 3, 3}, 1) + output("y") + output("z") +
                     "node { op_type: 'Conv' name: 'c1' input: 'x' input: 'w' output: 'a' } "
                     "node { op_type: 'Relu' name: 'after' input: 'a' output: 'y' } "
                     "node { op_type: 'Conv' name: 'c2' input: 'x' input: 'w' output: 'z' } "));
  EXPECT_THAT(error, AllOf(HasSubstr("node 'c1' (Conv)"), HasSubstr("node 'c2' (Conv)")));
  EXPECT_THAT(error, ::testing::Not(HasSubstr("after")));
}

TEST(HostileOnnx, TensorFiles) {
  const std::string path = ::testing::TempDir() + "/tensor.pb";
  std::ofstream(path) << "random bytes";
  EXPECT_THROW(static_cast<void>(load_tensor_pb(path)), base::UsageError);
  std::ofstream(path) << "";
  EXPECT_THROW(static_cast<void>(load_tensor_pb(path)), base::UsageError);
  EXPECT_THROW(static_cast<void>(load_tensor_pb("/nonexistent.pb")), base::UsageError);
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace bitline::onnx
