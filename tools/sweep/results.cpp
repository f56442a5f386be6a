// SPDX-License-Identifier: Apache-2.0
#include "tools/sweep/results.h"

#include <tbb/parallel_for.h>

#include <mutex>

#include "tools/report/run_report.h"
#include "tools/sweep/page.h"

namespace bitline::sweep {

Front front_of(const Plan& plan, const Records& records, const std::vector<std::string>& objectives) {
  return find_front(records, objectives.empty() ? plan.spec.objectives : objectives);
}

std::size_t write_reports(const Plan& plan, const Store& store, const Front& front, Reports which,
                          const std::function<void(std::size_t done, std::size_t total)>& made) {
  std::vector<std::size_t> points;
  for (std::size_t p = 0; p < plan.points.size() && which != Reports::none; ++p)
    if ((which == Reports::all || front.is_member[p]) && store.has_file(p, "result.json") &&
        !store.has_file(p, "report.html"))
      points.push_back(p);
  std::mutex mutex;
  std::size_t done = 0;
  tbb::parallel_for(std::size_t{0}, points.size(), [&](std::size_t i) {
    const std::string folder = store.path(store.point_folder(points[i]));
    report::write_run_report(folder, folder + "/report.html");
    const std::lock_guard lock(mutex);
    if (made) made(++done, points.size());
  });
  return points.size();
}

void write_results(const Plan& plan, const Store& store, const Front& front) {
  std::vector<bool> reports;
  for (std::size_t p = 0; p < plan.points.size(); ++p) reports.push_back(store.has_file(p, "report.html"));
  store.write("results.csv", results_csv(plan, store.records(), front));
  store.write("results.json", results_json(plan, store.records(), front));
  store.write("index.html", page(plan, store.records(), front, reports));
}

}  // namespace bitline::sweep
