// SPDX-License-Identifier: Apache-2.0
#include "tools/sweep/run.h"

#include <fmt/format.h>
#include <tbb/global_control.h>

#include <algorithm>

#include "tools/sweep/workers.h"

namespace bitline::sweep {
namespace {

/// A simulation looks at the clock itself and says where it was; the kill is for what does not.
constexpr double kGrace = 0.25;

}  // namespace

Json lost_record(const Point& point, bool timed_out, double timeout_s, int signal) {
  if (timed_out)
    return failed_record(point, base::ExitCode::timeout, fmt::format("--timeout: {} s were up", timeout_s));
  return failed_record(point, base::ExitCode::simulation,
                       signal != 0 ? fmt::format("its process was ended by signal {}", signal)
                                   : std::string("its process ended without a result"));
}

void evaluate_points(const Plan& plan, const std::vector<std::size_t>& points, const RunOptions& options,
                     const std::function<void(std::size_t point, const Outcome& outcome)>& ended,
                     const std::function<void()>& tick) {
  // A worker has one thread, so that it can be copied; there are as many workers as may work at once.
  const tbb::global_control one(tbb::global_control::max_allowed_parallelism, 1);
  Evaluator evaluator(plan, options.timeout_s, options.keep_results);  // every worker has its copy
  Work tasks;
  tasks.tasks = points.size();
  tasks.timeout_s = options.timeout_s > 0 ? options.timeout_s + kGrace : 0;
  tasks.run = [&](std::size_t task) { return to_text(evaluator.evaluate(points[task])); };
  tasks.alone = [&](std::size_t task) { return evaluator.is_simulation(points[task]); };
  tasks.prepare = [&](std::size_t task) { evaluator.prepare(points[task]); };
  tasks.stop = options.stop;
  tasks.tick = tick;
  tasks.ended = [&](std::size_t task, const Ended& end) {
    const std::size_t point = points[task];
    if (!end.answer.empty()) return ended(point, outcome_of(end.answer));
    ended(point, {lost_record(plan.points[point], end.timed_out, options.timeout_s, end.signal), ""});
  };
  work(tasks, std::clamp(options.jobs, 1, static_cast<int>(std::max<std::size_t>(points.size(), 1))));
}

bool run_points(const Plan& plan, Store& store, const RunOptions& options) {
  const std::vector<std::size_t> pending = store.pending();
  std::size_t finished = plan.points.size() - pending.size();
  auto failed = static_cast<std::size_t>(
      std::count_if(store.records().begin(), store.records().end(),
                    [](const auto& record) { return record && record->contains("error"); }));
  evaluate_points(
      plan, pending, options,
      [&](std::size_t point, const Outcome& outcome) {
        store.add(point, outcome);
        ++finished;
        if (outcome.record.contains("error")) ++failed;
        options.progress(finished, failed);
      },
      [&] {
        store.commit_if_due();
        options.progress(finished, failed);
      });
  store.commit();
  return finished == plan.points.size();
}

}  // namespace bitline::sweep
