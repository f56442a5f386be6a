// SPDX-License-Identifier: Apache-2.0
#include "sim/result/read.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>

#include "models/base/errors.h"
#include "result_sample.h"
#include "sim/result/json.h"

namespace bitline::result {
namespace {

using Json = nlohmann::ordered_json;
using ::testing::AllOf;
using ::testing::HasSubstr;

Result every_figure() {
  Result r = device_sample();
  r.grouped = Grouped{"packed", 2, 8, 30};
  r.estimate = Estimate{"given", {{"cells", 0.25}}, 0.01, 0.02, 0.03};
  r.accuracy->confusion = {{3, 1}, {0, 4}};
  r.tops_per_mm2.reset();
  r.layers.front().slices.front().nonzero_ratio.reset();
  r.layers.front().slices.front().max_column_sum.reset();
  return r;
}

std::string message(const std::string& text) {
  try {
    static_cast<void>(from_json(text, "a.json"));
  } catch (const base::UsageError& error) {
    return error.what();
  }
  return "";
}

std::string changed(const std::function<void(Json&)>& change) {
  Json json = Json::parse(to_json(every_figure()));
  change(json);
  return json.dump();
}

TEST(ReadResult, GivesBackWhatWasWritten) {
  for (const Result& r : {sample(), device_sample(), every_figure()})
    EXPECT_EQ(to_json(from_json(to_json(r), "a.json")), to_json(r));
}

TEST(ReadResult, LeavesUnknownKeysOut) {
  const std::string text = changed([](Json& json) { json["later"] = 1; });
  EXPECT_EQ(to_json(from_json(text, "a.json")), to_json(every_figure()));
}

/// Every key that the writer writes is needed, apart from those that the schema calls optional.
TEST(ReadResult, EveryKeyIsRead) {
  const Json json = Json::parse(to_json(every_figure()));
  for (const auto& [key, value] : json.items()) {
    const bool optional = key == "reprogramming" || key == "estimate" || key == "accuracy" ||
                          key == "device" || key == "machine" || key == "waits_bin_s";
    const std::string text = changed([&](Json& j) { j.erase(key); });
    if (optional)
      EXPECT_NE(to_json(from_json(text, "a.json")), to_json(every_figure())) << key;
    else
      EXPECT_THAT(message(text),
                  AllOf(HasSubstr("a.json"), HasSubstr(key == "schema" ? "no schema" : "a.json: " + key)))
          << key;
  }
}

TEST(ReadResult, NamesEveryFault) {
  const std::string text = changed([](Json& json) {
    json["latency_s"]["image"] = "fast";
    json["cycles"] = -1;
    json["energy_j"].erase("static");
    json["layers"][0]["rows"] = 1.5;
    json["layers"][0]["imas"] = 9223372036854775808ULL;
    json["parts"] = 3;
  });
  EXPECT_THAT(message(text),
              AllOf(HasSubstr("a.json: latency_s.image: is \"fast\"; allowed: a number from 0 on"),
                    HasSubstr("a.json: cycles: is -1; allowed: a whole number from 0 on"),
                    HasSubstr("a.json: energy_j.static: is missing"), HasSubstr("layers[0].rows"),
                    HasSubstr("layers[0].imas: is 9223372036854775808; allowed: a whole number below 2^63"),
                    HasSubstr("a.json: parts: is 3; allowed: a list"), HasSubstr("bitline run --out")));
}

TEST(ReadResult, APlacementOrWaitsThatDoNotFitTogetherAreFaults) {
  const std::string text = changed([](Json& json) {
    json["layers"][0]["placement"]["crossbars"].push_back(1);
    json["layers"][0]["waits"]["input"] = "0Z!";
  });
  EXPECT_THAT(message(text),
              AllOf(HasSubstr("layers[0].placement: "), HasSubstr("as many crossbars and imas as tiles"),
                    HasSubstr("layers[0].waits.input: is \"0Z!\"; allowed: digits of base 36")));
}

TEST(ReadResult, RefusesWhatIsNoResult) {
  EXPECT_THAT(message("{"), HasSubstr("is no JSON"));
  EXPECT_THAT(message("[1]"), HasSubstr("has no schema"));
  EXPECT_THAT(message(R"({"schema": "bitline.adc/1"})"),
              AllOf(HasSubstr("'bitline.adc/1'"), HasSubstr("allowed: bitline.result/1")));
  EXPECT_THAT(message(R"({"schema": "bitline.result/1"})"), HasSubstr("latency_s: is missing"));
  EXPECT_THAT(message(R"({"schema": "bitline.result/1", "cycles": 1e999})"), HasSubstr("is no JSON"));
}

TEST(ReadResult, TakesTheFileOrItsFolder) {
  const std::filesystem::path folder = std::filesystem::path(testing::TempDir()) / "read-result";
  std::filesystem::create_directories(folder);
  std::filesystem::remove(folder / "result.json");
  EXPECT_THROW(static_cast<void>(read_result(folder.string())), base::UsageError);
  std::ofstream(folder / "result.json") << to_json(sample());
  EXPECT_EQ(to_json(read_result(folder.string())), to_json(sample()));
  EXPECT_EQ(to_json(read_result((folder / "result.json").string())), to_json(sample()));
  EXPECT_THROW(static_cast<void>(read_result((folder / "none.json").string())), base::UsageError);
}

}  // namespace
}  // namespace bitline::result
