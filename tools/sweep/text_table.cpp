// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "sim/result/text.h"
#include "tools/sweep/table.h"

namespace bitline::sweep {
namespace {

constexpr std::size_t kMostRows = 40;
constexpr std::size_t kMargin = 2;
constexpr std::size_t kGap = 2;
constexpr std::size_t kWidestSetting = 24;

std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](unsigned char c) {
    return (c & 0xc0U) != 0x80U;  // characters of UTF-8
  }));
}

std::string unit_of(const std::string& figure) {
  if (figure.ends_with("_mm2") && figure != "tops_per_mm2") return "mm2";
  if (figure.ends_with("_js")) return "Js";
  if (figure.ends_with("_s")) return "s";
  if (figure.ends_with("_j")) return "J";
  if (figure.ends_with("power_w")) return "W";
  return "";
}

std::string figure_text(const std::string& figure, double value) {
  if (figure.find("top1") != std::string::npos || figure == "top5" || figure == "cell_utilization")
    return fmt::format("{:.2f} %", 100 * value);
  if (unit_of(figure) == "mm2") return fmt::format("{:.4g} mm2", value);
  const std::string text = result::si(value, unit_of(figure));
  return text.ends_with(' ') ? text.substr(0, text.size() - 1) : text;
}

/// The name that heads a column: of a key its last parts, as few as tell it from the others.
std::string short_name(const std::vector<Axis>& axes, std::size_t axis) {
  const std::string& name = axes[axis].name;
  for (std::size_t dot = name.rfind('.'); dot != std::string::npos && dot > 0;
       dot = name.rfind('.', dot - 1)) {
    const std::string tail = name.substr(dot);
    const auto same = std::count_if(axes.begin(), axes.end(),
                                    [&](const Axis& other) { return ("." + other.name).ends_with(tail); });
    if (same == 1) return tail.substr(1);
  }
  return name;
}

using Row = std::vector<std::string>;

class TextTable {
 public:
  TextTable(const Plan& plan, const Records& records, const Front& front)
      : plan_(plan), records_(records), front_(front) {}

  std::string str() {
    choose_points();
    header_ = {"", "point"};
    for (std::size_t a = 0; a < plan_.spec.axes.size(); ++a)
      header_.push_back(result::shortened(short_name(plan_.spec.axes, a), kWidestSetting));
    first_figure_ = header_.size();
    for (const Objective& objective : front_.objectives) header_.push_back(objective.figure);
    for (const std::size_t p : shown_) rows_.push_back(row(p));
    const std::size_t left_out = drop_columns();
    std::string text = lines();
    text += notes(left_out);
    return text;
  }

 private:
  /// All points where they are few, else the front; by the first objective, the best first.
  void choose_points() {
    for (std::size_t p = 0; p < records_.size(); ++p)
      if (front_.is_candidate[p]) shown_.push_back(p);
    candidates_ = shown_.size();
    members_ = static_cast<std::size_t>(std::count(front_.is_member.begin(), front_.is_member.end(), true));
    if (shown_.size() > kMostRows) std::erase_if(shown_, [&](std::size_t p) { return !front_.is_member[p]; });
    const Objective& first = front_.objectives.front();
    std::stable_sort(shown_.begin(), shown_.end(), [&](std::size_t a, std::size_t b) {
      const double x = value(a, first.figure), y = value(b, first.figure);
      return first.maximise ? x > y : x < y;
    });
    if (shown_.size() > kMostRows) shown_.resize(kMostRows);
  }

  [[nodiscard]] double value(std::size_t point, const std::string& figure) const {
    return (*records_[point])["figures"][figure].get<double>();
  }

  [[nodiscard]] Row row(std::size_t p) const {
    Row cells{front_.is_member[p] ? "*" : "", plan_.points[p].id};
    for (const SettingPtr& setting : plan_.points[p].settings)
      cells.push_back(setting ? result::shortened(setting->text, kWidestSetting) : "-");
    for (const Objective& objective : front_.objectives)
      cells.push_back(figure_text(objective.figure, value(p, objective.figure)));
    return cells;
  }

