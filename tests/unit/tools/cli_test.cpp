// SPDX-License-Identifier: Apache-2.0
#include "tools/bitline/cli.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>

namespace bitline::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

struct Answer {
  int code;
  std::string out, err;
};

Answer bitline(const std::vector<std::string>& arguments) {
  std::ostringstream out;
  std::ostringstream err;
  const int code = run(arguments, {out, err, false});
  return {code, out.str(), err.str()};
}

std::string source(const std::string& path) {
  return std::string(BITLINE_SOURCE_DIR) + "/" + path;
}
const std::string kArch = source("configs/isaac-8bit.yaml");
const std::string kNetwork = source("workloads/digits-mlp.onnx");

std::vector<std::string> lines(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> out;
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

class Help : public ::testing::TestWithParam<const char*> {};

TEST_P(Help, HasExamplesAndExitCodesAndFitsTheScreen) {
  const Answer answer = bitline({GetParam(), "--help"});
  EXPECT_EQ(answer.code, 0);
  EXPECT_THAT(answer.err, IsEmpty());
  EXPECT_THAT(answer.out, AllOf(HasSubstr("Examples:\n  bitline " + std::string(GetParam())),
                                HasSubstr("Exit codes:\n  0  done"), HasSubstr("--help")));
  for (const std::string& line : lines(answer.out)) EXPECT_LE(line.size(), 80U) << line;
}

INSTANTIATE_TEST_SUITE_P(Subcommands, Help,
                         ::testing::Values("run", "infer", "map", "slices", "show", "check", "workload"));

TEST(Cli, HelpListsEverySubcommand) {
  const Answer answer = bitline({"--help"});
  for (const std::string& line : lines(answer.out)) EXPECT_LE(line.size(), 80U) << line;
  EXPECT_EQ(answer.code, 0);
  for (const char* name : {"run", "infer", "map", "slices", "show", "check", "workload"})
    EXPECT_THAT(answer.out, HasSubstr(std::string("\n  ") + name + " "));
}

TEST(Cli, RunOffersTheDocumentedOptions) {
  const Answer answer = bitline({"run", "--help"});
  for (const char* option :
       {"--arch", "--network", "--input", "--labels", "--calibrate", "--batch", "--mode", "--set",
        "--dump-outputs", "--dump-layers", "--out", "--seed", "--threads", "--timeout", "--json", "--quiet"})
    EXPECT_THAT(answer.out, HasSubstr(option));
}

TEST(Cli, VersionIsOneLine) {
  const Answer answer = bitline({"--version"});
  EXPECT_EQ(answer.code, 0);
  EXPECT_THAT(answer.out, ::testing::MatchesRegex("bitline [0-9]+\\.[0-9]+\\.[0-9]+\n"));
}

struct Wrong {
  std::vector<std::string> arguments;
  std::string says;
};
void PrintTo(const Wrong& wrong, std::ostream* out) {
  for (const std::string& argument : wrong.arguments) *out << argument << ' ';
}
class WrongUse : public ::testing::TestWithParam<Wrong> {};

TEST_P(WrongUse, IsOneLineThatPointsToTheHelpAndExitTwo) {
  const Answer answer = bitline(GetParam().arguments);
  EXPECT_EQ(answer.code, 2);
  EXPECT_THAT(answer.out, IsEmpty());
  ASSERT_EQ(lines(answer.err).size(), 1U) << answer.err;
  EXPECT_THAT(answer.err, AllOf(StartsWith("bitline: error: "), HasSubstr(GetParam().says)));
}

INSTANTIATE_TEST_SUITE_P(
    Cli, WrongUse,
    ::testing::Values(
        Wrong{{}, "subcommand"}, Wrong{{"fly"}, "fly"}, Wrong{{"run"}, "--arch"},
        Wrong{{"run", "--arch", kArch}, "--network"},
        Wrong{{"run", "--arch", kArch, "--network", kNetwork, "--mode", "guess"}, "cycle,structural"},
        Wrong{{"run", "--arch", kArch, "--network", kNetwork, "--batch", "0"}, "--batch"},
        Wrong{{"run", "--arch", kArch, "--network", kNetwork, "--batch", "two"}, "--batch"},
        Wrong{{"run", "--arch", kArch, "--network", kNetwork, "--threads", "0"}, "--threads"},
        Wrong{{"run", "--arch", kArch, "--network", kNetwork, "--labels", "y.npy"}, "without --input"},
        Wrong{{"run", "--arch", kArch, "--network", kNetwork, "--set"}, "--set"},
        Wrong{{"infer", "--network", kNetwork}, "--input"}, Wrong{{"check"}, "no file"},
        Wrong{{"check", "notes.txt"}, "--arch or --network"},
        Wrong{{"check", "--network", kNetwork, "--set", "a=1"}, "without an architecture"},
        Wrong{{"workload"}, "subcommand"}, Wrong{{"workload", "make", "vgg99"}, "vgg99"},
        Wrong{{"guess"}, "guess"}));

TEST(Cli, AMissingArchIsAConfigErrorAndAMissingNetworkANetworkError) {
  const Answer arch = bitline({"map", "--arch", "/nowhere/a.yaml", "--network", kNetwork});
  EXPECT_EQ(arch.code, 3);
  EXPECT_THAT(arch.err, HasSubstr("/nowhere/a.yaml"));
  const Answer network = bitline({"map", "--arch", kArch, "--network", "/nowhere/n.onnx"});
  EXPECT_EQ(network.code, 4);
  EXPECT_THAT(network.err, HasSubstr("/nowhere/n.onnx"));
}

TEST(Cli, EveryProblemOfTheOverridesHasItsLine) {
  const Answer answer = bitline({"check", kArch, "--set", "crossbar.colls=3", "--set", "adc.rate=5"});
  EXPECT_EQ(answer.code, 3);
  ASSERT_EQ(lines(answer.err).size(), 2U) << answer.err;
  EXPECT_THAT(answer.err, AllOf(HasSubstr("crossbar.colls"), HasSubstr("adc.rate")));
}

TEST(Cli, ANetworkThatDoesNotFitIsAMappingError) {
  const Answer answer = bitline({"map", "--arch", kArch, "--network", kNetwork, "--set", "chip.tiles=1",
                                 "--set", "chip.mesh_width=1", "--set", "tile.imas=1", "--set",
                                 "ima.crossbars=1", "--set", "adc.per_ima=1", "--set", "crossbar.cols=16"});
  EXPECT_EQ(answer.code, 5) << answer.err;
  EXPECT_THAT(answer.err, HasSubstr("crossbar"));
}

TEST(Check, TellsWhatIsThere) {
  const Answer answer = bitline({"check", kArch, kNetwork});
  EXPECT_EQ(answer.code, 0) << answer.err;
  EXPECT_THAT(answer.out, AllOf(HasSubstr("ok  " + kArch), HasSubstr("ok  " + kNetwork), HasSubstr("total")));
  for (const std::string& line : lines(answer.out)) {
    if (!line.starts_with("ok  ")) {
      EXPECT_LE(line.size(), 80U) << line;
    }
  }
}

TEST(Check, OneWrongFileDoesNotHideTheOthers) {
  const Answer answer = bitline({"check", "--json", "/nowhere/a.yaml", kNetwork});
  EXPECT_EQ(answer.code, 3);
  const auto json = nlohmann::json::parse(answer.out);
  EXPECT_FALSE(json["files"][0]["ok"].get<bool>());
  EXPECT_THAT(json["files"][0]["problems"][0]["where"].get<std::string>(), HasSubstr("/nowhere/a.yaml"));
  EXPECT_TRUE(json["files"][1]["ok"].get<bool>());
  EXPECT_EQ(json["files"][1]["crossbar_layers"].get<int>(), 3);
}

TEST(Check, PrintsTheCommittedReference) {
  std::ifstream file(source("configs/REFERENCE.md"));
  const std::string committed{std::istreambuf_iterator<char>(file), {}};
  EXPECT_TRUE(bitline({"check", "--reference"}).out == committed)
      << "make it again: bitline check --reference > configs/REFERENCE.md";
}

TEST(Check, TheReadmeListsTheOperators) {
  std::ifstream file(source("README.md"));
  const std::string readme{std::istreambuf_iterator<char>(file), {}};
  EXPECT_THAT(readme, HasSubstr("- Operators (`bitline check --operators`):\n" +
                                bitline({"check", "--operators"}).out));
}

TEST(Map, TextAndJsonAgree) {
  const Answer text = bitline({"map", "--arch", kArch, "--network", kNetwork});
  ASSERT_EQ(text.code, 0) << text.err;
  const auto json =
      nlohmann::json::parse(bitline({"map", "--arch", kArch, "--network", kNetwork, "--json"}).out);
  std::int64_t crossbars = 0;
  for (const auto& layer : json["layers"]) {
    crossbars += layer["crossbars"].get<std::int64_t>();
    EXPECT_THAT(text.out, HasSubstr(layer["name"].get<std::string>()));
  }
  EXPECT_EQ(json["crossbars"]["used"].get<std::int64_t>(), crossbars);
  EXPECT_THAT(text.out, HasSubstr(std::to_string(crossbars) + " of 16 128 used"));
}

TEST(Slices, ListsEverySliceOfEveryLayer) {
  const Answer answer = bitline({"slices", "--arch", kArch, "--network", kNetwork, "--json"});
  ASSERT_EQ(answer.code, 0) << answer.err;
  const auto json = nlohmann::json::parse(answer.out);
  ASSERT_EQ(json["layers"].size(), 3U);
  for (const auto& layer : json["layers"]) {
    ASSERT_EQ(layer["slices"].size(), 4U);  // 8-bit weights in 2-bit cells
    for (const auto& slice : layer["slices"]) {
      // 128 rows of at most 3 under one-bit inputs
      EXPECT_LE(slice["max_column_sum"].get<int>(), 384);
      const double ratio = slice["nonzero"].get<double>() / slice["cells"].get<double>();
      EXPECT_DOUBLE_EQ(slice["nonzero_ratio"].get<double>(), ratio);
    }
  }
  const Answer text = bitline({"slices", "--arch", kArch, "--network", kNetwork});
  EXPECT_EQ(lines(text.out).size(), 1U + 12U + 4U);
}

TEST(Run, PrintsTheReportAndWritesTheFiles) {
  const fs::path folder = fs::temp_directory_path() / ("bitline_cli_" + std::to_string(::getpid()));
  const Answer answer = bitline({"run", "--arch", kArch, "--network", kNetwork, "--out", folder.string()});
  ASSERT_EQ(answer.code, 0) << answer.err;
  EXPECT_THAT(answer.out,
              AllOf(HasSubstr("\nSummary\n"), HasSubstr("\nComponents\n"), HasSubstr("\nLayers ")));
  for (const std::string& line : lines(answer.out)) EXPECT_LE(line.size(), 80U) << line;
  EXPECT_THAT(answer.err, AllOf(HasSubstr("wall time"), Not(HasSubstr("\r"))));
  for (const char* name : {"result.json", "layers.csv", "components.csv"})
    EXPECT_TRUE(fs::exists(folder / name));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder), {}), 3);
  fs::remove_all(folder);
}

