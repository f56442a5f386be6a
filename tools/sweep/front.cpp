// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "models/base/errors.h"
#include "tools/sweep/pareto.h"
#include "tools/sweep/table.h"

namespace bitline::sweep {
namespace {

const Json* figure_of(const std::optional<Json>& record, const std::string& name) {
  if (!record || !record->contains("figures")) return nullptr;
  const Json& figures = (*record)["figures"];
  const auto found = figures.find(name);
  return found == figures.end() || found->is_null() ? nullptr : &*found;
}

bool any_has(const Records& records, const std::string& name) {
  return std::any_of(records.begin(), records.end(),
                     [&](const auto& record) { return figure_of(record, name) != nullptr; });
}

}  // namespace

Front find_front(const Records& records, const std::vector<std::string>& objectives) {
  std::vector<std::string> texts = objectives;
  if (texts.empty()) {
    texts = {"energy_j", "latency_s", "area_mm2"};
    if (any_has(records, "top1")) texts.insert(texts.begin(), "top1");
  }
  Front front;
  front.objectives = read_objectives(texts, "--objectives");
  front.is_candidate.resize(records.size());
  front.is_member.resize(records.size());
  const bool any = std::any_of(records.begin(), records.end(),
                               [](const auto& record) { return record && record->contains("figures"); });
  for (const Objective& objective : front.objectives)
    if (any && !any_has(records, objective.figure))
      throw base::UsageError(base::Problem{
          "--objectives", "no point has " + objective.figure, "",
          objective.figure.find("top") == 0 ? "accuracies need input and labels" : "choose another figure"});
  std::vector<std::vector<double>> values;
  std::vector<std::size_t> points;
  for (std::size_t p = 0; p < records.size(); ++p) {
    std::vector<double> row;
    for (const Objective& objective : front.objectives)
      if (const Json* value = figure_of(records[p], objective.figure))
        row.push_back(objective.maximise ? -value->get<double>() : value->get<double>());
    if (row.size() < front.objectives.size()) continue;
    front.is_candidate[p] = true;
    points.push_back(p);
    values.push_back(std::move(row));
  }
  const std::vector<bool> members = pareto_front(values);
  for (std::size_t i = 0; i < points.size(); ++i) front.is_member[points[i]] = members[i];
  return front;
}

}  // namespace bitline::sweep
