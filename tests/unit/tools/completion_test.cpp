// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>

#include "tests/unit/tools/cli_answer.h"

namespace bitline::cli {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

std::vector<std::string> words(const std::string& line) {
  const CliAnswer answer = answer_of({"completion", "words", "--line", line});
  EXPECT_EQ(answer.code, 0) << answer.err;
  return lines_of(answer.out);
}

TEST(Completion, Commands) {
  EXPECT_THAT(words("bitline ru"), ElementsAre("run"));
  EXPECT_THAT(words("bitline "),
              AllOf(Contains("run"), Contains("compare"), Contains("completion"), Contains("help")));
  EXPECT_THAT(words("bitline workload "), ElementsAre("list", "make"));
  EXPECT_THAT(words("bitline nonsense"), IsEmpty());
}

/// Every command and every option that a help text shows is offered.
TEST(Completion, NoCommandOrOptionIsLeftOut) {
  const std::string help = answer_of({"--help"}).out;
  const std::vector<std::string> commands = words("bitline ");
  const std::string listed = help.substr(help.find("Subcommands:"));
  std::size_t seen = 0;
  for (const std::string& line : lines_of(listed)) {
    std::smatch match;
    if (!std::regex_match(line, match, std::regex("  ([a-z]+) .*"))) continue;
    if (match[1] == "bitline") continue;  // an example
    ++seen;
    EXPECT_THAT(commands, Contains(match[1].str()));
    const std::vector<std::string> options = words("bitline " + match[1].str() + " --");
    const std::string text = answer_of({match[1].str(), "--help"}).out;
    const std::regex option("\n  (?:-[a-z],)?(--[a-z0-9-]+)");
    for (std::sregex_iterator it(text.begin(), text.end(), option), end; it != end; ++it)
      EXPECT_THAT(options, Contains((*it)[1].str())) << match[1];
  }
  EXPECT_EQ(seen, commands.size());
}

TEST(Completion, ChoicesOfOptions) {
  EXPECT_THAT(words("bitline run --mode "), ElementsAre("analytic", "cycle", "structural"));
  EXPECT_THAT(words("bitline run --arch a.yaml --mode cy"), ElementsAre("cycle"));
  EXPECT_THAT(words("bitline run --arch "), IsEmpty());  // a file
  EXPECT_THAT(words("bitline workload make res"), Each(StartsWith("res")));
  EXPECT_THAT(words("bitline workload make res"), Contains("resnet18"));
  EXPECT_THAT(words("bitline completion "), ElementsAre("bash", "fish", "zsh"));
}

TEST(Completion, KeysOfTheMachine) {
  EXPECT_THAT(
      words("bitline run --set adc.resolution.p"),
      ElementsAre("adc.resolution.percentile=", "adc.resolution.percentile_of=", "adc.resolution.policy="));
  EXPECT_THAT(words("bitline run --set adc.resolution.policy="),
              ElementsAre("adc.resolution.policy=fixed", "adc.resolution.policy=isaac",
                          "adc.resolution.policy=lossless", "adc.resolution.policy=percentile"));
  EXPECT_THAT(words("bitline run --set encoding.flip=t"), ElementsAre("encoding.flip=true"));
  EXPECT_THAT(words("bitline run --set crossbar.rows="), IsEmpty());
  EXPECT_THAT(words("bitline map --set no.such="), IsEmpty());
}

TEST(Completion, AFlagTakesNoValueAndQuotesAreUnderstood) {
  EXPECT_THAT(words("bitline run --json --mo"), ElementsAre("--mode"));
  EXPECT_THAT(words("bitline run --arch 'a b.yaml' --mode cy"), ElementsAre("cycle"));
  EXPECT_THAT(words("bitline run --arch a\\ b.yaml --mode cy"), ElementsAre("cycle"));
}

TEST(Completion, Scripts) {
  for (const char* shell : {"bash", "zsh", "fish"})
    EXPECT_THAT(answer_of({"completion", shell}).out, HasSubstr("completion words --line")) << shell;
  const CliAnswer wrong = answer_of({"completion", "tcsh"});
  EXPECT_EQ(wrong.code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("tcsh"));
  EXPECT_THAT(wrong.out, IsEmpty());
}

}  // namespace
}  // namespace bitline::cli
