// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <memory>
#include <thread>

#include "tools/bitline/commands.h"
#include "tools/bitline/log.h"
#include "tools/sweep/progress.h"
#include "tools/sweep/results.h"
#include "tools/sweep/run.h"

namespace bitline::cli {
namespace {

using Clock = std::chrono::steady_clock;

struct SweepOptions {
  std::string file, out, folder, points;
  std::vector<std::string> objectives;
  std::int64_t max_points = sweep::kMostPoints;
  std::int64_t memory = 0;
  double timeout_s = 0;
  int jobs = 0;
  std::string keep = "all";
  std::string reports;  ///< empty: front, unless that is large
  bool list = false, json = false, quiet = false, retry_failed = false;
};

volatile std::sig_atomic_t interrupted = 0;

/// SIGINT and SIGTERM ask for a clean end while this lives.
class Interrupts {
 public:
  Interrupts() {
    interrupted = 0;
    struct sigaction action {};
    action.sa_handler = [](int signal) { interrupted = signal; };  // without SA_RESTART: poll() returns
    sigaction(SIGINT, &action, &old_int_);
    sigaction(SIGTERM, &action, &old_term_);
  }
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;
  ~Interrupts() {
    sigaction(SIGINT, &old_int_, nullptr);
    sigaction(SIGTERM, &old_term_, nullptr);
  }

 private:
  struct sigaction old_int_ {};
  struct sigaction old_term_ {};
};

/// A line on the terminal; nothing elsewhere.
class ProgressLine {
 public:
  ProgressLine(const Streams& streams, bool quiet, std::size_t before, std::size_t total)
      : streams_(streams), shown_(streams.terminal && !quiet) {
    progress_.before = before;
    progress_.total = total;
  }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  ~ProgressLine() { clear(); }
  void update(std::size_t finished, std::size_t failed) {
    const auto now = Clock::now();
    if (!shown_ || (drawn_ && now - last_ < std::chrono::milliseconds(100))) return;
    last_ = now;
    drawn_ = true;
    progress_.finished = finished;
    progress_.failed = failed;
    progress_.elapsed_s = std::chrono::duration<double>(now - start_).count();
    streams_.err << fmt::format("\r{:<79}", sweep::progress_line(progress_)) << std::flush;
  }
  void clear() {
    if (drawn_) streams_.err << '\r' << std::string(79, ' ') << '\r' << std::flush;
    drawn_ = false;
  }

