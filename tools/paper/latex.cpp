// SPDX-License-Identifier: Apache-2.0
#include "tools/paper/latex.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <functional>

#include "sim/result/text.h"
#include "tools/paper/table.h"
#include "tools/paper/tex.h"

namespace bitline::paper {
namespace {

using compare::Comparison;
using compare::Figure;
using compare::Kind;
using compare::Run;
using compare::Values;
using result::LayerResult;
using result::Result;

std::string named(const Run& run) {
  const auto file = [](const std::string& path) { return std::filesystem::path(path).filename().string(); };
  return breakable(file(run.result.provenance.network)) + " on " +
         breakable(file(run.result.provenance.arch));
}

/// The unit of a figure with an SI prefix: \second and \joule by name, others as letters.
std::string unit_of(const Figure& figure, const Scale& scale) {
  const std::string unit(figure.unit);
  if (unit == "s") return scale.prefix + "\\second";
  if (unit == "J") return scale.prefix + "\\joule";
  if (unit == "W") return scale.prefix + "\\watt";
  if (unit == "Js") return scale.prefix + "\\joule\\second";
  if (unit == "mm2") return "\\milli\\metre\\squared";
  if (unit == "images/s") return scale.prefix + "\\hertz";
  if (unit == "OPS/W") return scale.prefix + "\\bitlineOPS\\per\\watt";
  if (unit == "OPS/mm2") return scale.prefix + "\\bitlineOPS\\per\\milli\\metre\\squared";
  return scale.prefix + "\\bitlineOPS";
}

/// A row of a figure: its name with the unit that all its values share, and the values.
struct FigureCells {
  TexName name;
  std::vector<std::string> cells;
};
FigureCells figure_cells(const Figure& figure, const Values& values) {
  std::string label(figure.label);
  if (const std::size_t times = label.find(" x "); times != std::string::npos)
    label.replace(times, 3, " $\\times$ ");
  const bool inner = label.starts_with(' ');
  FigureCells out{{(inner ? "\\quad " : "") + label.substr(inner ? 2 : 0), label.size() + 6}, {}};
  Values shown = values;
  Scale scale = scale_of(values, figure.kind == Kind::quantity);
  if (figure.kind == Kind::share) {
    for (auto& value : shown)
      if (value) *value *= 100;
    scale = {1, "", 3, 2};
  } else if (figure.kind == Kind::count) {
    scale.decimals = 0;
  }
  const std::string unit = figure.kind == Kind::share   ? "\\percent"
                           : figure.kind == Kind::count ? ""
                                                        : unit_of(figure, scale);
  if (!unit.empty()) out.name.tex += " (\\unit{" + unit + "})";
  for (const auto& value : shown) {
    const std::string text = cell(value, scale);
    out.cells.push_back(text.starts_with('{') ? text : "\\num{" + text + "}");
  }
  return out;
}

/// Ratio of a run to the baseline; a share's difference in points.
std::string against(const Figure& figure, const std::optional<double>& value,
                    const std::optional<double>& baseline) {
  if (figure.kind == Kind::share && value && baseline)
    return fmt::format("\\num{{{:+.2f}}}~pt", 100 * (*value - *baseline));
  const std::optional<double> r = compare::ratio(value, baseline);
  if (!r) return "--";
  const Scale scale = scale_of({r}, false);
  return fmt::format("\\num{{{:.{}f}}}", *r, std::min(scale.decimals, 3));
}

std::string adc_bits(const LayerResult& layer) {
  if (layer.slices.empty()) return "--";
  const auto [low, high] =
      std::minmax_element(layer.slices.begin(), layer.slices.end(),
                          [](const auto& a, const auto& b) { return a.adc_bits < b.adc_bits; });
  return low->adc_bits == high->adc_bits ? std::to_string(low->adc_bits)
                                         : fmt::format("{}--{}", low->adc_bits, high->adc_bits);
}

TexTable summary(const Run& run) {
  TexTable table{"Summary of " + named(run) + ".", "tab:bitline-summary", "Figure", {}, {}};
  table.line_letters = 35;
  std::vector<std::string> cells;
  for (const Figure& figure : compare::figures()) {
    const std::optional<double> value = figure.of(run.result);
    if (!value) continue;
    FigureCells row = figure_cells(figure, {value});
    table.names.push_back(std::move(row.name));
    cells.push_back(std::move(row.cells.front()));
  }
  table.columns = {texts("Value", std::move(cells))};
  return table;
}

Values with_total(std::vector<std::optional<double>> values, double total) {
  values.emplace_back(total);
  return values;
}

Values divided(Values values, double by) {
  for (auto& value : values)
    if (value) *value = by > 0 ? *value / by : 0;
  return values;
}

std::optional<double> find(const result::Breakdown& parts, const std::string& name) {
  for (const auto& [key, value] : parts)
    if (key == name) return value;
  return std::nullopt;
}

TexTable components(const Run& run) {
  const Result& r = run.result;
  result::Breakdown parts = r.energy.by_component;
  for (const auto& area : r.area_by_component)
    if (!find(parts, area.first)) parts.emplace_back(area.first, 0);
  std::stable_sort(parts.begin(), parts.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  TexTable table{"Energy per image and area by component, " + named(run) + ".",
                 "tab:bitline-components",
                 "Component",
                 {},
                 {},
                 true};
  Values energy, area;
  for (const auto& [part, value] : parts) {
    const double size = find(r.area_by_component, part).value_or(0);
    if (value == 0 && size == 0) continue;
    table.names.push_back(paper::name(part));
    energy.emplace_back(value);
    area.emplace_back(size);
  }
  table.names.push_back(name("total"));
  energy = with_total(std::move(energy), r.energy.total);
  area = with_total(std::move(area), r.area_mm2);
  TexColumn areas = quantities("Area", "", area);
  areas.unit = "\\unit{\\milli\\metre\\squared}";
  const Scale plain = scale_of(area, false);
  areas.spec = column(plain);
  for (std::size_t i = 0; i < area.size(); ++i) areas.cells[i] = cell(area[i], plain);
  table.columns = {quantities("Energy", "\\joule", energy), shares("Share", divided(energy, r.energy.total)),
                   areas, shares("Share", divided(area, r.area_mm2))};
  return table;
}

/// In a line of the column of types.
constexpr std::size_t kTypeLetters = 6;

TexTable layers(const Run& run) {
  const Result& r = run.result;
  TexTable table{"Layers of " + named(run) +
                     ": crossbars (XB), ADC bits, latency from first activity to last output, "
                     "energy per image.",
                 "tab:bitline-layers",
                 "Layer",
                 {},
                 {},
                 true};
  std::vector<std::string> ops, crossbars, bits;
  Values latency, energy;
  for (const LayerResult& layer : r.layers) {
    table.names.push_back(name(layer.name));
    // The column of types is narrower and may need more lines.
    table.names.back().letters =
        std::max(table.names.back().letters, width_of(layer.op) * table.line_letters / kTypeLetters);
    ops.push_back(breakable(layer.op));
    crossbars.push_back(layer.crossbars > 0 ? std::to_string(layer.crossbars) : "--");
    bits.push_back(adc_bits(layer));
    latency.emplace_back(layer.latency);
    energy.emplace_back(layer.energy.total);
  }
  table.names.push_back(name("total"));
  ops.emplace_back();
  crossbars.push_back(std::to_string(r.crossbars_used));
  bits.emplace_back();
  energy = with_total(std::move(energy), r.energy.total);
  TexColumn op = texts("Type", std::move(ops));
  op.spec = ">{\\raggedright\\arraybackslash}p{0.14\\columnwidth}";
  table.columns = {op,
                   texts("XB", std::move(crossbars)),
                   texts("ADC", std::move(bits)),
                   quantities("Latency", "\\second", with_total(std::move(latency), r.latency.total)),
                   quantities("Energy", "\\joule", energy),
                   shares("Share", divided(energy, r.energy.total))};
  return table;
}

constexpr std::size_t kRunsPerTable = 3;

/// The runs but the baseline, at most kRunsPerTable in a table.
std::vector<std::vector<std::size_t>> dealt(const Comparison& c) {
  std::vector<std::vector<std::size_t>> tables;
  for (std::size_t run = 0; run < c.runs.size(); ++run) {
    if (run == c.baseline) continue;
    if (tables.empty() || tables.back().size() == kRunsPerTable) tables.emplace_back();
    tables.back().push_back(run);
  }
  return tables;
}

std::string label(const Comparison& c, std::size_t run) {
  return escaped(result::shortened(c.runs[run].label, 12));
}

std::string numbered(const char* text, std::size_t number) {
  return number == 0 ? text : fmt::format("{}-{}", text, number + 1);
}

/// One other run: its values and ratios; several: ratios.
std::string figures(const Comparison& c) {
  std::string out;
  const auto tables = dealt(c);
  for (std::size_t t = 0; t < tables.size(); ++t) {
    TexTable table{"Against " + label(c, c.baseline) + ": ratios (pt: percentage points).",
                   numbered("tab:bitline-comparison", t),
                   "Figure",
                   {},
                   {}};
    table.line_letters = 18;
    std::vector<std::vector<std::string>> values(c.runs.size()), ratio(c.runs.size());
    for (const compare::FigureRow& row : c.figures) {
      FigureCells cells = figure_cells(*row.figure, row.values);
      table.names.push_back(std::move(cells.name));
      for (std::size_t run = 0; run < c.runs.size(); ++run) {
        values[run].push_back(std::move(cells.cells[run]));
        ratio[run].push_back(against(*row.figure, row.values[run], row.values[c.baseline]));
      }
    }
    table.columns.push_back(texts(label(c, c.baseline), std::move(values[c.baseline])));
    for (const std::size_t run : tables[t]) {
      if (c.runs.size() == 2) table.columns.push_back(texts(label(c, run), std::move(values[run])));
      table.columns.push_back(texts(c.runs.size() == 2 ? "Ratio" : label(c, run), std::move(ratio[run])));
    }
    out += to_tex(table);
  }
  return out;
}

/// Energy of each row: the baseline's, then of each run its change as a share of the baseline's total.
std::string energies(const Comparison& c, const char* what, const char* id, const std::vector<TexName>& names,
                     const std::vector<const Values*>& rows) {
  std::string out;
  const auto tables = dealt(c);
  for (std::size_t t = 0; t < tables.size(); ++t) {
    TexTable table{
        fmt::format("Energy per image of {} against {}; change: of its total.", what, label(c, c.baseline)),
        numbered(id, t),
        what == std::string("layers") ? "Layer" : "Component",
        names,
        {},
        true};
    table.names.push_back(name("total"));
    const auto of_run = [&](std::size_t run) {
      Values values;
      for (const Values* row : rows) values.push_back((*row)[run]);
      return with_total(std::move(values), c.runs[run].result.energy.total);
    };
    table.columns = {quantities(label(c, c.baseline), "\\joule", of_run(c.baseline))};
    for (const std::size_t run : tables[t]) {
      Values change;
      double sum = 0;
      for (const Values* row : rows) sum += change.emplace_back(compare::energy_change(c, *row, run)).value();
      change.emplace_back(sum);
      if (c.runs.size() == 2) table.columns.push_back(quantities(label(c, run), "\\joule", of_run(run)));
      table.columns.push_back(shares(c.runs.size() == 2 ? "Change" : label(c, run), change, true));
    }
    out += to_tex(table);
  }
  return out;
}

}  // namespace

std::vector<TexFile> run_tables(const Run& run) {
  return {{"summary.tex", to_tex(summary(run))},
          {"components.tex", to_tex(components(run))},
          {"layers.tex", to_tex(layers(run))}};
}

std::vector<TexFile> comparison_tables(const Comparison& c) {
  std::vector<TexName> components, layers;
  std::vector<const Values*> of_components, of_layers;
  for (const compare::ComponentRow& row : c.components) {
    components.push_back(name(row.name));
    of_components.push_back(&row.energy);
  }
  for (const compare::LayerRow& row : c.layers) {
    layers.push_back(name(row.name));
    of_layers.push_back(&row.energy);
  }
  return {
      {"comparison.tex", figures(c)},
      {"comparison-components.tex",
       energies(c, "components", "tab:bitline-comparison-components", components, of_components)},
      {"comparison-layers.tex", energies(c, "layers", "tab:bitline-comparison-layers", layers, of_layers)}};
}

void write_latex(const result::OutputFolder& folder, const std::vector<TexFile>& tables) {
  const std::string made = fmt::format("% Made by bitline {}.\n", result::version());
  folder.write("preamble.tex", made +
                                   "% What the tables need; siunitx of any version.\n"
                                   "\\usepackage{array,booktabs,siunitx,tabularx}\n"
                                   "\\DeclareSIUnit\\bitlineOPS{OPS}\n"
                                   "\\providecommand{\\unit}[1]{\\si{#1}}\n"
                                   "\\providecommand{\\qty}[2]{\\SI{#1}{#2}}\n");
  // Computer Modern's upright micro is a bitmap; its math letter is not.
  std::string example = made +
                        "\\documentclass[twocolumn]{article}\n\\input{preamble}\n"
                        "\\IfFileExists{lmodern.sty}{\\usepackage{lmodern}}"
                        "{\\DeclareSIPrefix\\micro{\\ensuremath{\\mu}}{-6}}\n\\begin{document}\n";
  for (const TexFile& file : tables) {
    folder.write(file.name, made + file.content);
    example += fmt::format("\\input{{{}}}\n\\clearpage\n", file.name.substr(0, file.name.rfind('.')));
  }
  folder.write("example.tex", example + "\\end{document}\n");
}

}  // namespace bitline::paper
