// SPDX-License-Identifier: Apache-2.0
#include "tools/compare/compare.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "models/base/errors.h"
#include "sim/result/json.h"
#include "tests/unit/sim/result_sample.h"

namespace bitline::compare {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

result::LayerResult layer(const std::string& name, double adc, double edram) {
  result::LayerResult l = result::sample().layers.front();
  l.name = name;
  l.energy = {adc + edram, adc + edram, 0, {{"adc", adc}, {"edram", edram}}};
  return l;
}

/// Layers a, b; 6 J in the ADCs, 2 J in the eDRAM.
result::Result base_result() {
  result::Result r = result::sample();
  r.layers = {layer("a", 4, 1), layer("b", 2, 1)};
  r.energy = {8, 8, 0, {{"adc", 6}, {"edram", 2}}};
  r.latency = {2, 2, 2};
  return r;
}

/// Layers a, new, b: 2 J in the ADCs, 3 J in a cache.
result::Result other_result() {
  result::Result r = base_result();
  r.layers = {layer("a", 1, 0), layer("new", 0.5, 0), layer("b", 0.5, 0)};
  r.energy = {5, 5, 0, {{"adc", 2}, {"cache", 3}}};
  r.latency = {3, 1.5, 3};
  r.accuracy->top1 = 0.95;
  r.provenance.config = {{"adc.rate", "2 GHz", "--set"}, {"new.key", "x", ""}};
  r.provenance.seed = 8;
  return r;
}

Comparison two() {
  return compare({{"old", "old/result.json", base_result()}, {"new", "new/result.json", other_result()}}, 0);
}

const FigureRow& row(const Comparison& c, const std::string& key) {
  for (const FigureRow& r : c.figures)
    if (key == r.figure->key) return r;
  throw std::out_of_range(key);
}

std::vector<std::string> lines(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> out;
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

TEST(Compare, FiguresAndRatios) {
  const Comparison c = two();
  EXPECT_THAT(row(c, "latency_image_s").values, ElementsAre(2.0, 3.0));
  EXPECT_THAT(row(c, "edp_js").values, ElementsAre(16.0, 15.0));
  EXPECT_THAT(row(c, "top1").values, ElementsAre(0.975, 0.95));
  // 123 456 789 conversions of 2 images.
  EXPECT_THAT(row(c, "conversions").values, ElementsAre(61728394.5, 61728394.5));
  EXPECT_EQ(ratio(3.0, 2.0), 1.5);
  EXPECT_EQ(ratio(3.0, 0.0), std::nullopt);
  EXPECT_EQ(ratio(std::nullopt, 2.0), std::nullopt);
  EXPECT_EQ(ratio(2.0, std::nullopt), std::nullopt);
}

TEST(Compare, AFigureThatNoRunHasIsLeftOut) {
  result::Result plain = base_result();
  plain.accuracy.reset();
  const Comparison c = compare({{"x", "x", plain}, {"y", "y", plain}}, 0);
  EXPECT_THROW(row(c, "top1"), std::out_of_range);
  EXPECT_THROW(row(two(), "chips_top1"), std::out_of_range);
}

TEST(Compare, ChangesSumToTheChangeOfTheTotal) {
  const Comparison c = two();
  double components = 0, layers = 0;
  for (const ComponentRow& r : c.components) components += energy_change(c, r.energy, 1);
  EXPECT_DOUBLE_EQ(components, (5.0 - 8.0) / 8.0);
  for (const LayerRow& r : c.layers) layers += energy_change(c, r.energy, 1);
  EXPECT_DOUBLE_EQ(layers, (2.0 - 8.0) / 8.0);  // of the made-up layers
  EXPECT_EQ(energy_change(c, c.layers.front().energy, 0), 0);
}

TEST(Compare, ComponentsAndLayersOfEitherSide) {
  const Comparison c = two();
  std::vector<std::string> components, layers;
  for (const ComponentRow& r : c.components) components.push_back(r.name);
  for (const LayerRow& r : c.layers) layers.push_back(r.name);
  EXPECT_THAT(components, ElementsAre("adc", "cache", "edram", "router"));  // router: area only
  EXPECT_THAT(layers, ElementsAre("a", "new", "b"));
  EXPECT_EQ(c.layers[1].energy[0], std::nullopt);
  EXPECT_EQ(c.layers[1].op[0], "");
  EXPECT_EQ(c.layers[1].adc_bits[1], "4/5");
}

TEST(Compare, LayersOfOneNameAreNumbered) {
  result::Result twice = base_result();
  twice.layers = {layer("load", 1, 1), layer("load", 2, 2)};
  const Comparison c = compare({{"x", "x", twice}, {"y", "y", twice}}, 0);
  ASSERT_EQ(c.layers.size(), 2U);
  EXPECT_EQ(c.layers[1].name, "load#2");
  EXPECT_EQ(c.layers[1].energy[0], 4.0);
}

TEST(Compare, WhatChanged) {
  const Comparison c = two();
  ASSERT_EQ(c.config.size(), 2U);
  EXPECT_EQ(c.config[0].key, "adc.rate");
  EXPECT_THAT(c.config[0].values, ElementsAre("1.28 GHz", "2 GHz"));
  EXPECT_THAT(c.config[0].sources, ElementsAre("the paper", "--set"));
  EXPECT_EQ(c.config[1].key, "new.key");
  EXPECT_EQ(c.config[1].values[0], std::nullopt);
  std::vector<std::string> settings;
  for (const Difference& d : c.settings) settings.push_back(d.key);
  EXPECT_THAT(settings, ElementsAre("layers", "seed"));
}

TEST(Compare, TheTextSaysIt) {
  const std::string text = to_text(two());
  EXPECT_THAT(text, AllOf(HasSubstr("old          net.onnx on isaac.yaml, cycle  (baseline)"),
                          HasSubstr("adc.rate  1.28 GHz  2 GHz"), HasSubstr("1.500x"), HasSubstr("-2.50 pt"),
                          HasSubstr("absent"), HasSubstr("-50.0 %")));
  const Comparison same = compare({{"x", "x", base_result()}, {"y", "y", base_result()}}, 0);
  EXPECT_THAT(to_text(same),
              AllOf(HasSubstr("no key of the machine differs"), Not(HasSubstr("Runs differ"))));
}

TEST(Compare, TheTextFitsTheScreenWhateverItsNames) {
  for (const std::size_t n : {2U, 3U, 4U, 13U}) {
    std::vector<compare::Run> runs;
    for (std::size_t i = 0; i < n; ++i) {
      compare::Run run{"a/very/long/folder/of/many/parts/number-" + std::to_string(i), "f",
                       i % 2 == 0 ? base_result() : other_result()};
      run.result.layers[0].name =
          "/model/backbone/layer" + std::to_string(i) + "/block.0/conv1/Conv_quantised_output";
      run.result.energy.total *= 1e5 * static_cast<double>(1 + i);
      run.result.provenance.network = std::string(200, 'n');
      run.result.provenance.config.push_back(
          {"a.very.long.key.of.the.machine.that.nobody.would.write", std::string(i, '9'), ""});
      runs.push_back(std::move(run));
    }
    const Comparison c = compare(std::move(runs), n - 1);
    for (const std::string& line : lines(to_text(c))) EXPECT_LE(line.size(), 80U) << n << ": " << line;
  }
}

TEST(Compare, Json) {
  const nlohmann::json json = nlohmann::json::parse(to_json(two()));
  EXPECT_EQ(json["schema"], "bitline.compare/1");
  EXPECT_EQ(json["baseline"], "old");
  EXPECT_EQ(json["runs"].size(), 2U);
  const auto latency = std::find_if(json["figures"].begin(), json["figures"].end(),
                                    [](const auto& f) { return f["key"] == "latency_image_s"; });
  EXPECT_EQ((*latency)["ratios"][1], 1.5);
  EXPECT_EQ((*latency)["better"], "lower");
  EXPECT_TRUE(json["layers"][1]["energy_j"][0].is_null());
  EXPECT_EQ(json["config"][0]["sources"][1], "--set");
  EXPECT_EQ(json["components"][0]["energy_change"][1], -0.5);
}

TEST(Compare, CsvHasEveryValue) {
  const std::vector<std::string> rows = lines(to_csv(two()));
  EXPECT_EQ(rows.front(), "table,name,figure,run,value,baseline,ratio");
  EXPECT_THAT(rows, ::testing::Contains("figures,latency_image_s,latency_image_s,new,3,2,1.5"));
  EXPECT_THAT(rows, ::testing::Contains("layers,new,energy_j,old,,,"));
  EXPECT_THAT(rows, ::testing::Contains("config,adc.rate,value,new,2 GHz,1.28 GHz,"));
}

TEST(Compare, NeedsTwoRuns) {
  EXPECT_THROW(static_cast<void>(compare({{"x", "x", base_result()}}, 0)), base::UsageError);
}

TEST(ReadRuns, LabelsAreShortAndUnique) {
  const fs::path root = fs::path(testing::TempDir()) / "read-runs";
  std::vector<std::string> paths;
  for (const char* name : {"one/8-bit", "two/8-bit", "two/5-bit"}) {
    fs::create_directories(root / name);
    std::ofstream(root / name / "result.json") << to_json(base_result());
    paths.push_back((root / name).string());
  }
  paths.push_back((root / "two/5-bit/result.json").string());
  std::ofstream(root / "two/saved.json") << to_json(base_result());
  paths.push_back((root / "two/saved.json").string());
  std::vector<std::string> labels;
  for (const compare::Run& run : read_runs(paths)) labels.push_back(run.label);
  EXPECT_THAT(labels, ElementsAre("one/8-bit", "two/8-bit", "5-bit", "5-bit#2", "saved"));
}

TEST(ReadRuns, TheFaultsOfAllAreTold) {
  try {
    static_cast<void>(read_runs({"/none/a", "/none/b"}));
    FAIL();
  } catch (const base::UsageError& error) {
    EXPECT_THAT(error.what(),
                AllOf(HasSubstr("/none/a"), HasSubstr("/none/b"), HasSubstr("bitline run --out")));
  }
}

}  // namespace
}  // namespace bitline::compare