 private:
  const Streams& streams_;
  bool shown_, drawn_ = false;
  Clock::time_point start_ = Clock::now(), last_{};
  sweep::Progress progress_;
};

void list_points(const SweepOptions& options, const sweep::Plan& plan, const Streams& streams) {
  for (const sweep::Point& point : plan.points) {
    const sweep::Json json = sweep::describe(plan.spec, point);
    if (options.json) {
      streams.out << json.dump(-1, ' ', false, sweep::Json::error_handler_t::replace) << "\n";
      continue;
    }
    streams.out << "  " << point.id;
    for (const auto& [name, value] : json["axes"].items())
      if (value.is_string()) streams.out << "  " << name << "=" << value.get<std::string>();
    streams.out << "\n";
  }
}

/// Some points alone, as JSON lines: to look at one again, or from another program.
void print_points(const SweepOptions& options, const sweep::Plan& plan, const Streams& streams) {
  const std::vector<std::size_t> chosen = sweep::chosen_points(plan, options.points, "--points");
  const auto print = [&](const sweep::Outcome& outcome) {
    sweep::Json json = outcome.record;
    if (!outcome.result.empty()) json["result"] = outcome.result;
    streams.out << json.dump(-1, ' ', false, sweep::Json::error_handler_t::replace) << "\n" << std::flush;
  };
  sweep::evaluate_points(
      plan, chosen,
      {.jobs = options.jobs, .timeout_s = options.timeout_s, .keep_results = options.keep == "all"},
      [&](std::size_t, const sweep::Outcome& outcome) { print(outcome); });
}

std::string again(const SweepOptions& options) {
  return fmt::format("bitline sweep {} --out {}", options.file, options.out);
}

constexpr std::size_t kMostUnasked = 100;  // reports; each has more than a megabyte

sweep::Reports wanted_reports(const SweepOptions& options, const sweep::Front& front, const Log& log) {
  if (options.reports == "all") return sweep::Reports::all;
  if (options.reports == "none") return sweep::Reports::none;
  const auto members =
      static_cast<std::size_t>(std::count(front.is_member.begin(), front.is_member.end(), true));
  if (options.reports.empty() && members > kMostUnasked) {
    log.info(fmt::format("no reports: the front has {} points; --reports front makes them", members));
    return sweep::Reports::none;
  }
  return sweep::Reports::front;
}

/// Nothing came out: that is the failure of the first point.
void check_any(const sweep::Records& records) {
  const bool any = std::any_of(records.begin(), records.end(),
                               [](const auto& record) { return record && record->contains("figures"); });
  if (!any) throw Exit{static_cast<base::ExitCode>((*records.front())["error"].value("code", 6))};
}

void run_sweep(SweepOptions& options, const Streams& streams) {
  if (options.jobs == 0) options.jobs = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  const auto memory = limit_memory(options.memory);
  const sweep::Plan plan =
      sweep::make_plan(sweep::read_spec(options.file, options.folder), options.max_points);
  if (!options.objectives.empty()) (void)sweep::read_objectives(options.objectives, "--objectives");
  if (options.list) return list_points(options, plan, streams);
  if (!options.points.empty()) return print_points(options, plan, streams);
  if (options.out.empty())
    throw base::UsageError(base::Problem{"--out", "is missing", "a folder for the results", "or use --list"});
  const Log log(streams, options.quiet);
  sweep::Store store(plan, {options.out, options.keep == "all", options.retry_failed});
  const std::size_t before = plan.points.size() - store.pending().size();
  if (before > 0 && before < plan.points.size())
    log.info(fmt::format("{} of {} points are there already", before, plan.points.size()));
  const Interrupts interrupts;
  ProgressLine line(streams, options.quiet, before, plan.points.size());
  sweep::RunOptions run{options.jobs, options.timeout_s, options.keep == "all"};
  run.progress = [&](std::size_t finished, std::size_t failed) { line.update(finished, failed); };
  run.stop = [] { return interrupted != 0; };
  const bool done = sweep::run_points(plan, store, run);
  line.clear();
  if (!done) {
    log.warn(fmt::format("interrupted: {} of {} points are done and kept; to go on: {}",
                         plan.points.size() - store.pending().size(), plan.points.size(), again(options)));
    throw Exit{static_cast<base::ExitCode>(128 + interrupted)};
  }
  const sweep::Front front = sweep::front_of(plan, store.records(), options.objectives);
  sweep::write_reports(plan, store, front, wanted_reports(options, front, log));
  sweep::write_results(plan, store, front);
  streams.out << (options.json ? sweep::results_json(plan, store.records(), front)
                               : sweep::results_text(plan, store.records(), front));
  log.info(fmt::format("results.csv, results.json and index.html are in {}", options.out));
  check_any(store.records());
}

}  // namespace

void add_sweep(CLI::App& app, const Streams& streams) {
  CLI::App& command = *app.add_subcommand("sweep", "Design spaces: many runs, their Pareto front");
  const auto options = std::make_shared<SweepOptions>();
  command.add_option("file", options->file, "The sweep (YAML): tools/sweep/README.md")
      ->required()
      ->type_name("FILE");
  command.add_option("--out", options->out, "Results go here; a sweep that was interrupted goes on")
      ->type_name("DIR");
  command.add_option("--jobs", options->jobs, "Worker processes (default: one per processor)")
      ->type_name("N")
      ->check(CLI::Range(1, 1024).description(""));
  command.add_option("--timeout", options->timeout_s, "Seconds for each point (default: no limit)")
      ->type_name("S")
      ->check(CLI::Range(0.001, 1e9).description(""));
  command
      .add_option("--objectives", options->objectives,
                  "Of the Pareto front: figures, such as energy_j,max:tops (default: those of the file, else "
                  "energy_j,latency_s,area_mm2, and top1 with labels)")
      ->type_name("NAME,..")
      ->delimiter(',');
  command.add_flag("--retry-failed", options->retry_failed, "Evaluate failed points once more");
  command
      .add_option("--keep-results", options->keep,
                  "all: result.json of each point in points/ID (default); none: only the table")
      ->type_name("WHICH")
      ->check(CLI::IsMember({"all", "none"}));
  command
      .add_option("--reports", options->reports,
                  "Make points/ID/report.html, which the page opens, of these: front (default, up to 100 "
                  "points), all, none")
      ->type_name("WHICH")
      ->check(CLI::IsMember({"front", "all", "none"}));
  command.add_flag("--list", options->list, "Print the points and stop; with --json as JSON lines");
  command
      .add_option("--points", options->points,
                  "Evaluate these only and print them as JSON lines; --out is not touched")
      ->type_name("N,N-N");
  command
      .add_option("--max-points", options->max_points,
                  fmt::format("Refuse a sweep of more points (default: {})", sweep::kMostPoints))
      ->type_name("N")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{100'000'000}).description(""));
  command
      .add_option("--base", options->folder, "Where relative paths of the file start (default: its folder)")
      ->type_name("DIR");
  add_memory(command, options->memory);
  command.add_flag("--json", options->json, "Print the results as JSON instead of the table");
  add_quiet(command, options->quiet);
  using enum base::ExitCode;
  command.footer(
      "\nPoints that fail are kept with their errors; if all fail, the exit\n"
      "code is that of the first.\n"
      "Interrupted (SIGINT, SIGTERM): 128 + the signal, and the same command goes on.\n\n" +
      footer({"bitline sweep workloads/digits-sweep.yaml --out out/sweep",
              "bitline sweep workloads/digits-sweep.yaml --list",
              "bitline sweep workloads/digits-sweep.yaml --points 3 --json"},
             {ok, usage, config, network, mapping, simulation, timeout}));
  command.callback([options, streams] { run_sweep(*options, streams); });
}

}  // namespace bitline::cli
