// SPDX-License-Identifier: Apache-2.0
#include "tools/compare/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <set>

#include "models/base/errors.h"
#include "sim/result/read.h"

namespace bitline::compare {
namespace {

namespace fs = std::filesystem;
using result::LayerResult;

/// The folders and the file that tell one run from another: {"out", "5-bit"} of out/5-bit/result.json.
std::vector<std::string> parts_of(const std::string& file) {
  fs::path path = fs::absolute(file).lexically_normal();
  path = path.filename() == "result.json" ? path.parent_path() : path.replace_extension();
  std::vector<std::string> parts;
  for (const fs::path& part : path.relative_path()) parts.push_back(part.string());
  return parts;
}

std::string last(const std::vector<std::string>& parts, std::size_t n) {
  std::string text;
  for (std::size_t i = parts.size() - std::min(n, parts.size()); i < parts.size(); ++i)
    text += (text.empty() ? "" : "/") + parts[i];
  return text;
}

/// Short names; longer ones where two would be the same, numbered where one file is given twice.
void set_labels(std::vector<Run>& runs) {
  std::vector<std::vector<std::string>> parts;
  std::size_t deepest = 1;
  for (const Run& run : runs) {
    parts.push_back(parts_of(run.file));
    deepest = std::max(deepest, parts.back().size());
  }
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const auto twins = [&](std::size_t depth) {
      return std::count_if(parts.begin(), parts.end(),
                           [&](const auto& other) { return last(other, depth) == last(parts[i], depth); });
    };
    std::size_t depth = 1;
    while (depth < deepest && twins(depth) > 1) ++depth;
    runs[i].label = last(parts[i], twins(depth) > 1 ? 1 : depth);
  }
  std::map<std::string, int> seen;
  for (Run& run : runs)
    if (const int n = ++seen[run.label]; n > 1) run.label += fmt::format("#{}", n);
}

/// Adds a row unless all runs agree.
void add_difference(std::vector<Difference>& rows, Difference row) {
  const bool same = std::all_of(row.values.begin(), row.values.end(),
                                [&](const auto& value) { return value == row.values.front(); });
  if (!same) rows.push_back(std::move(row));
}

std::vector<Difference> differing_settings(const std::vector<Run>& runs) {
  using Get = std::function<std::string(const result::Result&)>;
  const auto file = [](const std::string& path) { return fs::path(path).filename().string(); };
  const std::vector<std::pair<const char*, Get>> settings = {
      {"network", [&](const auto& r) { return file(r.provenance.network); }},
      {"network's SHA-256", [](const auto& r) { return r.provenance.network_sha256.substr(0, 12); }},
      {"layers", [](const auto& r) { return std::to_string(r.layers.size()); }},
      {"machine", [&](const auto& r) { return file(r.provenance.arch); }},
      {"mode", [](const auto& r) { return r.provenance.mode; }},
      {"images streamed", [](const auto& r) { return std::to_string(r.provenance.images_streamed); }},
      {"images evaluated", [](const auto& r) { return std::to_string(r.provenance.images_evaluated); }},
      {"input", [](const auto& r) { return r.provenance.inputs; }},
      {"calibration", [](const auto& r) { return r.provenance.calibration; }},
      {"seed", [](const auto& r) { return std::to_string(r.provenance.seed); }},
      {"version", [](const auto& r) { return r.provenance.version; }}};
  std::vector<Difference> rows;
  for (const auto& [name, get] : settings) {
    Difference row{name, {}, {}};
    for (const Run& run : runs) row.values.emplace_back(get(run.result));
    add_difference(rows, std::move(row));
  }
  return rows;
}

/// All names of all runs: those of `first`, and each new one where its run has it.
std::vector<std::string> merged(const std::vector<std::vector<std::string>>& lists, std::size_t first) {
  std::vector<std::string> all = lists[first];
  for (const std::vector<std::string>& list : lists) {
    std::size_t at = 0;
    for (const std::string& name : list) {
      const auto found = std::find(all.begin(), all.end(), name);
      if (found == all.end())
        all.insert(all.begin() + static_cast<std::ptrdiff_t>(at++), name);
      else
        at = static_cast<std::size_t>(found - all.begin()) + 1;
    }
  }
  return all;
}

std::vector<Difference> differing_keys(const std::vector<Run>& runs, std::size_t baseline) {
  std::vector<std::vector<std::string>> keys(runs.size());
  std::vector<std::map<std::string, const result::Provenance::Constant*>> constants(runs.size());
  for (std::size_t r = 0; r < runs.size(); ++r) {
    for (const auto& constant : runs[r].result.provenance.config) {
      keys[r].push_back(constant.key);
      constants[r][constant.key] = &constant;
    }
  }
  std::vector<Difference> rows;
  for (const std::string& key : merged(keys, baseline)) {
    Difference row{key, {}, {}};
    for (const auto& of_run : constants) {
      const auto found = of_run.find(key);
      row.values.push_back(found == of_run.end() ? std::nullopt : std::optional(found->second->value));
      row.sources.push_back(found == of_run.end() ? "" : found->second->source);
    }
    add_difference(rows, std::move(row));
  }
  return rows;
}

std::optional<double> find(const result::Breakdown& parts, const std::string& name) {
  for (const auto& [key, value] : parts)
    if (key == name) return value;
  return std::nullopt;
}

std::vector<ComponentRow> component_rows(const std::vector<Run>& runs, std::size_t baseline) {
  std::vector<std::vector<std::string>> names(runs.size());
  for (std::size_t r = 0; r < runs.size(); ++r) {
    for (const auto& part : runs[r].result.energy.by_component) names[r].push_back(part.first);
    for (const auto& part : runs[r].result.area_by_component)
      if (!find(runs[r].result.energy.by_component, part.first)) names[r].push_back(part.first);
  }
  std::vector<ComponentRow> rows;
  for (const std::string& name : merged(names, baseline)) {
    ComponentRow row{name, {}, {}};
    for (const Run& run : runs) {
      row.energy.push_back(find(run.result.energy.by_component, name));
      row.area.push_back(find(run.result.area_by_component, name));
    }
    const auto nothing = [](const std::optional<double>& value) { return value.value_or(0) == 0; };
    if (!std::all_of(row.energy.begin(), row.energy.end(), nothing) ||
        !std::all_of(row.area.begin(), row.area.end(), nothing))
      rows.push_back(std::move(row));
  }
  const auto most = [](const ComponentRow& row) {
    double energy = 0;
    for (const auto& value : row.energy) energy = std::max(energy, value.value_or(0));
    return energy;
  };
  std::stable_sort(rows.begin(), rows.end(), [&](const auto& a, const auto& b) { return most(a) > most(b); });
  return rows;
}

std::string adc_bits(const LayerResult& layer) {
  std::string text;
  for (const result::SliceResult& slice : layer.slices)
    text += fmt::format("{}{}", text.empty() ? "" : "/", slice.adc_bits);
  return text;
}

std::vector<LayerRow> layer_rows(const std::vector<Run>& runs, std::size_t baseline) {
  std::vector<std::vector<std::string>> names(runs.size());
  std::vector<std::map<std::string, const LayerResult*>> layers(runs.size());
  for (std::size_t r = 0; r < runs.size(); ++r) {
    std::map<std::string, int> seen;
    for (const LayerResult& layer : runs[r].result.layers) {
      const int n = ++seen[layer.name];
      names[r].push_back(n > 1 ? fmt::format("{}#{}", layer.name, n) : layer.name);
      layers[r][names[r].back()] = &layer;
    }
  }
  std::vector<LayerRow> rows;
  for (const std::string& name : merged(names, baseline)) {
    LayerRow row;
    row.name = name;
    for (const auto& of_run : layers) {
      const auto found = of_run.find(name);
      const LayerResult* layer = found == of_run.end() ? nullptr : found->second;
      const auto value = [&](double of) { return layer != nullptr ? std::optional(of) : std::nullopt; };
      row.op.push_back(layer != nullptr ? layer->op : "");
      row.adc_bits.push_back(layer != nullptr ? adc_bits(*layer) : "");
      row.energy.push_back(value(layer != nullptr ? layer->energy.total : 0));
      row.latency.push_back(value(layer != nullptr ? layer->latency : 0));
      row.crossbars.push_back(value(layer != nullptr ? static_cast<double>(layer->crossbars) : 0));
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace

std::vector<Run> read_runs(const std::vector<std::string>& paths) {
  std::vector<Run> runs;
  std::vector<base::Problem> problems;
  for (const std::string& path : paths) {
    try {
      runs.push_back({"", result::result_file(path), result::read_result(path)});
    } catch (const base::UsageError& error) {
      problems.insert(problems.end(), error.problems().begin(), error.problems().end());
    }
  }
  if (!problems.empty()) throw base::UsageError(std::move(problems));
  set_labels(runs);
  return runs;
}

Comparison compare(std::vector<Run> runs, std::size_t baseline) {
  if (runs.size() < 2)
    throw base::UsageError(base::Problem{"bitline compare", fmt::format("{} run", runs.size()),
                                         "two runs or more", "name their folders"});
  BITLINE_CHECK(baseline < runs.size());
  Comparison c;
  c.baseline = baseline;
  for (const Figure& figure : figures()) {
    FigureRow row{&figure, {}};
    for (const Run& run : runs) row.values.push_back(figure.of(run.result));
    if (std::any_of(row.values.begin(), row.values.end(), [](const auto& v) { return v.has_value(); }))
      c.figures.push_back(std::move(row));
  }
  c.settings = differing_settings(runs);
  c.config = differing_keys(runs, baseline);
  c.components = component_rows(runs, baseline);
  c.layers = layer_rows(runs, baseline);
  c.runs = std::move(runs);
  return c;
}

std::optional<double> ratio(const std::optional<double>& value, const std::optional<double>& baseline) {
  if (!value || !baseline || *baseline == 0) return std::nullopt;
  return *value / *baseline;
}

double energy_change(const Comparison& c, const Values& energy, std::size_t run) {
  const double total = c.runs[c.baseline].result.energy.total;
  if (total == 0) return 0;
  return (energy[run].value_or(0) - energy[c.baseline].value_or(0)) / total;
}

}  // namespace bitline::compare
