// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "sim/result/text.h"
#include "tools/compare/blocks.h"
#include "tools/compare/compare.h"

namespace bitline::compare {
namespace {

using result::shortened;

/// Values and ratios of as many runs as this fit beside the baseline; of more, ratios and changes only.
constexpr std::size_t kFewRuns = 3;
constexpr std::size_t kLabelWidth = 11;
constexpr const char* kAbsent = "absent";

/// "=" for the baseline's own value.
std::string ratio_text(const std::optional<double>& value, const std::optional<double>& baseline) {
  if (value && baseline && *value == *baseline) return "=";
  const std::optional<double> r = ratio(value, baseline);
  if (!r) return "-";
  return fmt::format("{}x", *r >= 1000 || *r < 0.001 ? fmt::format("{:.2e}", *r)
                            : *r >= 100              ? fmt::format("{:.0f}", *r)
                            : *r >= 10               ? fmt::format("{:.1f}", *r)
                                                     : fmt::format("{:.3f}", *r));
}

/// Ratio, or points for a share.
std::string against(const Figure& figure, const std::optional<double>& value,
                    const std::optional<double>& baseline) {
  if (figure.kind != Kind::share || !value || !baseline) return ratio_text(value, baseline);
  return *value == *baseline ? "=" : fmt::format("{:+.2f} pt", 100 * (*value - *baseline));
}

std::string change_text(double change) {
  return change == 0 ? "=" : fmt::format("{:+.1f} %", 100 * change);
}

std::string quantity(const std::optional<double>& value, const char* unit) {
  return value ? result::si(*value, unit) : kAbsent;
}

class Text {
 public:
  explicit Text(const Comparison& c) : c_(c), few_(c.runs.size() <= kFewRuns) {}

  [[nodiscard]] std::string str() const {
    std::string out = runs() + differences("Runs differ in", "", c_.settings);
    out += differences("Machines differ in", "no key of the machine differs\n", c_.config);
    out += "\nFigures (beside the baseline's: its ratio; pt: percentage points)\n" + figures();
    out += "\nEnergy of components (change: of the baseline's total)\n" +
           energies(component_names(),
                    [&](std::size_t row) -> const Values& { return c_.components[row].energy; });
    out += "\nArea of components\n" + areas();
    out += "\nEnergy of layers (change: of the baseline's total)\n" +
           energies(layer_names(), [&](std::size_t row) -> const Values& { return c_.layers[row].energy; });
    return out + "\nLatency of layers (from first activity to last output)\n" + latencies();
  }

 private:
  [[nodiscard]] const result::Result& base() const { return c_.runs[c_.baseline].result; }
  [[nodiscard]] std::string label(std::size_t run) const {
    return shortened(c_.runs[run].label, kLabelWidth);
  }

  /// visit(run) for all but the baseline.
  template <class Visit>
  void others(const Visit& visit) const {
    for (std::size_t run = 0; run < c_.runs.size(); ++run)
      if (run != c_.baseline) visit(run);
  }

  [[nodiscard]] std::string runs() const {
    std::string out = "Runs\n";
    for (std::size_t run = 0; run < c_.runs.size(); ++run) {
      const result::Provenance& p = c_.runs[run].result.provenance;
      const auto file = [](const std::string& path) {
        return std::filesystem::path(path).filename().string();
      };
      const char* note = run == c_.baseline ? "  (baseline)" : "";
      out += fmt::format("  {:<{}}  {}{}\n", label(run), kLabelWidth,
                         shortened(fmt::format("{} on {}, {}", file(p.network), file(p.arch), p.mode), 52),
                         note);
      if (c_.runs[run].label.size() > kLabelWidth)
        out += fmt::format("  {:<{}}  {}\n", "", kLabelWidth, shortened(c_.runs[run].label, 64));
    }
    return out;
  }

  /// Few runs as a table, more as a list of the values that are not the baseline's.
  [[nodiscard]] std::string differences(const char* title, const char* none,
                                        const std::vector<Difference>& rows) const {
    const std::string heading = fmt::format("\n{}\n", title);
    if (rows.empty()) return *none == '\0' ? "" : heading + "  " + none;
    const auto value = [](const Difference& row, std::size_t run) {
      return row.values[run].value_or(kAbsent);
    };
    if (!few_) {
      std::string out = heading;
      for (const Difference& row : rows) {
        out += fmt::format("  {} = {}\n", shortened(row.key, 40), shortened(value(row, c_.baseline), 34));
        others([&](std::size_t run) {
          if (row.values[run] != row.values[c_.baseline])
            out += fmt::format("    {:<{}}  {}\n", label(run), kLabelWidth, shortened(value(row, run), 60));
        });
      }
      return out;
    }
    const std::size_t width = c_.runs.size() == 2 ? 18 : 14;
    Column names{"", {}};
    for (const Difference& row : rows) names.cells.push_back(row.key);
    const auto column = [&](std::size_t run) {
      Column cells{label(run), {}};
      for (const Difference& row : rows) cells.cells.push_back(shortened(value(row, run), width));
      return cells;
    };
    Group all = {column(c_.baseline)};
    others([&](std::size_t run) { all.push_back(column(run)); });
    return heading + blocks(names, {}, {all});
  }

