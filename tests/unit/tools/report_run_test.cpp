// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "models/base/errors.h"
#include "models/base/files.h"
#include "sim/result/json.h"
#include "tests/unit/sim/result_sample.h"
#include "tools/report/run_report.h"

namespace bitline::report {
namespace {

using testing::HasSubstr;
using Json = nlohmann::ordered_json;

result::Result sample() {
  return result::sample();
}

TEST(ReportData, HasEveryFigureOfTheResult) {
  const Json result = Json::parse(result::to_json(sample()));
  const Json data = report_data(sample());
  for (const auto& [key, value] : result.items()) {
    if (key == "layers" || key == "accuracy") continue;
    EXPECT_EQ(data[key], value) << key;
  }
  EXPECT_EQ(data["components"], Json({"adc", "edram", "router"}));
  EXPECT_EQ(data["layer_count"], 1);
  EXPECT_EQ(data["layers"]["name"][0], "conv, \"first\"");
  EXPECT_EQ(data["layers"]["energy_j"][0], Json({0.1 + 0.2, 0.2, 0.1, {0.2, 0.1, 0}}));
  EXPECT_EQ(data["layers"]["slices"][0][1], Json({2, 0.5, 31, 5, 100000000, 7}));
  EXPECT_EQ(data["layers"]["stalls_s"][0], Json({1e-7, 2e-7, 3e-7, 4e-7, 5e-7}));
  EXPECT_EQ(data["layers"]["placement"][0], Json({{4, 2, 1}, {7, 1, 0}}));
  EXPECT_EQ(data["layers"]["waits"][0], Json({3, "0za", "10p"}));
  EXPECT_FALSE(data["rounded"].get<bool>());
}

TEST(ReportData, MachinesAreAbsentFromResultsOfOlderVersions) {
  result::Result result = sample();
  result.machine = {};
  result.layers[0].placement.clear();
  result.layers[0].waits.reset();
  EXPECT_EQ(report_data(result)["layers"]["placement"][0], Json::array());
  EXPECT_TRUE(report_data(result)["layers"]["waits"][0].is_null());
  EXPECT_THAT(run_report(result), HasSubstr("</html>"));
}

TEST(ReportData, TheConfusionMatrixIsWhatIsNotZero) {
  result::Result result = sample();
  result.accuracy->confusion = {{3, 0}, {1, 2}};
  EXPECT_EQ(report_data(result)["accuracy"]["confusion"], Json({{0, 0, 3}, {1, 0, 1}, {1, 1, 2}}));
  EXPECT_EQ(report_data(result)["accuracy"]["classes"], 2);
}

TEST(RunReport, IsUnderThreeMegabytesEvenOfThousandsOfLayers) {
  EXPECT_LT(run_report(sample()).size(), 1'300'000U);
  result::Result result = sample();
  result::LayerResult layer = result.layers[0];
  layer.energy.total = 0.1234567890123456;
  for (int i = 0; i < 17; ++i) {
    layer.energy.by_component.emplace_back(std::to_string(i), 1.0 / (3 + i));
    result.energy.by_component.emplace_back(std::to_string(i), 1.0);
  }
  result.layers.assign(3500, layer);
  const Json data = report_data(result);
  EXPECT_TRUE(data["rounded"].get<bool>());
  EXPECT_EQ(data["layers"]["energy_j"][3499][0], 0.123457);
  EXPECT_LT(run_report(result).size(), 3'000'000U);
}

TEST(RunReport, EqualResultsGiveEqualBytes) {
  EXPECT_EQ(run_report(sample()), run_report(sample()));
}

TEST(RunReport, IsWrittenWholeOrNotAtAll) {
  const std::filesystem::path folder = testing::TempDir() + "run-report";
  std::filesystem::create_directories(folder);
  const std::string out = (folder / "never.html").string();
  EXPECT_THROW(write_run_report("/no/such.json", out), base::UsageError);
  EXPECT_FALSE(std::filesystem::exists(out));
  base::write_file_atomically((folder / "result.json").string(), result::to_json(sample()));
  write_run_report(folder.string(), out);
  EXPECT_EQ(base::read_file(out, 1 << 22), run_report(sample()));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace bitline::report
