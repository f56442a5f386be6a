// SPDX-License-Identifier: Apache-2.0
#include "tools/sweep/figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "models/base/errors.h"

namespace bitline::sweep {
namespace {

using result::Result;
using Value = std::optional<double>;

constexpr double number(std::int64_t n) {
  return static_cast<double>(n);
}

constexpr std::array kFigures{
    Figure{"latency_s", false, "of the first image",
           [](const Result& r) -> Value { return r.latency.image; }},
    Figure{"interval_s", false, "between images",
           [](const Result& r) -> Value { return r.latency.interval; }},
    Figure{"total_s", false, "of all streamed images",
           [](const Result& r) -> Value { return r.latency.total; }},
    Figure{"cycles", false, "of chip.clock", [](const Result& r) -> Value { return number(r.cycles); }},
    Figure{"throughput_ips", true, "images per second",
           [](const Result& r) -> Value { return r.throughput_ips; }},
    Figure{"energy_j", false, "per image", [](const Result& r) -> Value { return r.energy.total; }},
    Figure{"energy_dynamic_j", false, "of it, actions",
           [](const Result& r) -> Value { return r.energy.dynamic; }},
    Figure{"energy_static_j", false, "of it, static power",
           [](const Result& r) -> Value { return r.energy.fixed; }},
    Figure{"edp_js", false, "energy x latency of an image",
           [](const Result& r) -> Value { return r.energy.total * r.latency.image; }},
    Figure{"power_w", false, "mean over the run", [](const Result& r) -> Value { return r.power_w; }},
    Figure{"area_mm2", false, "of the whole chip", [](const Result& r) -> Value { return r.area_mm2; }},
    Figure{"tops", true, "1e12 operations per second", [](const Result& r) -> Value { return r.tops; }},
    Figure{"tops_per_w", true, "", [](const Result& r) -> Value { return r.tops_per_w; }},
    Figure{"tops_per_mm2", true, "", [](const Result& r) -> Value { return r.tops_per_mm2; }},
    Figure{"adc_conversions", false, "of all streamed images",
           [](const Result& r) -> Value { return number(r.conversions); }},
    Figure{"adc_clipped", false, "of them, beyond the converter's range",
           [](const Result& r) -> Value { return number(r.clipped); }},
    Figure{"crossbars", false, "used", [](const Result& r) -> Value { return number(r.crossbars_used); }},
    Figure{"crossbars_available", true, "on the chip",
           [](const Result& r) -> Value { return number(r.crossbars_available); }},
    Figure{"cell_utilization", true, "share of their cells",
           [](const Result& r) -> Value { return r.cell_utilization; }},
    Figure{"chips", false, "used", [](const Result& r) -> Value { return number(r.chips); }},
    Figure{"noc_hop_bytes", false, "of an image",
           [](const Result& r) -> Value { return number(r.noc.hop_bytes); }},
    Figure{"top1", true, "accuracy, of the mean chip where there are several",
           [](const Result& r) -> Value {
             if (r.device && r.device->ideal_top1) return r.device->top1().mean;
             return r.accuracy ? Value(r.accuracy->top1) : std::nullopt;
           }},
    Figure{"top5", true, "accuracy",
           [](const Result& r) -> Value { return r.accuracy ? Value(r.accuracy->top5) : std::nullopt; }},
    Figure{"float_top1", true, "accuracy of the float32 network", [](const Result& r) -> Value {
             return r.accuracy ? Value(r.accuracy->float_top1) : std::nullopt;
           }}};

const Figure* find(const std::string& name) {
  const auto* found =
      std::find_if(kFigures.begin(), kFigures.end(), [&](const Figure& f) { return name == f.name; });
  return found == kFigures.end() ? nullptr : &*found;
}

/// Name and direction ("" : the figure's own).
std::pair<std::string, std::string> split(const std::string& text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos) return {text, ""};
  return {text.substr(colon + 1), text.substr(0, colon)};
}

}  // namespace

std::span<const Figure> all_figures() {
  return kFigures;
}

Json figures_json(const Result& result) {
  Json json = Json::object();
  for (const Figure& figure : kFigures) {
    const Value value = figure.get(result);
    json[figure.name] = value ? Json(*value) : Json(nullptr);
  }
  return json;
}

std::string figure_names() {
  std::string names;
  for (const Figure& figure : kFigures) names += fmt::format("{}{}", names.empty() ? "" : ", ", figure.name);
  return names;
}

std::string wrong_objective(const std::string& text) {
  const auto [name, direction] = split(text);
  if (!direction.empty() && direction != "min" && direction != "max")
    return fmt::format("'{}' is no direction (min:, max:)", direction);
  return find(name) != nullptr ? "" : fmt::format("'{}' is no figure", name);
}

std::vector<Objective> read_objectives(const std::vector<std::string>& texts, const std::string& where) {
  std::vector<Objective> objectives;
  std::vector<base::Problem> problems;
  for (const std::string& text : texts) {
    const auto [name, direction] = split(text);
    if (const std::string wrong = wrong_objective(text); !wrong.empty()) {
      problems.push_back({where, wrong, figure_names(), ""});
      continue;
    }
    const bool twice = std::any_of(objectives.begin(), objectives.end(),
                                   [&name = name](const Objective& o) { return o.figure == name; });
    if (twice) problems.push_back({where, "'" + name + "' is given twice", "each figure once", ""});
    objectives.push_back({name, direction.empty() ? find(name)->more_is_better : direction == "max"});
  }
  if (problems.empty() && objectives.size() < 2)
    problems.push_back({where, "fewer than two objectives", "two or more of: " + figure_names(), ""});
  if (!problems.empty()) throw base::UsageError(std::move(problems));
  return objectives;
}

}  // namespace bitline::sweep
