// SPDX-License-Identifier: Apache-2.0
#include "tools/sweep/results.h"

#include "tools/sweep/page.h"

namespace bitline::sweep {

Front front_of(const Plan& plan, const Records& records, const std::vector<std::string>& objectives) {
  return find_front(records, objectives.empty() ? plan.spec.objectives : objectives);
}

void write_results(const Plan& plan, const Store& store, const Front& front) {
  std::vector<bool> reports;
  for (std::size_t p = 0; p < plan.points.size(); ++p) reports.push_back(store.has_file(p, "report.html"));
  store.write("results.csv", results_csv(plan, store.records(), front));
  store.write("results.json", results_json(plan, store.records(), front));
  store.write("index.html", page(plan, store.records(), front, reports));
}

}  // namespace bitline::sweep
