// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "sim/result/csv.h"
#include "tools/compare/compare.h"

namespace bitline::compare {
namespace {

using Json = nlohmann::ordered_json;

Json value(const std::optional<double>& v) {
  return v ? Json(*v) : Json(nullptr);
}

Json list(const Values& values) {
  Json json = Json::array();
  for (const auto& v : values) json.push_back(value(v));
  return json;
}

Json ratios(const Comparison& c, const Values& values) {
  Json json = Json::array();
  for (const auto& v : values) json.push_back(value(ratio(v, values[c.baseline])));
  return json;
}

Json changes(const Comparison& c, const Values& energy) {
  Json json = Json::array();
  for (std::size_t run = 0; run < energy.size(); ++run) json.push_back(energy_change(c, energy, run));
  return json;
}

Json difference(const Difference& row) {
  Json values = Json::array();
  for (const auto& v : row.values) values.push_back(v ? Json(*v) : Json(nullptr));
  Json json = {{"key", row.key}, {"values", std::move(values)}};
  if (!row.sources.empty()) json["sources"] = row.sources;
  return json;
}

const char* kind(Kind k) {
  switch (k) {
    case Kind::quantity:
      return "quantity";
    case Kind::area:
      return "area";
    case Kind::count:
      return "count";
    case Kind::share:
      return "share";
  }
  return "";
}

Json tree(const Comparison& c) {
  Json json = {{"schema", "bitline.compare/1"}, {"baseline", c.runs[c.baseline].label}};
  for (const Run& run : c.runs)
    json["runs"].push_back({{"label", run.label},
                            {"file", run.file},
                            {"network", run.result.provenance.network},
                            {"arch", run.result.provenance.arch},
                            {"mode", run.result.provenance.mode}});
  json["figures"] = Json::array();
  for (const FigureRow& row : c.figures) {
    const Better better = row.figure->better;
    json["figures"].push_back({{"key", row.figure->key},
                               {"label", row.figure->label},
                               {"unit", row.figure->unit},
                               {"kind", kind(row.figure->kind)},
                               {"better", better == Better::lower    ? "lower"
                                          : better == Better::higher ? "higher"
                                                                     : "neither"},
                               {"values", list(row.values)},
                               {"ratios", ratios(c, row.values)}});
  }
  for (const auto* rows : {&c.settings, &c.config}) {
    Json& differences = json[rows == &c.settings ? "settings" : "config"] = Json::array();
    for (const Difference& row : *rows) differences.push_back(difference(row));
  }
  json["components"] = Json::array();
  for (const ComponentRow& row : c.components)
    json["components"].push_back({{"name", row.name},
                                  {"energy_j", list(row.energy)},
                                  {"energy_change", changes(c, row.energy)},
                                  {"area_mm2", list(row.area)}});
  json["layers"] = Json::array();
  for (const LayerRow& row : c.layers)
    json["layers"].push_back({{"name", row.name},
                              {"op", row.op},
                              {"energy_j", list(row.energy)},
                              {"energy_change", changes(c, row.energy)},
                              {"latency_s", list(row.latency)},
                              {"crossbars", list(row.crossbars)},
                              {"adc_bits", row.adc_bits}});
  return json;
}

class Csv {
 public:
  explicit Csv(const Comparison& c) : c_(c) {}
  void add(const char* table, const std::string& name, const char* figure, const Values& values) {
    for (std::size_t run = 0; run < values.size(); ++run)
      row(table, name, figure, run, number(values[run]), number(values[c_.baseline]),
          number(ratio(values[run], values[c_.baseline])));
  }
  void add(const char* table, const Difference& difference) {
    for (std::size_t run = 0; run < difference.values.size(); ++run)
      row(table, difference.key, "value", run, result::csv_cell(difference.values[run].value_or("")),
          result::csv_cell(difference.values[c_.baseline].value_or("")), "");
  }
  [[nodiscard]] const std::string& str() const { return out_; }

 private:
  static std::string number(const std::optional<double>& v) { return v ? fmt::format("{}", *v) : ""; }
  void row(const char* table, const std::string& name, const char* figure, std::size_t run,
           const std::string& value, const std::string& baseline, const std::string& ratio) {
    out_ += fmt::format("{},{},{},{},{},{},{}\n", table, result::csv_cell(name), figure,
                        result::csv_cell(c_.runs[run].label), value, baseline, ratio);
  }
  const Comparison& c_;
  std::string out_ = "table,name,figure,run,value,baseline,ratio\n";
};

}  // namespace

std::string to_json(const Comparison& c) {
  return tree(c).dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string to_csv(const Comparison& c) {
  Csv csv(c);
  for (const FigureRow& row : c.figures) csv.add("figures", row.figure->key, row.figure->key, row.values);
  for (const Difference& row : c.settings) csv.add("settings", row);
  for (const Difference& row : c.config) csv.add("config", row);
  for (const ComponentRow& row : c.components) {
    csv.add("components", row.name, "energy_j", row.energy);
    csv.add("components", row.name, "area_mm2", row.area);
  }
  for (const LayerRow& row : c.layers) {
    csv.add("layers", row.name, "energy_j", row.energy);
    csv.add("layers", row.name, "latency_s", row.latency);
    csv.add("layers", row.name, "crossbars", row.crossbars);
  }
  return csv.str();
}

}  // namespace bitline::compare
