// SPDX-License-Identifier: Apache-2.0
#include "workloads/networks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <cmath>
#include <ostream>
#include <set>

#include "mapper/graph/graph.h"
#include "mapper/onnx/import.h"
#include "mapper/reference/executor.h"
#include "mapper/tensor/operations.h"
#include "models/base/errors.h"
#include "workloads/random.h"

namespace bitline::workloads {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

struct Published {
  const char* name;
  std::int64_t parameters;
  std::int64_t macs;
  tensor::Shape input;
};
void PrintTo(const Published& network, std::ostream* out) {
  *out << network.name;
}

// Parameters with batch-normalisation scales and shifts, without running statistics. ResNet and VGG: as the
// model tables of torchvision give them (MACs: 7.61, 15.47, 1.814, 4.089 G). LeNet-5: 156 + 2416 + 48120 +
// 10164 + 850; conv1 28*28*6*25 + conv2 10*10*16*150 + 400*120 + 120*84 + 84*10. The perceptron: 784*100+100
// + 100*10+10. VGG-8: 9 * (3*128 + 128*128 + 128*256 + 256*256 + 256*512 + 512*512 + 512*1024) + 1024*10 and
// 2826 biases. ResNet-20: 9*(3*16 + 6*16*16 + 16*32 + 5*32*32 + 32*64 + 5*64*64) + 16*32 + 32*64 + 64*10+10 +
// 2*(7*16+7*32+7*64). SqueezeNet, MobileNet, MnasNet: parameters of torchvision's model tables, MACs 0.35,
// 0.30 and 0.31 G there. (darts: test_darts.py.)
constexpr std::int64_t kVgg8Weights =
    9 * (3 * 128 + 128 * 128 + 128 * 256 + 256 * 256 + 256 * 512 + 512 * 512 + 512 * 1024) + 1024 * 10;
const Published kPublished[] = {
    {"mlp-784-100-10", 79'510, 79'400, {1, 784}},
    {"lenet5", 61'706, 416'520, {1, 1, 28, 28}},
    {"squeezenet1_1", 1'235'496, 349'151'936, {1, 3, 224, 224}},
    {"mobilenetv2", 3'504'872, 300'774'272, {1, 3, 224, 224}},
    {"mnasnet1_0", 4'383'312, 314'415'872, {1, 3, 224, 224}},
    {"vgg8",
     kVgg8Weights + 2 * (128 + 256 + 512) + 1024 + 10,
     9 * (1024 * (3 * 128 + 128 * 128) + 256 * (128 * 256 + 256 * 256) + 64 * (256 * 512 + 512 * 512) +
          4 * 512 * 1024) +
         10240,
     {1, 3, 32, 32}},
    {"resnet20", 272'474, 40'813'184, {1, 3, 32, 32}},
    {"resnet18", 11'689'512, 1'814'073'344, {1, 3, 224, 224}},
    {"resnet50", 25'557'032, 4'089'184'256, {1, 3, 224, 224}},
    {"vgg11", 132'863'336, 7'609'090'048, {1, 3, 224, 224}},
    {"vgg16", 138'357'544, 15'470'264'320, {1, 3, 224, 224}},
};

class Networks : public ::testing::TestWithParam<Published> {};

TEST_P(Networks, HasThePublishedSize) {
  const std::string bytes = make(GetParam().name, 1);
  std::int64_t parameters = 0;
  {
    ::onnx::ModelProto model;
    ASSERT_TRUE(model.ParseFromString(bytes));
    for (const auto& tensor : model.graph().initializer()) {
      // Neither statistics nor the limits of Clip and the corners of Slice.
      const bool is_weight = tensor.data_type() == ::onnx::TensorProto::FLOAT && tensor.dims_size() > 0;
      if (!is_weight || tensor.name().find(".running_") != std::string::npos) continue;
      parameters += static_cast<std::int64_t>(tensor.raw_data().size() / sizeof(float));
    }
  }
  EXPECT_EQ(parameters, GetParam().parameters);
  const graph::Graph g = onnx::import_onnx_bytes(bytes, GetParam().name);
  std::int64_t macs = 0;
  for (const graph::Node& node : g.nodes) macs += graph::macs(g, node);
  EXPECT_EQ(macs, GetParam().macs);
  EXPECT_EQ(g.shape(g.inputs[0]), GetParam().input);
  for (const graph::Node& node : g.nodes)
    EXPECT_NE(node.op, graph::Op::scale_shift) << node.name << ": not folded";
}

std::string test_name(const ::testing::TestParamInfo<Published>& published) {
  std::string name = published.param.name;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(All, Networks, ::testing::ValuesIn(kPublished), test_name);

TEST(Workloads, AllAreListedWithADescription) {
  std::set<std::string> names;
  for (const Workload& workload : list()) {
    EXPECT_FALSE(workload.description.empty());
    names.insert(workload.name);
  }
  std::set<std::string> expected = {"darts"};
  for (const Published& published : kPublished) expected.insert(published.name);
  EXPECT_EQ(names, expected);
}

TEST(Workloads, AnUnknownNameIsRefusedWithTheKnownOnes) {
  EXPECT_THAT(
      [] { static_cast<void>(make("resnet19", 1)); },
      ThrowsMessage<base::UsageError>(HasSubstr("unknown name 'resnet19'; allowed: lenet5, mlp-784-100-10")));
}

TEST(Workloads, LayersAreNamedAsInPyTorch) {
  const graph::Graph g = onnx::import_onnx_bytes(make("resnet18", 1), "resnet18");
  std::set<std::string> names;
  for (const graph::Node& node : g.nodes) names.insert(node.name);
  for (const char* name : {"conv1", "layer1.0.conv1", "layer4.1.conv2", "layer2.0.downsample.0", "fc"})
    EXPECT_TRUE(names.contains(name)) << name;
  EXPECT_EQ(g.values[static_cast<std::size_t>(g.outputs[0])].name, "output");
}

TEST(Workloads, TheSeedDecidesTheBytes) {
  EXPECT_EQ(make("lenet5", 1), make("lenet5", 1));
  EXPECT_NE(make("lenet5", 1), make("lenet5", 2));
}

TEST(Workloads, SignalsNeitherVanishNorExplode) {
  for (const char* name : {"resnet20", "vgg8", "resnet18", "squeezenet1_1", "mobilenetv2", "mnasnet1_0"}) {
    const auto g = std::make_shared<const graph::Graph>(onnx::import_onnx_bytes(make(name, 3), name));
    tensor::Tensor x = tensor::zeros(g->shape(g->inputs[0]));
    Random(5, "image").fill_normal(x.as<float>(), 1.0F);
    const auto y = reference::Executor(g).run({x})[0].as<float>();
    double squares = 0;
    for (const float value : y) squares += static_cast<double>(value) * static_cast<double>(value);
    const double rms = std::sqrt(squares / static_cast<double>(y.size()));
    EXPECT_GT(rms, 0.05) << name;
    EXPECT_LT(rms, 50.0) << name;
  }
}

TEST(Random, MatchesTheReferenceOfSplitMix64) {
  // First outputs for seed 0 of the authors' reference implementation.
  Random random(0, "");
  EXPECT_EQ(random.next(), 0xE220A8397B1DCDAFULL);
  EXPECT_EQ(random.next(), 0x6E789E6AA1B965F4ULL);
}

TEST(Random, NormalHasMeanZeroAndDeviationOne) {
  Random random(1, "moments");
  double sum = 0;
  double squares = 0;
  constexpr int kCount = 1'000'000;
  for (int i = 0; i < kCount; ++i) {
    const double value = static_cast<double>(random.normal());
    sum += value;
    squares += value * value;
  }
  EXPECT_NEAR(sum / kCount, 0.0, 0.005);      // five standard errors
  EXPECT_NEAR(squares / kCount, 1.0, 0.006);  // five standard errors: variance of x^2 is 1.7
}

}  // namespace
}  // namespace bitline::workloads
