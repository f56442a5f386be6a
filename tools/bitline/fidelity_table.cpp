// SPDX-License-Identifier: Apache-2.0
#include "tools/bitline/fidelity_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

#include "models/base/errors.h"

#include "sim/result/text.h"

namespace bitline::cli {
namespace {

double relative(double estimate, double truth) {
  return truth == 0 ? (estimate == 0 ? 0 : 1) : std::abs(estimate / truth - 1);
}

std::vector<std::string> chips(const std::vector<FidelityRow>& rows) {
  std::vector<std::string> names;
  for (const FidelityRow& row : rows)
    if (std::find(names.begin(), names.end(), row.chip) == names.end()) names.push_back(row.chip);
  return names;
}

struct Column {
  const char* name;
  double FidelityRow::Figures::*member;
};
constexpr Column kColumns[] = {{"latency_s", &FidelityRow::Figures::latency},
                               {"interval_s", &FidelityRow::Figures::interval},
                               {"energy_j", &FidelityRow::Figures::energy},
                               {"data_energy_j", &FidelityRow::Figures::by_data},
                               {"area_mm2", &FidelityRow::Figures::area}};

std::vector<std::string> fields(const std::string& line) {
  std::vector<std::string> values;
  for (std::size_t at = 0; at <= line.size();) {
    const std::size_t end = std::min(line.find(',', at), line.size());
    values.push_back(line.substr(at, end - at));
    at = end + 1;
  }
  return values;
}

}  // namespace

double kendall_tau(const std::vector<double>& a, const std::vector<double>& b) {
  const auto order = [](double x, double y) {
    return std::abs(x - y) <= kTie * std::max(x, y) ? 0 : x > y ? 1 : -1;
  };
  std::int64_t balance = 0, untied_a = 0, untied_b = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const int x = order(a[i], a[j]);
      const int y = order(b[i], b[j]);
      balance += x * y;
      untied_a += x != 0;
      untied_b += y != 0;
    }
  }
  if (untied_a == 0 || untied_b == 0) return untied_a == untied_b ? 1 : 0;
  return static_cast<double>(balance) /
         std::sqrt(static_cast<double>(untied_a) * static_cast<double>(untied_b));
}

FidelitySummary summarise(const std::vector<FidelityRow>& rows, const std::string& chip) {
  FidelitySummary sum;
  std::vector<double> latency[2], interval[2];
  for (const FidelityRow& row : rows) {
    if (!chip.empty() && row.chip != chip) continue;
    ++sum.rows;
    latency[0].push_back(row.cycle.latency);
    latency[1].push_back(row.analytic.latency);
    interval[0].push_back(row.cycle.interval);
    interval[1].push_back(row.analytic.interval);
    const double late = relative(row.analytic.latency, row.cycle.latency);
    const double apart = relative(row.analytic.interval, row.cycle.interval);
    sum.latency_error += late;
    sum.interval_error += apart;
    sum.latency_worst = std::max(sum.latency_worst, late);
    sum.interval_worst = std::max(sum.interval_worst, apart);
    sum.energy_error += relative(row.analytic.energy, row.cycle.energy);
    sum.measured_energy_error += relative(row.measured_energy(), row.cycle.energy);
    sum.area_worst = std::max(sum.area_worst, relative(row.analytic.area, row.cycle.area));
  }
  const auto n = static_cast<double>(std::max<std::size_t>(sum.rows, 1));
  for (double* mean :
       {&sum.latency_error, &sum.interval_error, &sum.energy_error, &sum.measured_energy_error})
    *mean /= n;
  sum.latency_tau = kendall_tau(latency[0], latency[1]);
  sum.interval_tau = kendall_tau(interval[0], interval[1]);
  return sum;
}

