// SPDX-License-Identifier: Apache-2.0
// Errors and rank correlation of estimates against simulations.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace bitline::cli {

/// A network on a chip: by simulation and by estimate.
struct FidelityRow {
  struct Figures {
    double latency = 0, interval = 0, energy = 0, area = 0;
    double by_data = 0;  ///< energy of DACs and cells, which depends on the inputs
  };
  std::string chip, network;
  Figures cycle, analytic;

  /// By estimate with measured activity.
  [[nodiscard]] double measured_energy() const { return analytic.energy - analytic.by_data + cycle.by_data; }
};

struct FidelitySummary {
  std::size_t rows = 0;
  double latency_tau = 0, interval_tau = 0;      ///< Kendall's tau-b
  double latency_error = 0, interval_error = 0;  ///< mean relative error
  double latency_worst = 0, interval_worst = 0;
  double energy_error = 0, measured_energy_error = 0;  ///< default factors; measured activity
  double area_worst = 0;
};

/// Figures that differ by less are the same to a search: many networks have the interval of their largest
/// layer.
inline constexpr double kTie = 0.002;
/// Kendall's tau-b of positive figures: 1 where both order all pairs alike; ties (kTie) count for neither.
[[nodiscard]] double kendall_tau(const std::vector<double>& a, const std::vector<double>& b);
/// Of the rows of one chip; empty name: of all.
[[nodiscard]] FidelitySummary summarise(const std::vector<FidelityRow>& rows, const std::string& chip = "");

[[nodiscard]] std::string fidelity_table(const std::vector<FidelityRow>& rows);
[[nodiscard]] std::string fidelity_csv(const std::vector<FidelityRow>& rows);
/// The simulated figures of such a table, `text`, by chip and network. Throws base::UsageError naming `path`.
[[nodiscard]] std::map<std::pair<std::string, std::string>, FidelityRow::Figures> read_fidelity_csv(
    const std::string& path, const std::string& text);
[[nodiscard]] std::string fidelity_json(const std::vector<FidelityRow>& rows);

}  // namespace bitline::cli
