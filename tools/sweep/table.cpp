// SPDX-License-Identifier: Apache-2.0
#include "tools/sweep/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "sim/result/result.h"

namespace bitline::sweep {
namespace {

std::string quoted(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  if (text.find_first_of(",\"\r") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

std::string cell_of(const SettingPtr& setting) {
  if (!setting) return "";
  return setting->number ? fmt::format("{}", *setting->number) : quoted(setting->text);
}

const char* mark(const Front& front, std::size_t point) {
  return !front.is_candidate[point] ? "" : front.is_member[point] ? "1" : "0";
}

}  // namespace

std::string results_csv(const Plan& plan, const Records& records, const Front& front) {
  std::string out = "point";
  auto to = std::back_inserter(out);
  for (const Axis& axis : plan.spec.axes) fmt::format_to(to, ",{}", quoted(axis.column()));
  for (const Figure& figure : all_figures()) fmt::format_to(to, ",{}", figure.name);
  out += ",front,error_kind,error\n";
  for (std::size_t p = 0; p < records.size(); ++p) {
    out += plan.points[p].id;
    for (const SettingPtr& setting : plan.points[p].settings) fmt::format_to(to, ",{}", cell_of(setting));
    const Json record = records[p].value_or(Json::object());
    const Json figures = record.value("figures", Json::object());
    for (const Figure& figure : all_figures()) {
      const Json value = figures.value(figure.name, Json(nullptr));
      fmt::format_to(to, ",{}", value.is_null() ? "" : fmt::format("{}", value.get<double>()));
    }
    const Json error = record.value("error", Json::object());
    fmt::format_to(to, ",{},{},{}\n", mark(front, p), error.value("kind", ""),
                   quoted(error.value("message", "")));
  }
  return out;
}

std::string results_json(const Plan& plan, const Records& records, const Front& front) {
  Json json = {{"schema", "bitline.sweep/1"},           {"version", result::version()},
               {"method", to_string(plan.spec.method)}, {"axes", Json::array()},
               {"objectives", Json::array()},           {"points", Json::array()}};
  for (const Axis& axis : plan.spec.axes)
    json["axes"].push_back({{"name", axis.name}, {"column", axis.column()}});
  for (const Objective& objective : front.objectives)
    json["objectives"].push_back(
        {{"figure", objective.figure}, {"direction", objective.maximise ? "max" : "min"}});
  for (std::size_t p = 0; p < records.size(); ++p) {
    Json point = describe(plan.spec, plan.points[p]);
    if (records[p]) point.update(*records[p]);
    if (front.is_candidate[p]) point["front"] = static_cast<bool>(front.is_member[p]);
    json["points"].push_back(std::move(point));
  }
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace bitline::sweep