/// Numbers as '#' and runs of spaces as one, so that the text stays equal on machines whose float32 rounds
/// otherwise.
std::string masked(const std::string& text) {
  const std::string numbers = std::regex_replace(text, std::regex("[0-9]+([ .][0-9]+)*"), "#");
  return std::regex_replace(numbers, std::regex(" +"), " ");
}

TEST(Run, TheReportReadsAsCommitted) {
  const Answer answer = bitline({"run", "--arch", kArch, "--network", kNetwork, "--input",
                                 source("workloads/digits-test-x.npy"), "--labels",
                                 source("workloads/digits-test-y.npy"), "--batch", "2", "--quiet"});
  ASSERT_EQ(answer.code, 0) << answer.err;
  std::ifstream file(source("tests/unit/tools/report.txt"));
  const std::string committed{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(masked(answer.out), masked(committed));
}

TEST(Run, QuietSaysNothingOnTheSide) {
  const Answer answer = bitline({"run", "--arch", kArch, "--network", kNetwork, "--quiet", "--json"});
  ASSERT_EQ(answer.code, 0) << answer.err;
  EXPECT_THAT(answer.err, IsEmpty());
  EXPECT_EQ(nlohmann::json::parse(answer.out)["schema"], "bitline.result/1");
}

TEST(Run, AnUnwritableFolderIsFoundBeforeTheWork) {
  const Answer answer =
      bitline({"run", "--arch", "/nowhere.yaml", "--network", kNetwork, "--out", "/proc/x"});
  EXPECT_EQ(answer.code, 2);
  EXPECT_THAT(answer.err, HasSubstr("--out /proc/x"));
}

TEST(Run, TheTimeLimitEndsItWithItsOwnCode) {
  const Answer answer = bitline({"run", "--arch", kArch, "--network", kNetwork, "--timeout", "0.001"});
  EXPECT_EQ(answer.code, 7) << answer.err;
  EXPECT_THAT(answer.err, HasSubstr("--timeout"));
}

TEST(Workload, MakesAFileThatChecks) {
  const fs::path file =
      fs::temp_directory_path() / ("bitline_workload_" + std::to_string(::getpid()) + ".onnx");
  const Answer made = bitline({"workload", "make", "lenet5", "--seed", "3", "-o", file.string()});
  ASSERT_EQ(made.code, 0) << made.err;
  EXPECT_EQ(bitline({"check", file.string()}).code, 0);
  fs::remove(file);
  EXPECT_THAT(bitline({"workload", "list"}).out, AllOf(HasSubstr("lenet5"), HasSubstr("resnet50")));
}

TEST(Show, TellsWhatRunsWhereAfterFoldingAndFusion) {
  const std::string network = source("workloads/digits-cnn.onnx");
  const Answer table = bitline({"show", network});
  EXPECT_EQ(table.code, 0);
  // conv2: 8*8 positions of 16 outputs of 9*16 weights; normalisation folded, so 16*16*9 weights and 16
  // biases.
  EXPECT_THAT(table.out,
              ::testing::ContainsRegex("conv2 +crossbars +conv 3x3, relu +1x16x8x8 +147 456 +2 320\n"));
  EXPECT_THAT(table.out, ::testing::ContainsRegex("add1 +digital +add, relu +1x16x8x8 +- +-\n"));
  EXPECT_THAT(table.out, HasSubstr("crossbars  7 layers, 493 824 MACs, 17 930 parameters\n"
                                   "digital    4 layers, 0 MACs, 0 parameters\n"));
  for (const std::string& line : lines(table.out)) EXPECT_LE(line.size(), 80U) << line;
  const auto json = nlohmann::json::parse(bitline({"show", network, "--json"}).out);
  EXPECT_EQ(json["total"]["crossbars"],
            (nlohmann::json{{"layers", 7}, {"macs", 493824}, {"parameters", 17930}}));
  EXPECT_EQ(json["layers"][4]["inputs"], (nlohmann::json{"conv3", "conv1"}));
  EXPECT_FALSE(json["layers"][4].contains("crossbars"));
  EXPECT_EQ(bitline({"show", network, "--set", "crossbar.rows=64"}).code, 2);
}

std::string committed(const std::string& name) {
  std::ifstream file(source("tests/unit/tools/" + name));
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(Show, TheTableReadsAsCommitted) {
  const Answer answer =
      bitline({"show", source("workloads/digits-cnn.onnx"), "--arch", source("configs/isaac.yaml")});
  ASSERT_EQ(answer.code, 0) << answer.err;
  EXPECT_EQ(answer.out, committed("show.txt"));
}

TEST(Show, WritesTheGraphForGraphviz) {
  const fs::path file = fs::temp_directory_path() / ("bitline_show_" + std::to_string(::getpid()) + ".dot");
  const Answer answer = bitline({"show", source("workloads/digits-cnn.onnx"), "--dot", file.string()});
  ASSERT_EQ(answer.code, 0) << answer.err;
  std::ifstream written(file);
  const std::string dot{std::istreambuf_iterator<char>(written), {}};
  EXPECT_EQ(dot, committed("show.dot"));
  fs::remove(file);
  EXPECT_EQ(bitline({"show", source("workloads/digits-cnn.onnx"), "--dot", "/nowhere/x.dot"}).code, 2);
}

TEST(Show, OnAMachineAlsoCountsCrossbarsAsTheMapDoes) {
  const Answer shown = bitline({"show", kNetwork, "--arch", kArch, "--json"});
  ASSERT_EQ(shown.code, 0) << shown.err;
  const auto show = nlohmann::json::parse(shown.out);
  const auto map =
      nlohmann::json::parse(bitline({"map", "--arch", kArch, "--network", kNetwork, "--json"}).out);
  EXPECT_EQ(show["total"]["crossbars"]["crossbars"], map["crossbars"]["used"]);
  for (const auto& layer : map["layers"]) {
    const auto same = std::find_if(show["layers"].begin(), show["layers"].end(),
                                   [&](const auto& entry) { return entry["name"] == layer["name"]; });
    ASSERT_NE(same, show["layers"].end());
    EXPECT_EQ((*same)["crossbars"], layer["crossbars"]);
  }
}

}  // namespace
}  // namespace bitline::cli
