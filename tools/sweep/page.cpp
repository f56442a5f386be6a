// SPDX-License-Identifier: Apache-2.0
#include "tools/sweep/page.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "tools/report/page.h"

namespace bitline::sweep {
namespace {

/// An axis: numbers where all its values are, else texts.
Json axis_column(const Plan& plan, std::size_t a) {
  const auto is_number = [&](const Point& p) { return !p.settings[a] || p.settings[a]->number; };
  const bool numbers = std::all_of(plan.points.begin(), plan.points.end(), is_number);
  Json values = Json::array();
  for (const Point& point : plan.points) {
    const SettingPtr& setting = point.settings[a];
    values.push_back(!setting ? Json(nullptr) : numbers ? Json(*setting->number) : Json(setting->text));
  }
  const Axis& axis = plan.spec.axes[a];
  return {{"name", axis.column()}, {"axis", true}, {"number", numbers}, {"values", std::move(values)}};
}

/// A figure of all points; null where a point has none.
Json figure_column(const Records& records, const Figure& figure) {
  Json values = Json::array();
  for (const auto& record : records)
    values.push_back(record && record->contains("figures")
                         ? (*record)["figures"].value(figure.name, Json(nullptr))
                         : Json(nullptr));
  return {{"name", figure.name},
          {"axis", false},
          {"number", true},
          {"about", figure.doc},
          {"values", std::move(values)}};
}

bool is_empty(const Json& column) {
  return std::all_of(column["values"].begin(), column["values"].end(),
                     [](const Json& v) { return v.is_null(); });
}

}  // namespace

Json page_data(const Plan& plan, const Records& records, const Front& front,
               const std::vector<bool>& reports) {
  Json data = {{"points", Json::array()}, {"columns", Json::array()}, {"objectives", Json::array()},
               {"front", Json::array()},  {"reports", Json::array()}, {"errors", Json::array()}};
  for (const Point& point : plan.points) data["points"].push_back(point.id);
  for (std::size_t a = 0; a < plan.spec.axes.size(); ++a) data["columns"].push_back(axis_column(plan, a));
  for (const Figure& figure : all_figures())
    if (Json column = figure_column(records, figure); !is_empty(column))
      data["columns"].push_back(std::move(column));
  for (const Objective& objective : front.objectives)
    data["objectives"].push_back({{"figure", objective.figure}, {"maximise", objective.maximise}});
  for (std::size_t p = 0; p < records.size(); ++p) {
    if (front.is_member[p]) data["front"].push_back(p);
    if (reports[p]) data["reports"].push_back(p);
    if (records[p] && records[p]->contains("error"))
      data["errors"].push_back({p, (*records[p])["error"]["kind"], (*records[p])["error"]["message"]});
  }
  return data;
}

std::string page(const Plan& plan, const Records& records, const Front& front,
                 const std::vector<bool>& reports) {
  const std::string stem = std::filesystem::path(plan.spec.file).stem().string();
  const auto failed = std::count_if(records.begin(), records.end(),
                                    [](const auto& record) { return record && record->contains("error"); });
  std::string about = fmt::format("{} points by {}", plan.points.size(), to_string(plan.spec.method));
  if (failed > 0) about += fmt::format(", {} failed", failed);
  return report::html({.title = "Sweep " + stem,
                       .stem = stem,
                       .about = about,
                       .styles = {"sweep.css"},
                       .scripts = {"sweep.js"}},
                      page_data(plan, records, front, reports));
}

}  // namespace bitline::sweep