  [[nodiscard]] std::string figures() const {
    Column names{"", {}};
    Column first{label(c_.baseline), {}};
    for (const FigureRow& row : c_.figures) {
      names.cells.emplace_back(row.figure->label);
      first.cells.push_back(text(*row.figure, row.values[c_.baseline]));
    }
    std::vector<Group> groups;
    others([&](std::size_t run) {
      Column values{label(run), {}};
      Column ratios{few_ ? "" : label(run), {}};
      for (const FigureRow& row : c_.figures) {
        values.cells.push_back(text(*row.figure, row.values[run]));
        ratios.cells.push_back(against(*row.figure, row.values[run], row.values[c_.baseline]));
      }
      groups.push_back(few_ ? Group{values, ratios} : Group{ratios});
    });
    return blocks(names, {first}, groups);
  }

  [[nodiscard]] Column component_names() const {
    Column names{"component", {}};
    for (const ComponentRow& row : c_.components) names.cells.push_back(row.name);
    return names;
  }

  [[nodiscard]] Column layer_names() const {
    Column names{"layer", {}};
    for (const LayerRow& row : c_.layers) names.cells.push_back(row.name);
    return names;
  }

  /// With the total below.
  template <class Get>
  [[nodiscard]] std::string energies(Column names, const Get& energy) const {
    const std::size_t rows = names.cells.size();
    names.cells.emplace_back("total");
    Column first{label(c_.baseline), {}};
    for (std::size_t row = 0; row < rows; ++row)
      first.cells.push_back(quantity(energy(row)[c_.baseline], "J"));
    first.cells.push_back(result::si(base().energy.total, "J"));
    std::vector<Group> groups;
    others([&](std::size_t run) {
      const double total = c_.runs[run].result.energy.total;
      Column values{label(run), {}}, ratios{"ratio", {}}, changes{few_ ? "change" : label(run), {}};
      double sum = 0;
      for (std::size_t row = 0; row < rows; ++row) {
        values.cells.push_back(quantity(energy(row)[run], "J"));
        ratios.cells.push_back(ratio_text(energy(row)[run], energy(row)[c_.baseline]));
        const double change = energy_change(c_, energy(row), run);
        changes.cells.push_back(energy(row)[run] || few_ ? change_text(change) : kAbsent);
        sum += change;
      }
      values.cells.push_back(result::si(total, "J"));
      ratios.cells.push_back(ratio_text(total, base().energy.total));
      changes.cells.push_back(total == base().energy.total ? "=" : change_text(sum));
      groups.push_back(!few_                 ? Group{changes}
                       : c_.runs.size() == 2 ? Group{values, ratios, changes}
                                             : Group{values, changes});
    });
    return blocks(names, {first}, groups);
  }

  /// Values with ratios of few runs, else ratios.
  template <class Get, class Print>
  [[nodiscard]] std::string ratios(const Column& names, const Get& values_of, const Print& print) const {
    Column first{label(c_.baseline), {}};
    for (std::size_t row = 0; row < names.cells.size(); ++row)
      first.cells.push_back(print(values_of(row)[c_.baseline]));
    std::vector<Group> groups;
    others([&](std::size_t run) {
      Column values{label(run), {}}, against_base{few_ ? "ratio" : label(run), {}};
      for (std::size_t row = 0; row < names.cells.size(); ++row) {
        const Values& of_row = values_of(row);
        values.cells.push_back(print(of_row[run]));
        const std::string text = ratio_text(of_row[run], of_row[c_.baseline]);
        against_base.cells.push_back(of_row[run] || few_ ? text : kAbsent);
      }
      groups.push_back(few_ ? Group{values, against_base} : Group{against_base});
    });
    return blocks(names, {first}, groups);
  }

  [[nodiscard]] std::string areas() const {
    return ratios(
        component_names(), [&](std::size_t row) -> const Values& { return c_.components[row].area; },
        [](const std::optional<double>& value) {
          return value ? fmt::format("{:.4g} mm2", *value) : std::string(kAbsent);
        });
  }

  [[nodiscard]] std::string latencies() const {
    return ratios(
        layer_names(), [&](std::size_t row) -> const Values& { return c_.layers[row].latency; },
        [](const std::optional<double>& value) { return quantity(value, "s"); });
  }

  const Comparison& c_;
  bool few_;
};

}  // namespace

std::string to_text(const Comparison& c) {
  return Text(c).str();
}

}  // namespace bitline::compare
