// SPDX-License-Identifier: Apache-2.0
#include "tools/sweep/spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/base/errors.h"
#include "tools/sweep/plan.h"

namespace bitline::sweep {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string kFolder = BITLINE_SOURCE_DIR;
const std::string kStart = "arch: configs/isaac-8bit.yaml\nnetwork: workloads/digits-mlp.onnx\n";

Plan plan_of(const std::string& rest, std::int64_t most = kMostPoints) {
  return make_plan(parse_spec(kStart + rest, "s.yaml", kFolder), most);
}

std::string refusal(const std::string& text) {
  try {
    (void)make_plan(parse_spec(text, "s.yaml", kFolder));
  } catch (const base::ConfigError& error) {
    return error.what();
  }
  ADD_FAILURE() << "accepted: " << text;
  return "";
}
std::string refusal_of(const std::string& rest) {
  return refusal(kStart + rest);
}

std::vector<std::string> overrides(const Plan& plan, std::size_t point) {
  return run_of(plan.spec, plan.points.at(point)).overrides;
}

TEST(Spec, AGridOfChoicesARangeAndKeysThatGoTogether) {
  const Plan plan = plan_of(
      "set: {adc.resolution.policy: fixed, crossbar.read_latency: 70 ns}\n"
      "axes:\n"
      "  adc.resolution.bits: [7, 8]\n"
      "  crossbar.read_latency: {from: 50 ns, to: 200 ns, steps: 3, scale: log}\n"
      "  both: [{label: wide, precision.weights.bits: 8, seed: 3}, {precision.weights.bits: 6, batch: 2}]\n");
  ASSERT_EQ(plan.points.size(), 12);
  EXPECT_THAT(overrides(plan, 0), ElementsAre("adc.resolution.bits=7", "adc.resolution.policy=fixed",
                                              "crossbar.read_latency=50 ns", "precision.weights.bits=8"));
  EXPECT_THAT(overrides(plan, 3), ElementsAre("adc.resolution.bits=7", "adc.resolution.policy=fixed",
                                              "crossbar.read_latency=100 ns", "precision.weights.bits=6"));
  EXPECT_EQ(run_of(plan.spec, plan.points[0]).seed, 3);
  EXPECT_EQ(run_of(plan.spec, plan.points[1]).batch, 2);
  EXPECT_EQ(
      describe(plan.spec, plan.points[1]).dump(),
      R"({"point":"0002","axes":{"adc.resolution.bits":"7","crossbar.read_latency":"50 ns","both":"bits=6 batch=2"}})");
  EXPECT_EQ(*plan.points[0].settings[1]->number, 50e-9);
}

TEST(Spec, NetworksOfEveryKindAndModes) {
  const Plan plan =
      make_plan(parse_spec("arch: configs/isaac-8bit.yaml\nmode: analytic\naxes:\n"
                           "  network: [workloads/digits-cnn.onnx, {workload: vgg8, resolution: 32}, "
                           "{genotype: DARTS_V2, layers: 4,"
                           " channels: 8, label: darts}]\n"
                           "  mode: [analytic, cycle]\n",
                           "s.yaml", kFolder));
  ASSERT_EQ(plan.points.size(), 6);
  ASSERT_EQ(plan.spec.networks.size(), 3);
  EXPECT_EQ(plan.spec.networks[0].source.path, kFolder + "/workloads/digits-cnn.onnx");
  EXPECT_EQ(plan.spec.networks[1].label, "vgg8-r32");
  EXPECT_EQ(plan.spec.networks[2].source.options.channels, 8);
  EXPECT_EQ(run_of(plan.spec, plan.points[5]).network, 2);
  EXPECT_EQ(run_of(plan.spec, plan.points[5]).mode, sim::Mode::cycle);
}

TEST(Spec, AListOfPointsMayLeaveKeysOut) {
  const Plan plan =
      plan_of("points:\n  - {adc.resolution.bits: 5}\n  - {crossbar.rows: 64, adc.resolution.bits: 6}\n");
  ASSERT_EQ(plan.points.size(), 2);
  EXPECT_THAT(overrides(plan, 0), ElementsAre("adc.resolution.bits=5"));
  EXPECT_THAT(overrides(plan, 1), ElementsAre("adc.resolution.bits=6", "crossbar.rows=64"));
  EXPECT_EQ(plan.points[0].settings[1], nullptr);
}

TEST(Spec, DrawnPointsLieInTheirRanges) {
  for (const char* method : {"random", "latin_hypercube", "sobol"}) {
    const Plan plan = plan_of(
        std::string("sampling: {method: ") + method +
        ", points: 40}\naxes:\n  crossbar.rows: {from: 32, to: 128}\n"
        "  adc.rate: {from: 1 GS/s, to: 2 GS/s}\n  ima.input_register.capacity: {from: 1 KiB, to: 4 KiB}\n");
    ASSERT_EQ(plan.points.size(), 40);
    for (const Point& point : plan.points) {
      EXPECT_TRUE(*point.settings[0]->number >= 32 && *point.settings[0]->number <= 128);
      EXPECT_TRUE(*point.settings[1]->number >= 1e9 && *point.settings[1]->number <= 2e9);
      EXPECT_TRUE(*point.settings[2]->number >= 1024 && *point.settings[2]->number <= 4096);
    }
  }
}

TEST(Spec, ListsAndListsOfMapsAreValues) {
  const Plan plan = plan_of(
      "axes:\n  slices.widths: [[2, 2, 2, 2], [1, 1, 2, 2, 2]]\n"
      "  adc.resolution.layers: [[{layer: fc1, bits: 4}], []]\n");
  ASSERT_EQ(plan.points.size(), 4);
  EXPECT_THAT(overrides(plan, 0),
              ElementsAre("adc.resolution.layers=[{layer: fc1, bits: 4}]", "slices.widths=[2, 2, 2, 2]"));
}

TEST(Spec, EveryProblemIsToldAtOnceWithItsLine) {
  const std::string text = refusal(
      "arch: configs/isaac-8bit.yaml\n"
      "netwrok: x.onnx\n"
      "input: nothing.npy\n"
      "axes:\n"
      "  adc.resolution.bit: [5, 6]\n"
      "  crossbar.read_latency: [100]\n"
      "  crossbar.rows: {from: 128, to: 64, steps: 2}\n"
      "  crossbar.cols: []\n"
      "  adc.kind: [sar, magic]\n"
      "  network: [workloads/none.onnx, {workload: vgg99}]\n");
  for (const char* expected :
       {"s.yaml:2: netwrok: unknown key", "did you mean 'network'?", "s.yaml:3: input: '",
        "cannot be read: No such file", "s.yaml:5: adc.resolution.bit: unknown key",
        "did you mean 'adc.resolution.bits'?", "s.yaml:6: crossbar.read_latency: '100' has no unit",
        "s.yaml:7: crossbar.rows: the range starts at 128 above its end",
        "s.yaml:8: crossbar.cols: has no values", "s.yaml:9: adc.kind: 'magic' is not a choice",
        "s.yaml:10: network: '", "workloads/none.onnx' cannot be read", "'vgg99' is no workload"})
    EXPECT_THAT(text, HasSubstr(expected));
}

struct Bad {
  const char* rest;
  const char* expected;
};
class BadSpec : public ::testing::TestWithParam<Bad> {};
TEST_P(BadSpec, IsRefused) {
  EXPECT_THAT(refusal_of(GetParam().rest), HasSubstr(GetParam().expected));
}
INSTANTIATE_TEST_SUITE_P(
    Kinds, BadSpec,
    ::testing::Values(
        Bad{"", "s.yaml: axes: is missing; allowed: axes, or points"}, Bad{"axes:\n", "axes: has no keys"},
        Bad{"axes: {crossbar.rows: 64}\npoints: [{crossbar.rows: 64}]\n", "points: beside axes"},
        Bad{"points: []\n", "points: has no points"}, Bad{"points: [7]\n", "points: is no point"},
        Bad{"points: [{crossbar.row: 7}]\n", "did you mean 'crossbar.rows'?"},
        Bad{"axes: {crossbar: [1]}\n", "crossbar: is a section"},
        Bad{"axes: {crossbar.rows: {from: 1, to: 4}}\n", "a range without steps"},
        Bad{"axes: {crossbar.rows: {from: 1, to: 4, steps: 9}}\n", "9 steps from 1 to 4 give values twice"},
        Bad{"axes: {crossbar.rows: {from: 1, to: 4, step: 2}}\n",
            "step: unknown key; allowed: from, to, steps, scale"},
        Bad{"axes: {crossbar.rows: {to: 4, steps: 2}}\n", "a range without its ends"},
        Bad{"axes: {crossbar.rows: {from: 0, to: 4, steps: 2}}\n", "'0' is out of range"},
        Bad{"axes: {mapping.nearly_empty: {from: 0, to: 4, steps: 2, scale: log}}\n",
            "a logarithmic range from 0"},
        Bad{"axes: {adc.kind: {from: 1, to: 2, steps: 2}}\n", "a range of a key that takes no numbers"},
        Bad{"axes: {crossbar.rows: [64, 64]}\n", "'64' is given twice"},
        Bad{"axes: {crossbar.rows: [64], r: [{crossbar.rows: 32}]}\n",
            "'crossbar.rows' is varied by another axis"},
        Bad{"axes: {crossbar.rows: [64]}\nsampling: {method: random}\n", "sampling.points: is missing"},
        Bad{"axes: {crossbar.rows: [64]}\nsampling: {points: 5}\n", "given for a grid"},
        Bad{"axes: {crossbar.rows: [64]}\nsampling: {method: sobol, points: 0}\n", "'0' is out of range"},
        Bad{"axes: {crossbar.rows: {from: 1, to: 9, steps: 3}}\nsampling: {method: sobol, points: 4}\n",
            "steps where values are drawn"},
        Bad{"axes: {mode: [fast]}\n", "'fast' is no mode; allowed: cycle, structural, analytic"},
        Bad{"axes: {batch: [0]}\n", "batch: '0' is out of range"},
        Bad{"axes: {crossbar.rows: [64]}\nobjectives: [speed]\n",
            "'speed' is no figure; allowed: latency_s,"},
        Bad{"axes: {crossbar.rows: [64]}\nobjectives: [more:tops]\n", "'more' is no direction"},
        Bad{"axes: {crossbar.rows: [64]}\nlabels: workloads/digits-test-y.npy\n",
            "labels: given without input"},
        Bad{"axes: {network: [{workload: vgg8, genotype: DARTS_V2}]}\n", "a network in several ways"},
        Bad{"axes: {network: [{layers: 3}]}\n", "no network"},
        Bad{"set: {crossbar.rowz: 4}\n", "did you mean 'crossbar.rows'?"},
        Bad{"axes: {a: [1]}\naxes: {b: [1]}\n", "key 'axes' given twice"},
        Bad{"axes: [\n", "is not valid YAML"}));

TEST(Spec, WithoutMachineOrNetwork) {
  EXPECT_THAT(refusal("network: workloads/digits-mlp.onnx\naxes: {crossbar.rows: [64]}\n"),
              HasSubstr("arch: is missing"));
  EXPECT_THAT(refusal("arch: configs/isaac.yaml\naxes: {crossbar.rows: [64]}\n"),
              HasSubstr("network: is missing"));
  EXPECT_THAT(refusal(""), HasSubstr("is empty"));
  EXPECT_THAT(refusal("arch: workloads/digits-sweep.yaml\nnetwork: workloads/digits-mlp.onnx\naxes: "
                      "{crossbar.rows: [64]}\n"),
              HasSubstr("unknown key"));
}

TEST(Spec, TooManyPointsNeedToBeAskedFor) {
  const std::string rest = "axes: {crossbar.rows: {from: 1, to: 100, steps: 100}}\n";
  EXPECT_EQ(plan_of(rest, 100).points.size(), 100);
  try {
    (void)plan_of(rest, 99);
    FAIL();
  } catch (const base::ConfigError& error) {
    EXPECT_THAT(error.what(), HasSubstr("s.yaml: 100 points; allowed: at most 99; take fewer values, draw a "
                                        "sample, or raise --max-points"));
  }
}

TEST(Plan, PointsAreChosenByNumber) {
  const Plan plan = plan_of("axes: {crossbar.rows: [16, 32, 64, 128]}\n");
  EXPECT_THAT(chosen_points(plan, "4,1-2", "--points"), ElementsAre(3, 0, 1));
  for (const char* wrong : {"0", "5", "2-1", "x", "", "1,", "1-"})
    EXPECT_THROW((void)chosen_points(plan, wrong, "--points"), base::UsageError) << wrong;
}

TEST(Plan, TheFingerprintFollowsWhatResultsDependOn) {
  const Json one = fingerprint(plan_of("axes: {crossbar.rows: [64]}\n"));
  EXPECT_EQ(fingerprint(plan_of("axes: {crossbar.rows: [64]}\nobjectives: [tops, area_mm2]\n")), one);
  for (const char* other :
       {"axes: {crossbar.rows: [32]}\n", "axes: {crossbar.cols: [64]}\n",
        "seed: 2\naxes: {crossbar.rows: [64]}\n", "mode: analytic\naxes: {crossbar.rows: [64]}\n",
        "activity: {input: 0.4}\naxes: {crossbar.rows: [64]}\n"})
    EXPECT_NE(fingerprint(plan_of(other)), one) << other;
}

}  // namespace
}  // namespace bitline::sweep
