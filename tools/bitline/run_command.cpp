// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <map>
#include <memory>
#include <optional>

#include "sim/analyse.h"
#include "sim/result/csv.h"
#include "sim/result/json.h"
#include "sim/result/output_folder.h"
#include "sim/result/profile.h"
#include "sim/result/report.h"
#include "sim/result/timeline.h"
#include "sim/simulate.h"
#include "tools/bitline/commands.h"
#include "tools/bitline/log.h"
#include "tools/bitline/progress.h"
#include "tools/bitline/watchdog.h"

namespace bitline::cli {
namespace {

struct RunOptions {
  sim::SimulationRequest request;
  std::string mode = "cycle";
  std::vector<std::string> activity;
  std::string out;
  int threads = 0;
  std::int64_t memory = 0;
  bool json = false;
  bool quiet = false;
  bool profile = false;
  bool timeline = false;
};

void write_files(const result::OutputFolder& folder, const result::Result& r) {
  folder.write("result.json", result::to_json(r));
  folder.write("layers.csv", result::layers_csv(r));
  folder.write("components.csv", result::components_csv(r));
  if (r.device) folder.write("chips.csv", result::chips_csv(*r.device));
}

bool has_values(const sim::SimulationRequest& r) {
  return !r.input.empty() || !r.named_inputs.empty() || !r.calibration.empty() || !r.labels.empty() ||
         !r.dump_outputs.empty() || !r.dump_layers.empty();
}

result::Result simulate(RunOptions& options) {
  const bool analytic = options.mode == "analytic";
  if (!analytic && !options.activity.empty())
    throw base::UsageError(
        base::Problem{"--activity", "given with --mode " + options.mode, "--mode analytic", ""});
  const bool measured = options.activity == std::vector<std::string>{"measured"};
  const bool values = has_values(options.request);
  if (values && !options.activity.empty() && !measured)
    throw base::UsageError(base::Problem{"--activity",
                                         "factors beside images, whose values tell the activity",
                                         "factors, or images", "leave one of them out"});
  if (analytic && !values && !measured)
    return sim::analyse({options.request.files, options.request.batch, read_activity(options.activity),
                         options.request.seed});
  options.request.mode = analytic                       ? sim::Mode::analytic
                         : options.mode == "structural" ? sim::Mode::structural
                                                        : sim::Mode::cycle;
  return sim::simulate(options.request);
}

void run_simulation(RunOptions& options, const Streams& streams) {
  std::optional<result::OutputFolder> folder;
  if (!options.out.empty()) folder.emplace(options.out, "--out");
  const auto limit = limit_threads(options.threads);
  const auto memory = limit_memory(options.memory);
  const Watchdog watchdog(options.request.timeout_s);
  ProgressBar bar(streams, options.quiet);
  options.request.progress = [&bar](const char* phase, std::int64_t done, std::int64_t total) {
    bar.update(phase, done, total);
  };
  const result::Result r = simulate(options);
  bar.clear();
  if (folder) write_files(*folder, r);
  streams.out << (options.json ? result::to_json(r) : result::report(r));
  if (options.timeline && !options.json) streams.out << result::timeline(r);
  if (options.profile) streams.err << result::profile_table(r.profile);
  const Log log(streams, options.quiet);
  if (folder) log.info(fmt::format("result.json, layers.csv and components.csv are in {}", options.out));
  log.info(fmt::format("wall time {:.2f} s: preparation {:.2f}, values {:.2f}, simulation of time {:.2f}",
                       r.wall_time.total, r.wall_time.prepare, r.wall_time.values, r.wall_time.timing));
}

void add_data_options(CLI::App& command, sim::SimulationRequest& request) {
  add_image_options(command, {request.input, request.named_inputs}, request.labels, request.normalisation,
                    "random images");
  command
      .add_option("--calibrate", request.calibration,
                  fmt::format("Images that set the activation scales (default: the first {} of the input)",
                              sim::kCalibrationImages))
      ->type_name("PATH");
  command
      .add_option(
          "--batch", request.batch,
          "Images streamed through the simulation of time; latency and energy are theirs, accuracy and "
          "outputs are of all images (default: 1)")
      ->type_name("N")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1'000'000}).description(""));
}

void add_control_options(CLI::App& command, RunOptions& options) {
  command
      .add_option("--mode", options.mode,
                  "cycle: IMAs at transaction level (default); structural: every part live, "
                  "checked against the engine (slow); analytic: times from equations instead of a simulation")
      ->type_name("MODE")
      ->check(CLI::IsMember({"cycle", "structural", "analytic"}));
  add_activity(command, options.activity);
  command.add_option("--dump-outputs", options.request.dump_outputs, "Write <output>.npy of all images here")
      ->type_name("DIR");
  command
      .add_option("--dump-layers", options.request.dump_layers,
                  "Write the integers of every crossbar layer and layers.json here")
      ->type_name("DIR");
  command
      .add_option("--out", options.out,
                  "Write result.json, layers.csv and components.csv here (and chips.csv)")
      ->type_name("DIR");
  command.add_option("--seed", options.request.seed, "Seed of random images (default: 1)")->type_name("N");
  command
      .add_option(
          "--trials", options.request.trials,
          "Chips to simulate where device.* or adc.errors.* make them differ, with seeds from device.seed "
          "on: mean and confidence interval (default: 1)")
      ->type_name("N")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1'000'000}).description(""));
  add_threads(command, options.threads);
  add_memory(command, options.memory);
  command
      .add_option("--timeout", options.request.timeout_s, "Give up after this many seconds (default: never)")
      ->type_name("S")
      ->check(CLI::Range(0.001, 1e9).description(""));
  command
      .add_option("--trace", options.request.trace,
                  "Write what every part did (.pftrace, for Perfetto) or, with --mode structural, the IMAs' "
                  "signals (.vcd)")
      ->type_name("FILE");
  command
      .add_option("--trace-window", options.request.trace_window,
                  "Only what overlaps this time, such as 10us:20us (.pftrace)")
      ->type_name("FROM:TO");
  command.add_flag("--timeline", options.timeline, "Also print when each layer was at work, as bars");
  command.add_flag("--profile", options.profile, "Say where the wall time went, on standard error");
  command.add_flag("--json", options.json, "Print the result as JSON instead of the report");
  add_quiet(command, options.quiet);
}

}  // namespace

void add_run(CLI::App& app, const Streams& streams) {
  CLI::App& command = *app.add_subcommand("run", "Simulate: outputs, latency, energy, area");
  const auto options = std::make_shared<RunOptions>();
  add_mapping_options(command, options->request.files);
  add_data_options(command, options->request);
  add_control_options(command, *options);
  using enum base::ExitCode;
  command.footer("\n" +
                 footer({"bitline run --arch configs/isaac-8bit.yaml \\",
                         "    --network workloads/digits-cnn.onnx --out results \\",
                         "    --input workloads/digits-test-x.npy --labels workloads/digits-test-y.npy",
                         "bitline run --arch configs/isaac.yaml --network workloads/digits-mlp.onnx \\",
                         "    --batch 8 --set adc.rate=2GS/s --json"},
                        {ok, usage, config, network, mapping, simulation, timeout}));
  command.callback([options, streams] { run_simulation(*options, streams); });
}

}  // namespace bitline::cli
