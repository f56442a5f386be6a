// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

#include "sim/result/csv.h"
#include "sim/result/json.h"
#include "sim/result/profile.h"
#include "sim/result/report.h"
#include "sim/result/timeline.h"
#include "tests/unit/sim/result_sample.h"

namespace bitline::result {
namespace {

using Json = nlohmann::ordered_json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::vector<std::string> lines(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> out;
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

TEST(ResultJson, TopLevelKeysAreThoseOfTheContractInOrder) {
  const Json json = Json::parse(to_json(sample()));
  std::vector<std::string> keys;
  for (const auto& item : json.items()) keys.push_back(item.key());
  EXPECT_THAT(keys, ElementsAre("schema", "latency_s", "cycles", "throughput_ips", "energy_j", "chips",
                                "area_mm2", "power_w", "macs", "tops", "tops_per_w", "tops_per_mm2", "adc",
                                "crossbars", "noc", "reprogramming", "machine", "parts", "waits_bin_s",
                                "layers", "accuracy", "provenance", "wall_time_s"));
  EXPECT_EQ(json["schema"], "bitline.result/1");
}

TEST(ResultJson, DoublesSurviveARoundTrip) {
  const Result r = sample();
  const Json json = Json::parse(to_json(r));
  EXPECT_EQ(json["energy_j"]["total"].get<double>(), 0.1 + 0.2);
  EXPECT_EQ(json["tops_per_mm2"].get<double>(), 1.0 / 7.0);
  EXPECT_EQ(json["latency_s"]["interval"].get<double>(), 1e-6);
  EXPECT_EQ(json["adc"]["conversions"].get<std::int64_t>(), 123456789);
}

TEST(ResultJson, EnergyCarriesItsStaticShareUnderTheContractsKey) {
  const Json json = Json::parse(to_json(sample()));
  EXPECT_EQ(json["energy_j"]["static"].get<double>(), 0.1);
  EXPECT_EQ(json["layers"][0]["energy_j"]["by_component"]["edram"].get<double>(), 0.1);
  EXPECT_EQ(json["layers"][0]["stalls_s"]["output"].get<double>(), 2e-7);
  EXPECT_EQ(json["layers"][0]["stalls_s"]["bus"].get<double>(), 3e-7);
  EXPECT_EQ(json["layers"][0]["stalls_s"]["noc"].get<double>(), 4e-7);
  EXPECT_EQ(json["layers"][0]["stalls_s"]["adc"].get<double>(), 5e-7);
  EXPECT_EQ(json["noc"]["placement"], "snake");
  EXPECT_EQ(json["noc"]["bytes"], 12345);
  EXPECT_EQ(json["noc"]["hop_bytes"], 67890);
  EXPECT_EQ(json["noc"]["between_chips"], 543);
  EXPECT_EQ(json["chips"], 2);
  EXPECT_EQ(json["reprogramming"]["phases"], 2);
  EXPECT_EQ(json["reprogramming"]["write_latency_s"].get<double>(), 5e-6);
  EXPECT_EQ(json["reprogramming"]["lifetime_s"].get<double>(), 1500);
  EXPECT_EQ(json["parts"][0]["name"], "bus");
  EXPECT_EQ(json["parts"][0]["busiest"].get<double>(), 0.5);
  EXPECT_EQ(json["parts"][0]["stalls"], 7);
  EXPECT_EQ(json["layers"][0]["slices"][1]["clipped"].get<int>(), 7);
}

TEST(ResultJson, WhereALayerLiesAndWhenItWaits) {
  Result r = sample();
  Json json = Json::parse(to_json(r));
  const Json layer = json["layers"][0];
  EXPECT_EQ(layer["operators"], Json({"conv 3x3", "relu"}));
  EXPECT_EQ(layer["inputs"], Json({0}));
  EXPECT_EQ(layer["macs"], 100);
  EXPECT_EQ(layer["bus_bytes"].get<double>(), 12.5);
  EXPECT_EQ(layer["placement"]["tiles"], Json({4, 7}));
  EXPECT_EQ(layer["placement"]["crossbars"], Json({2, 1}));
  EXPECT_EQ(layer["placement"]["imas"], Json({1, 0}));
  EXPECT_EQ(layer["waits"], Json({{"first_bin", 3}, {"input", "0za"}, {"output", "10p"}}));
  EXPECT_EQ(json["waits_bin_s"].get<double>(), 1e-8);
  EXPECT_EQ(json["machine"]["tiles"], 168);
  EXPECT_EQ(json["machine"]["mesh_width"], 14);
  EXPECT_EQ(json["machine"]["tile_imas"], 12);
  EXPECT_EQ(json["machine"]["ima_crossbars"], 8);
  EXPECT_EQ(json["machine"]["tile_macs_per_s"].get<double>(), 1.5e12);
  EXPECT_EQ(json["machine"]["tile_bytes_per_s"].get<double>(), 2.5e9);
  r.waits_bin.reset();
  r.layers[0].waits.reset();
  json = Json::parse(to_json(r));
  EXPECT_TRUE(json["waits_bin_s"].is_null());
  EXPECT_FALSE(json["layers"][0].contains("waits"));
}

TEST(ResultJson, WhatZerosTookOffTheCrossbars) {
  Result r = sample();
  const Json layer = Json::parse(to_json(r))["layers"][0];
  EXPECT_EQ(layer["zero_weights"].get<double>(), 0.125);
  EXPECT_EQ(layer["pruned"]["rows_before"], 36);
  EXPECT_EQ(layer["pruned"]["cols_before"], 24);
  EXPECT_EQ(layer["pruned"]["crossbars_before"], 6);
  EXPECT_EQ(layer["pruned"]["nearly_empty"]["rows"], 2);
  EXPECT_EQ(layer["pruned"]["nearly_empty"]["columns"], 1);
  EXPECT_EQ(layer["pruned"]["nearly_empty"]["weights"], 9);
  EXPECT_EQ(layer["pruned"]["nearly_empty"]["crossbars_without"], 2);
  r.layers[0].pruned.reset();
  EXPECT_FALSE(Json::parse(to_json(r))["layers"][0].contains("pruned"));
}

TEST(ResultJson, AccuracyIsAbsentWithoutLabels) {
  Result r = sample();
  r.accuracy.reset();
  EXPECT_FALSE(Json::parse(to_json(r)).contains("accuracy"));
}

TEST(ResultJson, AFigureWithoutMeaningIsNullAndNeverInfinite) {
  Result r = sample();
  r.tops_per_w.reset();
  EXPECT_TRUE(Json::parse(to_json(r))["tops_per_w"].is_null());
  r.power_w = std::numeric_limits<double>::infinity();
  EXPECT_THROW((void)to_json(r), std::logic_error);
  r.power_w = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THROW((void)to_json(r), std::logic_error);
}

TEST(ResultJson, NamesThatAreNotUtf8StayValidJson) {
  Result r = sample();
  r.provenance.network = "a\xff.onnx";
  EXPECT_EQ(Json::parse(to_json(r))["provenance"]["network"], "a\xEF\xBF\xBD.onnx");
}

/// Student's t of the 97.5th percentile from the tables: 12.706 at one degree of freedom, 2.262 at nine.
TEST(ResultSpread, HasTheConfidenceIntervalOfStudentsT) {
  const Spread two = spread_of({0.9, 0.8});
  EXPECT_DOUBLE_EQ(two.mean, 0.85);
  EXPECT_NEAR(two.deviation.value(), 0.1 / std::sqrt(2.0), 1e-15);
  EXPECT_NEAR(two.high.value() - two.mean, 12.706 * 0.05, 1e-4);
  EXPECT_NEAR(two.mean - two.low.value(), 12.706 * 0.05, 1e-4);
  std::vector<double> ten;
  for (int i = 0; i < 10; ++i) ten.push_back(i);
  const Spread spread = spread_of(ten);
  EXPECT_NEAR(spread.deviation.value(), std::sqrt(82.5 / 9), 1e-12);
  EXPECT_NEAR(spread.high.value() - 4.5, 2.262 * std::sqrt(82.5 / 9) / std::sqrt(10.0), 1e-3);
}

TEST(ResultSpread, OneChipHasNoInterval) {
  const Spread one = spread_of({0.5});
  EXPECT_EQ(one.mean, 0.5);
  EXPECT_FALSE(one.deviation || one.low || one.high);
  EXPECT_THROW((void)spread_of({}), std::logic_error);
}

TEST(ResultJson, ChipsAreListedOneByOneAndTogether) {
  EXPECT_FALSE(Json::parse(to_json(sample())).contains("device"));
  const Json device = Json::parse(to_json(device_sample()))["device"];
  EXPECT_EQ(device["effects"], Json({"device.variation", "adc.errors"}));
  EXPECT_EQ(device["fault_map_sha256"], std::string(64, 'c'));
  EXPECT_EQ(device["ideal_top1"], 0.975);
  EXPECT_DOUBLE_EQ(device["top1"]["mean"].get<double>(), 0.85);
  EXPECT_DOUBLE_EQ(device["output_rms_error"]["mean"].get<double>(), 0.2);
  EXPECT_DOUBLE_EQ(device["column_sum_rms_error"]["mean"].get<double>(), 0.375);
  EXPECT_EQ(device["top1"]["ci95"].size(), 2U);
  EXPECT_EQ(device["layers"][0]["column_sum_rms_error"], 0.4);
  EXPECT_EQ(device["chips"][1], Json({{"seed", 5},
                                      {"stuck_cells", 12},
                                      {"column_sum_rms_error", 0.25},
                                      {"output_rms_error", 0.3},
                                      {"top1", 0.8}}));
}

TEST(ResultJson, OneChipWithoutLabelsHasNoAccuracyAndNoInterval) {
  Result r = device_sample();
  r.device->chips = {{4, 0, 0.5, 0.1, {}}};
  r.device->ideal_top1.reset();
  r.device->fault_map_sha256.clear();
  const Json device = Json::parse(to_json(r))["device"];
  EXPECT_FALSE(device.contains("top1") || device.contains("ideal_top1") ||
               device.contains("fault_map_sha256"));
  EXPECT_FALSE(device["chips"][0].contains("top1"));
  EXPECT_TRUE(device["output_rms_error"]["ci95"].is_null());
  EXPECT_TRUE(device["output_rms_error"]["deviation"].is_null());
}

TEST(ResultCsv, LayersHaveOneRowEachAndAColumnPerComponent) {
  const auto rows = lines(layers_csv(sample()));
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_THAT(rows[0], StartsWith("name,op,crossbars,"));
  EXPECT_THAT(rows[0], ::testing::EndsWith("energy_j,dynamic_j,static_j,adc_j,edram_j"));
  EXPECT_EQ(rows[1],
            "\"conv, \"\"first\"\"\",conv,3,1,27,16,1,1,0.5,4/5,123456789,7,1e-07,2.5e-06,2e-06,1e-07,2e-07,"
            "3e-07,4e-07,5e-07,100,12.5,0.30000000000000004,0.2,0.1,0.2,0.1");
}

TEST(ResultCsv, ComponentsJoinEnergyAndAreaAndEndWithTheTotal) {
  EXPECT_THAT(lines(components_csv(sample())),
              ElementsAre("component,energy_j,area_mm2", "adc,0.2,3", "edram,0.1,0", "router,0,0.5",
                          "total,0.30000000000000004,3.5"));
}

TEST(ResultCsv, ChipsHaveOneRowEach) {
  DeviceResult device = *device_sample().device;
  device.chips[1].top1.reset();
  EXPECT_THAT(lines(chips_csv(device)),
              ElementsAre("seed,stuck_cells,column_sum_rms_error,output_rms_error,top1", "4,10,0.5,0.1,0.9",
                          "5,12,0.25,0.3,"));
}

TEST(ResultTimeline, BarsLieWhereLayersWereAtWork) {
  Result r = sample();
  r.latency.total = 4e-6;
  r.layers[0].start = 1e-6;
  r.layers[0].latency = 2e-6;
  r.layers[0].stalls = {3e-7, 2e-7, 9, 9, 9};  // waits of its packets are no time without work
  EXPECT_THAT(timeline(r),
              HasSubstr("|            " + std::string(25, '#') + std::string(13, ' ') + "|  75.0 %\n"));
  r.layers[0].latency = 1e-12;  // still one column
  EXPECT_THAT(timeline(r), HasSubstr("|            #" + std::string(37, ' ') + "|"));
  r.layers[0].start = 4e-6;
  r.layers[0].name = std::string(300, 'x');
  EXPECT_THAT(timeline(r), HasSubstr("#|"));
  for (const std::string& line : lines(timeline(r))) EXPECT_LE(line.size(), 80U) << line;
}

TEST(ResultProfile, SharesAndEventsPerSecond) {
  const std::string text = profile_table({{{"engine", 0.03}, {"SystemC", 0.01}}, 2'000'000, 0.01});
  EXPECT_THAT(text, HasSubstr("engine    30.00 ms   75.0 %"));
  EXPECT_THAT(text, HasSubstr("total     40.00 ms  100.0 %"));
  EXPECT_THAT(text, HasSubstr("2 000 000 events, 200.0 Mevents/s"));
}

TEST(ResultReport, FitsEightyColumns) {
  Result r = sample();
  r.layers[0].name = std::string(300, 'x');
  r.layers[0].op = "global_average_pool";
  r.layers[0].latency = r.layers[0].stalls.input = r.layers[0].stalls.output = 0.1234;
  r.layers[0].energy.total = r.energy.total = 0.1234;
  for (int bits : {11, 13, 9, 10}) r.layers[0].slices.push_back({2, 0.5, 1 << bits, bits, 1, 0});
  r.layers[0].slices.erase(r.layers[0].slices.begin(), r.layers[0].slices.begin() + 2);
  r.layers[0].crossbars = 12345;
  r.provenance.network = std::string(300, 'n') + ".onnx";
  for (const std::string& line : lines(report(r))) EXPECT_LE(line.size(), 80U) << line;
}

TEST(ResultReport, SaysWhatEachFigureIs) {
  Result r = sample();
  const std::string text = report(r);
  EXPECT_THAT(text, HasSubstr("accuracy, top-1     97.50 %  (float32 98.00 %; 360 images)"));
  EXPECT_THAT(text, HasSubstr("latency of an image 2.000 us  (the first)"));
  EXPECT_THAT(text, HasSubstr("energy per image    300.0 mJ  (dynamic 200.0 mJ, static 100.0 mJ)"));
  EXPECT_THAT(text, HasSubstr("3.5 mm2  (2 chips, 543 B an image between them)"));
  EXPECT_THAT(text, HasSubstr("3 in 2 phases on 16 128, 50.0 % of their cells"));
  EXPECT_THAT(text, HasSubstr("phases              2; 256 B an image stored for later phases"));
  EXPECT_THAT(text, HasSubstr("writing             5.000 us, 3.000 uJ, 4 096 cells  (once for 2 images)"));
  EXPECT_THAT(text, HasSubstr("wear                2 writes of a cell, 1e+09 make it last 1.500 ks"));
  EXPECT_THAT(text, HasSubstr("network on chip     12 345 B an image, 67 890 hop-bytes  (snake)"));
  EXPECT_THAT(text, HasSubstr("123 456 789, 7 clipped, 11 gated  (2 images)"));
  r.gated = 0;
  EXPECT_THAT(report(r), HasSubstr("123 456 789, 7 clipped  (2 images)"));
  EXPECT_THAT(text, HasSubstr("bus      2  25.0 %   50.0 %       100    7.0 %"));
}

TEST(ResultReport, SaysWhatChipsMakeOfIt) {
  const std::string text = report(device_sample());
  EXPECT_THAT(text, HasSubstr("not ideal           variation, adc.errors\n"));
  EXPECT_THAT(text, HasSubstr("  ideal, top-1      97.50 %\n"));
  EXPECT_THAT(text, HasSubstr("  chips, top-1      85.00 +- 63.53 %  (2 chips)\n"));
  EXPECT_THAT(text, HasSubstr("  outputs           20.00 +- 127.06 % rms error of the ideal outputs' rms\n"));
  EXPECT_THAT(text, HasSubstr("  column sums       0.375 rms error, in steps of a level\n"));
  for (const std::string& line : lines(text)) EXPECT_LE(line.size(), 80U) << line;
}

TEST(ResultReport, OneChipAndOnePhaseAreNotWorthALine) {
  Result r = sample();
  r.chips = 1;
  r.reprogramming.reset();
  EXPECT_THAT(report(r), HasSubstr("crossbars           3 of 16 128 used, 50.0 % of their cells\n"));
  EXPECT_THAT(report(r), HasSubstr("3.5 mm2\n"));
  EXPECT_THAT(report(r), ::testing::Not(HasSubstr("phases")));
}

TEST(ResultReport, OneStreamedImageHasNoInterval) {
  Result r = sample();
  r.provenance.images_streamed = 1;
  EXPECT_THAT(report(r), ::testing::Not(HasSubstr("interval")));
}

}  // namespace
}  // namespace bitline::result