std::string fidelity_table(const std::vector<FidelityRow>& rows) {
  constexpr std::size_t kChip = 18;
  std::string out = fmt::format("{:<{}}{:>4}{:>20}{:>20}{:>12}{:>6}\n", "", kChip, "", "latency", "interval",
                                "energy", "area");
  out += fmt::format("{:<{}}{:>4}", "chip", kChip, "n");
  for (int i = 0; i < 2; ++i) out += fmt::format("{:>8}{:>6}{:>6}", "tau", "mean", "worst");
  out += fmt::format("{:>6}{:>6}{:>6}\n", "mean", "meas.", "worst");
  std::vector<std::string> names = chips(rows);
  if (names.size() > 1) names.emplace_back();
  for (const std::string& chip : names) {
    const FidelitySummary s = summarise(rows, chip);
    out += fmt::format(
        "{:<{}}{:>4}{:>8.4f}{:>6.2f}{:>6.1f}{:>8.4f}{:>6.2f}{:>6.1f}{:>6.2f}{:>6.2f}{:>6.1f}\n",
        chip.empty() ? "all" : result::shortened(chip, kChip), kChip, s.rows, s.latency_tau,
        100 * s.latency_error, 100 * s.latency_worst, s.interval_tau, 100 * s.interval_error,
        100 * s.interval_worst, 100 * s.energy_error, 100 * s.measured_energy_error, 100 * s.area_worst);
  }
  return out +
         "\nagainst mode cycle; n: networks; tau: Kendall's (less than 0.2 % apart: tied);\n"
         "mean, worst: error in %; energy: with the default activity factors (mean) and\n"
         "with measured activity (meas.)\n";
}

std::string fidelity_csv(const std::vector<FidelityRow>& rows) {
  std::string out = "chip,network";
  for (const Column& column : kColumns) out += fmt::format(",{},analytic_{}", column.name, column.name);
  out += ",measured_energy_j\n";
  for (const FidelityRow& r : rows) {
    out += r.chip + "," + r.network;
    for (const Column& column : kColumns)
      out += fmt::format(",{},{}", r.cycle.*column.member, r.analytic.*column.member);
    out += fmt::format(",{}\n", r.measured_energy());
  }
  return out;
}

std::map<std::pair<std::string, std::string>, FidelityRow::Figures> read_fidelity_csv(
    const std::string& path, const std::string& text) {
  std::map<std::pair<std::string, std::string>, FidelityRow::Figures> rows;
  std::istringstream lines(text);
  std::string line;
  std::getline(lines, line);
  const std::vector<std::string> names = fields(line);
  const auto column = [&](const std::string& name) {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end())
      throw base::UsageError({path, "has no column " + name, "a table of bitline fidelity --csv", ""});
    return static_cast<std::size_t>(found - names.begin());
  };
  const std::size_t chip = column("chip"), network = column("network");
  for (int number = 2; std::getline(lines, line); ++number) {
    const std::vector<std::string> values = fields(line);
    if (values.size() != names.size())
      throw base::UsageError({fmt::format("{}:{}", path, number), fmt::format("{} fields", values.size()),
                              fmt::format("{}", names.size()), ""});
    FidelityRow::Figures& figures = rows[{values[chip], values[network]}];
    for (const Column& c : kColumns) {
      const std::string& value = values[column(c.name)];
      const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), figures.*c.member);
      if (error != std::errc() || end != value.data() + value.size())
        throw base::UsageError({fmt::format("{}:{}: {}", path, number, c.name), value, "a number", ""});
    }
  }
  return rows;
}

std::string fidelity_json(const std::vector<FidelityRow>& rows) {
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  std::vector<std::string> names = chips(rows);
  names.emplace_back();
  for (const std::string& chip : names) {
    const FidelitySummary s = summarise(rows, chip);
    json.push_back(
        {{"chip", chip.empty() ? "all" : chip},
         {"networks", s.rows},
         {"latency", {{"tau", s.latency_tau}, {"error", s.latency_error}, {"worst", s.latency_worst}}},
         {"interval", {{"tau", s.interval_tau}, {"error", s.interval_error}, {"worst", s.interval_worst}}},
         {"energy", {{"error", s.energy_error}, {"measured_error", s.measured_energy_error}}},
         {"area", {{"worst", s.area_worst}}}});
  }
  return json.dump(2) + "\n";
}

}  // namespace bitline::cli
