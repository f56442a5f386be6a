// SPDX-License-Identifier: Apache-2.0
// The comparison of a structural run with the engine holds on a real network, and notices a difference.
#include "sim/structural.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mapper/reference/executor.h"
#include "models/base/errors.h"
#include "sim/images.h"
#include "sim/simulate.h"

namespace bitline::sim {
namespace {

using ::testing::HasSubstr;

std::string source(const std::string& path) {
  return std::string(BITLINE_SOURCE_DIR) + "/" + path;
}

/// One random image through the digits network, once with the engine and once with live crossbars.
class StructuralRun : public ::testing::Test {
 protected:
  void SetUp() override {
    graph_ = import_network(source("workloads/digits-mlp.onnx"));
    const Images images = random_images(*graph_, 1, 3);
    arch::LoadedArch machine = arch::load_arch(source("configs/isaac-8bit.yaml"));
    const auto ranges =
        quantize::calibrate(reference::Executor(graph_), images.first(1), machine.arch.precision.activations);
    mapping_ = map_network(std::move(machine), graph_, ranges);
    std::vector<engine::NetworkLayer> layers;
    std::vector<cycle::LayerSource> sources;
    for (std::size_t i = 0; i < mapping_.quants.size(); ++i) {
      const quantize::ActivationQuant& input = mapping_.quants[i]->input;
      layers.push_back({mapping_.quants[i], mapping_.sliced[i],
                        place::drive_sets(mapping_.program.layers[i], *mapping_.sliced[i])});
      sources.push_back({mapping_.sliced[i], input.bits, input.is_signed});
    }
    network_.emplace(graph_, std::move(layers), false);
    values_.push_back(network_->run(images[0], {true, true}));
    check_.emplace(mapping_, *network_, values_);
    cycle::CycleOptions options;
    options.structural = &check_->data();
    timed_ = cycle::simulate_cycles(mapping_.program, mapping_.arch(), sources, options);
  }
  std::string difference() const {
    try {
      check_->compare(timed_);
    } catch (const std::logic_error& error) {
      return error.what();
    }
    return "none";
  }

  std::shared_ptr<const graph::Graph> graph_;
  Mapping mapping_;
  std::optional<engine::NetworkFunction> network_;
  std::vector<engine::ImageResult> values_;
  std::optional<StructuralCheck> check_;
  cycle::CycleResult timed_;
};

TEST_F(StructuralRun, EqualsTheEngine) {
  EXPECT_EQ(difference(), "none");
}

TEST_F(StructuralRun, AnotherSumIsNoticed) {
  values_[0].traces[1].y.as<std::int64_t>()[2] += 1;
  EXPECT_THAT(difference(), HasSubstr("window 0, output 2"));
}

TEST_F(StructuralRun, AnotherActionCountIsNoticed) {
  values_[0].activity[2].counts.clipped += 1;
  EXPECT_THAT(difference(), HasSubstr("action counts of layer " + mapping_.program.layers[2].name));
}

TEST(Simulate, TwiceInOneProcessIsRefused) {
  SimulationRequest request;
  request.files = {source("configs/isaac-8bit.yaml"), {}, source("workloads/digits-mlp.onnx")};
  EXPECT_GT(simulate(request).latency.total, 0.0);
  EXPECT_THROW((void)simulate(request), base::SimulationError);
}

TEST(Simulate, RandomImagesOfGigabytesAreRefusedBeforeTheyAreMade) {
  SimulationRequest request;
  request.files = {source("configs/isaac-8bit.yaml"), {}, source("workloads/digits-mlp.onnx")};
  request.batch = 1'000'000'000;
  try {
    (void)simulate(request);
    FAIL() << "made them";
  } catch (const base::UsageError& error) {
    EXPECT_THAT(error.what(), HasSubstr("--batch"));
  }
}

}  // namespace
}  // namespace bitline::sim
