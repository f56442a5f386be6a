// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/arch/arch_loader.h"
#include "models/base/quantity.h"
#include "tests/unit/tools/cli_answer.h"

namespace bitline::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::string help(const std::string& topic) {
  const CliAnswer answer = answer_of({"help", topic});
  EXPECT_EQ(answer.code, 0) << topic << ": " << answer.err;
  for (const std::string& line : lines_of(answer.out)) EXPECT_LE(line.size(), 80U) << topic << ": " << line;
  return answer.out;
}

TEST(HelpTopics, AreListed) {
  const CliAnswer list = answer_of({"help"});
  EXPECT_EQ(list.code, 0);
  for (const char* topic :
       {"arch", "environment", "exit-codes", "modes", "operators", "quantisation", "results", "units"}) {
    EXPECT_THAT(list.out, HasSubstr(std::string("\n  ") + topic + " "));
    EXPECT_THAT(help(topic), Not(IsEmpty()));
  }
  EXPECT_THAT(list.out, AllOf(HasSubstr("crossbar"), HasSubstr("compare")));
  for (const std::string& line : lines_of(list.out)) EXPECT_LE(line.size(), 80U) << line;
}

TEST(HelpTopics, EveryKeyOfAMachineHasATextWithItsMeaningAndDefault) {
  arch::Arch defaults;
  const base::Schema schema = arch::schema(defaults);
  for (const base::Field& field : schema.fields()) {
    const std::string text = help(field.key);
    EXPECT_THAT(text, AllOf(HasSubstr("  " + field.key + "\n"), HasSubstr("default:"))) << field.key;
  }
  const std::string adc = help("adc");
  EXPECT_THAT(adc, AllOf(HasSubstr("adc.resolution.policy"), HasSubstr("See also: bitline adc --help"),
                         Not(HasSubstr("crossbar.rows"))));
  EXPECT_THAT(help("adc.resolution"), Not(HasSubstr("adc.kind")));
}

TEST(HelpTopics, KeysOfAResult) {
  EXPECT_THAT(
      help("results"),
      AllOf(HasSubstr("  latency_s.image: number\n      first image, from time zero"),
            HasSubstr("layers[].slices[].adc_bits: integer"), HasSubstr("tops_per_w: number or null")));
  EXPECT_THAT(help("layers.stalls_s"), AllOf(HasSubstr("layers[].stalls_s.noc"), Not(HasSubstr("start_s"))));
  EXPECT_THAT(help("layers[].slices"), HasSubstr("layers[].slices[].clipped"));
}

TEST(HelpTopics, Commands) {
  EXPECT_EQ(help("run"), answer_of({"run", "--help"}).out);
  EXPECT_EQ(help("oracle"), answer_of({"oracle", "--help"}).out);
}

TEST(HelpTopics, UnitsAndCodesAreThoseOfTheProgram) {
  EXPECT_THAT(help("units"), HasSubstr("time        " + base::units_of(base::Dimension::time)));
  EXPECT_THAT(help("exit-codes"), AllOf(HasSubstr("  0  done\n"), HasSubstr("  7  --timeout was reached\n")));
  EXPECT_THAT(help("modes"), AllOf(HasSubstr("structural"), HasSubstr("analytic")));
  EXPECT_EQ(help("quantisation"), help("quantization"));
}

TEST(HelpTopics, AnUnknownOneGetsTheNearest) {
  const CliAnswer wrong = answer_of({"help", "unit"});
  EXPECT_EQ(wrong.code, 2);
  EXPECT_EQ(wrong.err, "bitline: error: bitline help: no topic 'unit'; did you mean 'units'?\n");
  EXPECT_THAT(answer_of({"help", "crosbar.row"}).err, HasSubstr("did you mean 'crossbar.rows'?"));
  EXPECT_THAT(answer_of({"help", "qqqqqqqqqq"}).err, HasSubstr("bitline help lists all"));
}

TEST(Commands, AMistypedOneGetsTheNearest) {
  EXPECT_THAT(answer_of({"comapre"}).err, HasSubstr("did you mean 'compare'?"));
  EXPECT_THAT(answer_of({"fly"}).err, Not(HasSubstr("did you mean")));
}

}  // namespace
}  // namespace bitline::cli