  [[nodiscard]] std::vector<std::size_t> widths() const {
    std::vector<std::size_t> result;
    for (std::size_t c = 0; c < header_.size(); ++c) {
      result.push_back(width_of(header_[c]));
      for (const Row& cells : rows_) result[c] = std::max(result[c], width_of(cells[c]));
    }
    return result;
  }

  /// The last axes go until the rest fits; how many went.
  std::size_t drop_columns() {
    std::size_t dropped = 0;
    for (;;) {
      std::size_t total = kMargin;
      for (const std::size_t width : widths()) total += width + kGap;
      if (total - kGap <= result::kReportWidth) return dropped;
      const std::size_t last = first_figure_ > 2 ? first_figure_ - 1 : header_.size() - 1;
      if (first_figure_ > 2) --first_figure_;
      header_.erase(header_.begin() + static_cast<std::ptrdiff_t>(last));
      for (Row& cells : rows_) cells.erase(cells.begin() + static_cast<std::ptrdiff_t>(last));
      ++dropped;
    }
  }

  [[nodiscard]] std::string lines() const {
    const std::vector<std::size_t> wide = widths();
    std::string text;
    const auto add = [&](const Row& cells) {
      std::string line(kMargin, ' ');
      for (std::size_t c = 0; c < cells.size(); ++c) {
        const std::string pad(wide[c] - width_of(cells[c]), ' ');
        line += (c < 2 ? cells[c] + pad : pad + cells[c]) + std::string(kGap, ' ');
      }
      text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
    };
    add(header_);
    for (const Row& cells : rows_) add(cells);
    return text;
  }

  [[nodiscard]] std::string notes(std::size_t left_out) const {
    std::string text = fmt::format("\n*: on the Pareto front, {} of {} points:", members_, candidates_);
    std::size_t column = text.size() - 1;
    for (std::size_t i = 0; i < front_.objectives.size(); ++i) {
      const Objective& objective = front_.objectives[i];
      const std::string item = fmt::format("{} {}{}", objective.maximise ? "most" : "least", objective.figure,
                                           i + 1 < front_.objectives.size() ? "," : "");
      const bool breaks = column + 1 + item.size() > result::kReportWidth;
      text += (breaks ? "\n   " : " ") + item;
      column = (breaks ? 3 : column + 1) + item.size();
    }
    text += "\n";
    const std::size_t hidden = candidates_ - shown_.size();
    if (hidden > 0) text += fmt::format("{} more points are in results.csv\n", hidden);
    if (left_out > 0) text += fmt::format("{} more columns are in results.csv\n", left_out);
    return text;
  }

  const Plan& plan_;
  const Records& records_;
  const Front& front_;
  std::vector<std::size_t> shown_;
  std::size_t candidates_ = 0;
  std::size_t members_ = 0;
  Row header_;
  std::vector<Row> rows_;
  std::size_t first_figure_ = 0;
};

/// Its first 80 columns.
std::string cut(std::string line) {
  if (width_of(line) <= result::kReportWidth) return line;
  while (width_of(line) > result::kReportWidth - 3) line.pop_back();  // a part of a character counts as one
  return line + "...";
}

std::string failures(const Plan& plan, const Records& records) {
  constexpr std::size_t kMostFailures = 5;
  std::string text;
  std::size_t failed = 0;
  for (std::size_t p = 0; p < records.size(); ++p) {
    if (!records[p] || !records[p]->contains("error")) continue;
    if (++failed > kMostFailures) continue;
    const Json& error = (*records[p])["error"];
    std::string line =
        fmt::format("  {}  {}: {}", plan.points[p].id, error.value("kind", ""), error.value("message", ""));
    std::replace(line.begin(), line.end(), '\n', ' ');
    text += cut(std::move(line)) + "\n";
  }
  if (failed == 0) return "";
  return fmt::format("\n{} of {} points failed\n{}{}", failed, records.size(), text,
                     failed > kMostFailures ? "  ...\n" : "");
}

}  // namespace

std::string results_text(const Plan& plan, const Records& records, const Front& front) {
  const bool any =
      std::find(front.is_candidate.begin(), front.is_candidate.end(), true) != front.is_candidate.end();
  return (any ? TextTable(plan, records, front).str() : "No point has results\n") + failures(plan, records);
}

}  // namespace bitline::sweep
