// SPDX-License-Identifier: Apache-2.0
#include "tools/paper/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tools/paper/tex.h"

namespace bitline::paper {
namespace {

/// Lines of a table that a page holds beside its caption, with room to spare.
constexpr std::size_t kMostLines = 48;

std::string row(const TexTable& table, std::size_t r) {
  std::string line = table.names[r].tex;
  for (const TexColumn& column : table.columns) line += " & " + column.cells[r];
  return "  " + line + " \\\\\n";
}

std::string head(const TexTable& table) {
  std::string specs, names, units;
  bool any_unit = false;
  for (const TexColumn& column : table.columns) {
    specs += column.spec;
    names += " & {" + column.header + "}";
    units += column.unit.empty() ? " &" : " & {(" + column.unit + ")}";
    any_unit = any_unit || !column.unit.empty();
  }
  return "  \\begin{tabularx}{\\columnwidth}{@{}>{\\raggedright\\arraybackslash}X" + specs +
         "@{}}\n  \\toprule\n  " + table.header + names + " \\\\\n" +
         (any_unit ? "  " + units + " \\\\\n" : "") + "  \\midrule\n";
}

std::string part(const TexTable& table, std::size_t from, std::size_t to, std::size_t number) {
  const bool further = number > 1;
  std::string out = "\\begin{table}[tbp]\n  \\centering\\footnotesize\\setlength{\\tabcolsep}{3pt}\n";
  out += fmt::format("  \\caption{{{}{}}}\n", table.caption, further ? " (continued)" : "");
  out += fmt::format("  \\label{{{}{}}}\n", table.label, further ? fmt::format("-{}", number) : "");
  out += head(table);
  for (std::size_t r = from; r < to; ++r) {
    if (table.total && r + 1 == table.names.size()) out += "  \\midrule\n";
    out += row(table, r);
  }
  return out + "  \\bottomrule\n  \\end{tabularx}\n\\end{table}\n";
}

}  // namespace

TexName name(std::string_view text) {
  const std::size_t from = std::min(text.find_first_not_of(' '), text.size());
  return {(from > 0 ? "\\quad " : "") + breakable(text.substr(from)), width_of(text)};
}

TexColumn quantities(const std::string& header, const std::string& unit,
                     const std::vector<std::optional<double>>& values) {
  const Scale scale = scale_of(values);
  TexColumn out{column(scale), header, unit.empty() ? "" : "\\unit{" + scale.prefix + unit + "}", {}};
  for (const auto& value : values) out.cells.push_back(cell(value, scale));
  return out;
}

TexColumn shares(const std::string& header, const std::vector<std::optional<double>>& values, bool sign) {
  double largest = 1;
  TexColumn out{"", header, "\\unit{\\percent}", {}};
  for (const auto& value : values) {
    if (value) largest = std::max(largest, std::abs(std::round(1000 * *value) / 10));
    out.cells.push_back(!value                             ? "{--}"
                        : sign && std::abs(*value) >= 5e-4 ? fmt::format("{:+.1f}", 100 * *value)
                                                           : fmt::format("{:.1f}", 100 * std::abs(*value)));
  }
  out.spec =
      fmt::format("S[table-format={}{}.1]", sign ? "+" : "", static_cast<int>(std::log10(largest)) + 1);
  return out;
}

TexColumn ratios(const std::string& header, const std::vector<std::optional<double>>& values) {
  Scale scale = scale_of(values, false);
  scale.decimals = std::min(scale.decimals, 3);
  TexColumn out{column(scale), header, "", {}};
  for (const auto& value : values) out.cells.push_back(cell(value, scale));
  return out;
}

TexColumn texts(const std::string& header, std::vector<std::string> cells) {
  return {"r", header, "", std::move(cells)};
}

std::string to_tex(const TexTable& table) {
  std::string out;
  std::size_t from = 0, lines = 0, number = 0;
  for (std::size_t r = 0; r <= table.names.size(); ++r) {
    const std::size_t more = r < table.names.size() ? 1 + table.names[r].letters / table.line_letters : 0;
    if (r == table.names.size() || (lines + more > kMostLines && r > from)) {
      out += part(table, from, r, ++number);
      from = r;
      lines = 0;
    }
    lines += more;
  }
  return out;
}

}  // namespace bitline::paper
