// SPDX-License-Identifier: Apache-2.0
// Costs do not depend on what else has been asked, in which order, from which thread; nor on whether weights
// were read.
#include "tools/oracle/oracle.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <random>
#include <set>
#include <thread>

#include "mapper/onnx/export.h"
#include "mapper/onnx/import.h"
#include "models/arch/arch_loader.h"
#include "models/base/files.h"
#include "sim/analyse.h"
#include "sim/result/json.h"

namespace bitline::oracle {
namespace {

const std::string kArch = BITLINE_SOURCE_DIR "/configs/isaac-8bit.yaml";

std::string random_cell(std::mt19937& random) {
  constexpr std::array kOperations = {"max_pool_3x3", "avg_pool_3x3", "skip_connect",
                                      "sep_conv_3x3", "dil_conv_5x5", "none"};
  std::string cell;
  for (unsigned node = 0; node < 4; ++node) {
    const unsigned first = random() % (node + 2);
    const unsigned second = (first + 1 + random() % (node + 1)) % (node + 2);
    for (const unsigned input : {first, second}) {
      const bool none = input == second;  // never both
      cell += std::string(cell.empty() ? "" : ",") + "[\"" +
              kOperations[random() % (kOperations.size() - (none ? 0 : 1))] + "\"," + std::to_string(input) +
              "]";
    }
  }
  return "[" + cell + "]";
}

Request random_request(std::uint32_t seed) {
  std::mt19937 random(seed);
  Request request;
  request.arch = kArch;
  request.network.workload = "darts";
  workloads::Options& options = request.network.options;
  const std::string normal = random_cell(random);
  options.genotype = R"({"normal":)" + normal + R"(,"reduce":)" + random_cell(random) + "}";
  options.layers = 2 + random() % 4;
  options.channels = 4 + 4 * (random() % 3);
  options.resolution = 8 + 4 * (random() % 4);
  request.batch = 1 + random() % 3;
  if (random() % 3 == 0) request.overrides = {"chip.tiles=40"};
  request.answer = AnswerKind::layers;
  return request;
}

TEST(Oracle, AnyOrderFromAnyThreadGivesTheSameBytes) {
  constexpr std::uint32_t kRequests = 40;
  std::vector<std::string> alone;
  for (std::uint32_t seed = 0; seed < kRequests; ++seed) {
    Oracle fresh("none");
    alone.push_back(fresh.answer(random_request(seed)).dump());
  }
  Oracle shared("none");
  std::vector<std::thread> threads;
  std::array<int, 4> wrong{};
  for (std::size_t t = 0; t < wrong.size(); ++t) {
    threads.emplace_back([&, t] {
      std::vector<std::uint32_t> order(kRequests);
      for (std::uint32_t seed = 0; seed < kRequests; ++seed) order[seed] = seed;
      std::shuffle(order.begin(), order.end(), std::mt19937(static_cast<unsigned>(t)));
      for (const std::uint32_t seed : order)
        wrong[t] += shared.answer(random_request(seed)).dump() == alone[seed] ? 0 : 1;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, (std::array<int, 4>{}));
  EXPECT_GE(
      std::count_if(alone.begin(), alone.end(),
                    [](const std::string& answer) { return answer.find("latency_s") != std::string::npos; }),
      35);
}

class File {
 public:
  File(const std::string& name, const std::string& bytes)
      : path_(std::filesystem::path(testing::TempDir()) / ("oracle_test-" + name + ".onnx")) {
    base::write_file_atomically(path_, bytes);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() { std::filesystem::remove(path_); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

Json without_provenance(const result::Result& r) {
  Json json = Json::parse(result::to_json(r));
  for (const char* key : {"provenance", "wall_time_s"}) json.erase(key);
  return json;
}

/// A result where all weights are read at import.
Json with_weights(const std::string& path, const std::vector<std::string>& overrides) {
  sim::AnalyticRequest request;
  request.files.arch = kArch;
  request.files.overrides = overrides;
  request.files.network = path;
  return without_provenance(sim::analyse(request));
}

TEST(Oracle, ShapesAloneGiveTheSameResult) {
  for (const char* name : {"lenet5", "mlp-784-100-10", "resnet20", "squeezenet1_1", "mnasnet1_0", "darts"}) {
    Request request;
    request.arch = kArch;
    request.network.workload = name;
    workloads::Options& options = request.network.options;
    if (std::string(name) == "squeezenet1_1" || std::string(name) == "mnasnet1_0") options.resolution = 64;
    if (std::string(name) == "darts") options.layers = 5, options.channels = 8;
    const File file(name, workloads::make(name, 3, options));
    for (const std::vector<std::string>& overrides :
         {std::vector<std::string>{}, {"mapping.depthwise=digital"}, {"adc.resolution.policy=lossless"}}) {
      if (!overrides.empty() && std::string(name) != "darts") continue;
      const Json whole = with_weights(file.path(), overrides);
      request.overrides = overrides;
      request.seed = 3;
      Oracle oracle("none");
      EXPECT_EQ(without_provenance(oracle.analyse(request)), whole) << name;
      Request from_file = request;
      from_file.network = {};
      from_file.network.path = file.path();
      EXPECT_EQ(without_provenance(oracle.analyse(from_file)), whole) << name;
    }
  }
}

TEST(Oracle, WeightsThatAValueDependsOnAreRead) {
  onnx::OnnxBuilder builder("constant");
  builder.input("x", {1, 2, 4, 4});
  for (const char* name : {"c", "w"}) {
    const std::span<float> values =
        builder.weights(name, name[0] == 'c' ? tensor::Shape{1, 2, 4, 4} : tensor::Shape{2, 2, 1, 1});
    std::fill(values.begin(), values.end(), 0.5F);
  }
  const std::string made = builder.node("Conv", "of_constant", {"c", "w"});
  const std::string sum = builder.node("Add", "add", {"x", made});
  builder.node("Conv", "conv", {sum, "w"}, {}, "y");
  builder.output("y", {1, 2, 4, 4});
  onnx::ImportOptions options;
  options.shapes_only = true;
  const graph::Graph graph = onnx::import_onnx_bytes(builder.bytes(), "constant", options);
  const auto constant = std::find_if(graph.values.begin(), graph.values.end(),
                                     [](const graph::Value& value) { return value.constant != nullptr; });
  ASSERT_NE(constant, graph.values.end());
  EXPECT_EQ(constant->constant->as<float>(), std::vector<float>(32, 0.5F));
}

TEST(Oracle, EverythingThatACostFollowsFromIsInItsKey) {
  const Request request;
  const arch::LoadedArch machine = arch::load_arch(BITLINE_SOURCE_DIR "/configs/isaac.yaml", {});
  const arch::LoadedArch other =
      arch::load_arch(BITLINE_SOURCE_DIR "/configs/isaac.yaml", {"adc.rate=2GS/s"});
  std::vector<Request> others(5, request);
  others[0].fidelity = Fidelity::cycle;
  others[1].batch = 2;
  others[2].seed = 2;
  others[3].answer = AnswerKind::layers;
  others[4].activity.input = 0.25;
  std::set<std::string> keys = {
      content_key(request, machine, "onnx a", "0.1.0"), content_key(request, machine, "onnx a", "0.1.1"),
      content_key(request, machine, "onnx b", "0.1.0"), content_key(request, other, "onnx a", "0.1.0")};
  for (const Request& changed : others) keys.insert(content_key(changed, machine, "onnx a", "0.1.0"));
  EXPECT_EQ(keys.size(), 4 + others.size());
  EXPECT_EQ(
      content_key(request, machine, "onnx a", "0.1.0"),
      content_key(request, arch::load_arch(BITLINE_SOURCE_DIR "/configs/isaac.yaml", {}), "onnx a", "0.1.0"));
}

TEST(Oracle, RecentKeepsWhatWasAskedForLast) {
  Recent<int> recent(2);
  int made = 0;
  const auto get = [&](const std::string& key) {
    return *recent.get(key, [&] { return std::make_shared<const int>(++made); });
  };
  EXPECT_EQ(get("a"), 1);
  EXPECT_EQ(get("b"), 2);
  EXPECT_EQ(get("a"), 1);
  EXPECT_EQ(get("c"), 3);  // in place of b
  EXPECT_EQ(get("a"), 1);
  EXPECT_EQ(get("b"), 4);
}

}  // namespace
}  // namespace bitline::oracle
