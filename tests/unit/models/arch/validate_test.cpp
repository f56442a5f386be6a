// SPDX-License-Identifier: Apache-2.0
// Each rule across keys: a machine that breaks it, and the message.
#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "models/arch/arch_loader.h"

namespace bitline::arch {
namespace {

using testing::HasSubstr;

const std::string kIsaac = BITLINE_SOURCE_DIR "/configs/isaac.yaml";

std::string messages(const std::vector<std::string>& overrides) {
  try {
    (void)load_arch(kIsaac, overrides);
  } catch (const base::ConfigError& error) {
    return error.what();
  }
  return "";
}

struct Rule {
  std::vector<std::string> overrides;
  std::string says;
};

class Broken : public testing::TestWithParam<Rule> {};
TEST_P(Broken, IsRefused) {
  EXPECT_THAT(messages(GetParam().overrides), HasSubstr(GetParam().says));
}

class Sound : public testing::TestWithParam<std::vector<std::string>> {};
TEST_P(Sound, IsAccepted) {
  EXPECT_EQ(messages(GetParam()), "");
}

INSTANTIATE_TEST_SUITE_P(
    Rules, Broken,
    testing::Values(
        Rule{{"crossbar.active_rows=129"},
             "active_rows: 129 rows driven together; allowed: at most crossbar.rows = 128"},
        Rule{{"adc.per_ima=3"},
             "adc.per_ima: 3 ADCs for ima.crossbars = 8; allowed: a multiple or a divisor"},
        Rule{{"precision.weights.bits=1", "slices.widths=1"},
             "precision.weights.bits: 1 bit with scheme symmetric"},
        Rule{{"precision.weights.scheme=dynamic_fixed_point", "slices.widths=[]"},
             "precision.weights.granularity: per_channel with scheme dynamic_fixed_point"},
        Rule{{"precision.weights.scheme=dynamic_fixed_point", "precision.weights.granularity=per_tensor",
              "precision.weights.calibration=mse", "slices.widths=[]"},
             "precision.weights.calibration: mse with scheme dynamic_fixed_point"},
        Rule{{"precision.layers=[{layer: fc, weights: 1}]"},
             "precision.layers: 1 bits for the weights of 'fc'; allowed: 2 ... precision.weights.bits = 16"},
        Rule{{"precision.layers=[{layer: fc, activations: 9}]", "precision.activations.bits=8"},
             "precision.layers: 9 bits for the input of 'fc'; allowed: dac.bits = 1 ... "
             "precision.activations.bits = 8"},
        Rule{{"dac.bits=4", "precision.activations.bits=2"},
             "dac.bits: 4; allowed: at most precision.activations.bits = 2"},
        Rule{{"slices.widths=[4, 4, 4, 4]"},
             "slices.widths: a slice of 4 bits; allowed: at most device.bits_per_cell = 2"},
        Rule{{"slices.widths=[2, 2]"}, "slices.widths: 4 bits together; allowed: at least 16"},
        Rule{{"slices.widths=[2,2,2,2,2,2,2,2,2]", "precision.weights.bits=16"},
             "slices.widths: a most significant slice that never holds a bit"},
        Rule{{"encoding.weights=twos_complement", "slices.widths=[2,2,2,2,2,2,2,2]"},
             "most significant slice of 2 bits; allowed: 1 with encoding.weights"},
        Rule{{"encoding.weights=twos_complement", "slices.widths=[1,2,2,2,2,2,2,2,2]"},
             "slices.widths: 17 bits together; allowed: exactly 16"},
        Rule{{"crossbar.cols=4"}, "crossbar.cols: 4 columns for 8 slices side by side"},
        Rule{{"encoding.subtraction=analog"}, "encoding.subtraction: analog without a second array"},
        Rule{{"encoding.subtraction=analog", "encoding.weights=differential"},
             "encoding.flip: true with encoding.subtraction analog"},
        Rule{{"encoding.subtraction=analog", "encoding.weights=differential", "encoding.flip=false",
              "ima.crossbars=3", "adc.per_ima=3"},
             "ima.crossbars: 3 with encoding.subtraction analog; allowed: an even number"},
        Rule{{"adc.resolution.policy=fixed", "adc.resolution.bits=8,8"},
             "adc.resolution.bits: 2 numbers; allowed: one, or one for each of the 8 slices"},
        Rule{{"encoding.subtraction=analog", "encoding.weights=differential", "encoding.flip=false",
              "adc.resolution.policy=fixed", "adc.resolution.bits=1"},
             "adc.resolution.bits: 1 bit with encoding.subtraction analog"},
        Rule{{"crossbar.active_rows=1", "device.bits_per_cell=1", "slices.widths=[]"},
             "adc.resolution.policy: isaac gives 0 bits; allowed: 1 ... 24"},
        Rule{{"adc.model=power_law", "adc.anchored=false"}, "adc.anchored: false with adc.model power_law"},
        Rule{{"adc.model=power_law", "adc.kind=flash"}, "adc.kind: not sar with adc.model power_law"},
        Rule{{"adc.model=table"}, "adc.table: no row for 8 bits"},
        Rule{{"adc.model=regression", "adc.resolution.policy=fixed", "adc.resolution.bits=3"},
             "adc.model: regression does not hold at 3 bits"},
        Rule{{"ima.input_register.capacity=255 B"},
             "ima.input_register.capacity: 255 B; allowed: at least 256 B"},
        Rule{{"ima.output_register.capacity=255 B"},
             "ima.output_register.capacity: 255 B; allowed: at least 256 B"},
        Rule{{"device.r_on=30 kOhm"}, "device.r_on: 30 kOhm; allowed: less than device.r_off = 20 kOhm"},
        Rule{{"device.read_energy=ohmic", "dac.bits=2"}, "device.read_energy: ohmic with dac.bits = 2"}));

INSTANTIATE_TEST_SUITE_P(
    Rules, Sound,
    testing::Values(std::vector<std::string>{"adc.per_ima=4"}, std::vector<std::string>{"adc.per_ima=16"},
                    std::vector<std::string>{"encoding.weights=twos_complement", "slices.widths=[]"},
                    std::vector<std::string>{"encoding.weights=differential"},
                    std::vector<std::string>{"encoding.weights=differential", "encoding.flip=false",
                                             "encoding.subtraction=analog"},
                    std::vector<std::string>{"encoding.weights=centre_offset", "encoding.flip=false",
                                             "encoding.subtraction=analog"},
                    std::vector<std::string>{"crossbar.active_rows=1", "device.bits_per_cell=1",
                                             "slices.widths=[]", "adc.resolution.policy=lossless"},
                    std::vector<std::string>{"device.read_energy=ohmic"},
                    std::vector<std::string>{"adc.model=regression"}));

TEST(Validate, ReportsEveryBrokenRuleAtOnce) {
  EXPECT_EQ(
      messages({"crossbar.active_rows=129", "adc.per_ima=3", "slices.widths=[2]"}),
      "--set: crossbar.active_rows: 129 rows driven together; allowed: at most crossbar.rows = 128\n"
      "--set: adc.per_ima: 3 ADCs for ima.crossbars = 8; allowed: a multiple or a divisor of ima.crossbars\n"
      "--set: slices.widths: 2 bits together; allowed: at least 16, the bits of a cell code "
      "(precision.weights, "
      "encoding.weights)");
}

TEST(SliceWidths, CutTheCodeFromTheLeastSignificantBit) {
  Arch arch;
  arch.device.bits_per_cell = 3;
  arch.precision.weights.bits = 8;
  arch.encoding.weights = WeightEncoding::offset;
  EXPECT_THAT(slice_widths(arch), testing::ElementsAre(2, 3, 3));
  arch.encoding.weights = WeightEncoding::differential;
  EXPECT_THAT(slice_widths(arch), testing::ElementsAre(1, 3, 3));
  arch.encoding.weights = WeightEncoding::twos_complement;
  EXPECT_THAT(slice_widths(arch), testing::ElementsAre(1, 1, 3, 3));
  arch.slices.widths = {1, 2, 2, 3};
  EXPECT_THAT(slice_widths(arch), testing::ElementsAre(1, 2, 2, 3));
}

TEST(IsaacAdcBits, FollowsThePapersRule) {
  EXPECT_EQ(isaac_adc_bits(128, 2, 1, true), 8);  // 7 + 2 + 1 - 1 - 1
  EXPECT_EQ(isaac_adc_bits(128, 2, 1, false), 9);
  EXPECT_EQ(isaac_adc_bits(128, 2, 2, false), 11);  // 7 + 2 + 2
  EXPECT_EQ(isaac_adc_bits(128, 1, 1, true), 7);    // less one only once
  EXPECT_EQ(isaac_adc_bits(100, 2, 1, true), 8);    // rows rounded up to a power of two
  EXPECT_EQ(isaac_adc_bits(1, 2, 1, false), 2);
}

}  // namespace
}  // namespace bitline::arch
