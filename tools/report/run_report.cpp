// SPDX-License-Identifier: Apache-2.0
#include "tools/report/run_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "models/base/files.h"
#include "sim/result/json.h"
#include "sim/result/read.h"
#include "tools/report/page.h"

namespace bitline::report {
namespace {

using Json = nlohmann::ordered_json;

/// What is left of 3 MB beside ECharts and the scripts.
constexpr std::size_t kMostData = 1'600'000;

Json values_of(const Json& breakdown, const std::vector<std::string>& components) {
  Json out = Json::array();
  for (const std::string& name : components) out.push_back(breakdown.value(name, Json(0)));
  return out;
}

Json slices_of(const Json& slices) {
  Json out = Json::array();
  for (const Json& s : slices)
    out.push_back(
        {s["width"], s["nonzero_ratio"], s["max_column_sum"], s["adc_bits"], s["conversions"], s["clipped"]});
  return out;
}

/// [[tile, crossbars, IMAs], ...]
Json placement_of(const Json& placement) {
  Json out = Json::array();
  const Json& tiles = placement.at("tiles");
  for (std::size_t i = 0; i < tiles.size(); ++i)
    out.push_back({tiles[i], placement.at("crossbars").at(i), placement.at("imas").at(i)});
  return out;
}

Json column_of(const std::string& key, const Json& value, const std::vector<std::string>& components) {
  if (key == "slices") return slices_of(value);
  if (key == "placement") return placement_of(value);
  if (key == "energy_j")
    return {value["total"], value["dynamic"], value["static"], values_of(value["by_component"], components)};
  if (key == "stalls_s")
    return {value["input"], value["output"], value.value("bus", 0.0), value.value("noc", 0.0),
            value.value("adc", 0.0)};
  if (key == "waits") return {value["first_bin"], value["input"], value["output"]};
  return value;
}

/// Columns instead of objects: the names of hundreds of keys are not repeated for thousands of layers.
Json layers_of(const Json& layers, const std::vector<std::string>& components) {
  constexpr const char* kKeys[] = {"name",         "op",        "crossbars", "replicas",         "rows",
                                   "cols",         "imas",      "tiles",     "cell_utilization", "slices",
                                   "start_s",      "latency_s", "busy_s",    "stalls_s",         "energy_j",
                                   "operators",    "inputs",    "macs",      "bus_bytes",        "placement",
                                   "zero_weights", "waits"};
  Json out = Json::object();
  for (const char* key : kKeys) {
    Json& column = out[key] = Json::array();
    for (const Json& layer : layers)
      column.push_back(layer.contains(key) ? column_of(key, layer[key], components)
                                           : Json(nullptr));  // waits, in mode analytic
  }
  return out;
}

/// [[label, predicted, images], ...] where images is not 0.
Json sparse(const Json& confusion) {
  Json out = Json::array();
  for (std::size_t label = 0; label < confusion.size(); ++label)
    for (std::size_t predicted = 0; predicted < confusion[label].size(); ++predicted)
      if (confusion[label][predicted] != 0) out.push_back({label, predicted, confusion[label][predicted]});
  return out;
}

void round_numbers(Json& json) {
  if (json.is_number_float()) json = std::stod(fmt::format("{:.5e}", json.get<double>()));
  if (json.is_structured())
    for (Json& child : json) round_numbers(child);
}

std::string file_name(const std::string& path) {
  return std::filesystem::path(path).filename().string();
}

}  // namespace

Json report_data(const result::Result& tree) {
  const Json result = Json::parse(result::to_json(tree));
  std::vector<std::string> components;
  for (const char* of : {"energy_j", "area_mm2"})
    for (const auto& [name, value] : result[of]["by_component"].items())
      if (std::find(components.begin(), components.end(), name) == components.end())
        components.push_back(name);
  Json data = result;
  data["components"] = components;
  data["layers"] = layers_of(result["layers"], components);
  data["layer_count"] = result["layers"].size();
  if (result.contains("accuracy") && result["accuracy"].contains("confusion")) {
    data["accuracy"]["classes"] = result["accuracy"]["confusion"].size();
    data["accuracy"]["confusion"] = sparse(result["accuracy"]["confusion"]);
  }
  data["rounded"] = false;
  if (data.dump(-1, ' ', false, Json::error_handler_t::replace).size() > kMostData) {
    round_numbers(data);
    data["rounded"] = true;
  }
  return data;
}

std::string run_report(const result::Result& result) {
  const result::Provenance& from = result.provenance;
  const std::string network = file_name(from.network);
  const std::string machine = file_name(from.arch);
  const std::string stem = std::filesystem::path(network).stem().string();
  const Page page = {fmt::format("{} on {}", stem, std::filesystem::path(machine).stem().string()),
                     stem,
                     fmt::format("{} on {}, mode {}, Bitline {}", network, machine, from.mode, from.version),
                     {"report.css"},
                     {"report-model.js", "report-summary.js", "report-energy.js", "report-area.js",
                      "report-floor.js", "report-time.js", "report-limits.js", "report-slices.js",
                      "report-network.js", "report-config.js", "report.js"}};
  return html(page, report_data(result));
}

void write_run_report(const std::string& run, const std::string& out) {
  base::write_file_atomically(out, run_report(result::read_result(run)));
}

}  // namespace bitline::report
