// SPDX-License-Identifier: Apache-2.0
// The headline figures of a point: columns of the table of results, and what can be an objective.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sim/result/result.h"
#include "tools/oracle/request.h"

namespace bitline::sweep {

using oracle::Json;

struct Figure {
  const char* name;  ///< with its unit
  bool more_is_better;
  const char* doc;
  std::optional<double> (*get)(const result::Result&);
};

[[nodiscard]] std::span<const Figure> all_figures();
/// All figures by name; null where a result has none.
[[nodiscard]] Json figures_json(const result::Result& result);

/// What a Pareto front is over.
struct Objective {
  std::string figure;
  bool maximise = false;
};
/// "energy_j", "max:tops", "min:area_mm2". What is wrong with it; empty: nothing.
[[nodiscard]] std::string wrong_objective(const std::string& text);
/// Throws base::UsageError naming `where` with every problem; at least two, each once.
[[nodiscard]] std::vector<Objective> read_objectives(const std::vector<std::string>& texts,
                                                     const std::string& where);
/// "latency_s, interval_s, ..."
[[nodiscard]] std::string figure_names();

}  // namespace bitline::sweep
