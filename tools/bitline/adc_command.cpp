// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <map>
#include <memory>
#include <optional>

#include "sim/adc_search.h"
#include "sim/result/output_folder.h"
#include "tools/bitline/commands.h"
#include "tools/bitline/log.h"
#include "tools/bitline/progress.h"

namespace bitline::cli {
namespace {

struct AdcOptions {
  sim::AdcSearchRequest request;
  std::string out;
  std::int64_t memory = 0;
  bool sweep = false;
  bool json = false;
  bool quiet = false;
};

void run_search(AdcOptions& options, const Streams& streams) {
  std::optional<result::OutputFolder> folder;
  if (!options.out.empty()) folder.emplace(options.out, "--out");
  const auto limit = limit_threads(options.request.workers);
  const auto memory = limit_memory(options.memory);
  options.request.search = !options.sweep;
  ProgressBar bar(streams, options.quiet);
  options.request.run.progress = [&bar](const char* phase, std::int64_t done, std::int64_t total) {
    bar.update(phase, done, total);
  };
  const result::AdcSearch found = sim::search_adc_bits(options.request);
  bar.clear();
  if (folder) {
    folder->write("adc.json", result::to_json(found));
    folder->write("adc.csv", result::to_csv(found));
  }
  streams.out << (options.json ? result::to_json(found) : result::report(found));
  if (folder) Log(streams, options.quiet).info(fmt::format("adc.json and adc.csv are in {}", options.out));
}

void add_search_options(CLI::App& command, sim::AdcSearchRequest& request) {
  command
      .add_option("--from", request.from,
                  "Bits to start from, for all slices or for each, most significant first (default: what the "
                  "machine's policy gives)")
      ->type_name("N,..")
      ->delimiter(',');
  command.add_option("--to", request.to, "Fewest bits (default: 1)")->type_name("N");
  command
      .add_option("--max-loss", request.max_loss,
                  "Accuracy that may be lost against converters that never clip, in percentage points "
                  "(default: 0.5)")
      ->type_name("P");
  static const std::map<std::string, sim::AdcObjective> kObjectives{{"energy", sim::AdcObjective::energy},
                                                                    {"edp", sim::AdcObjective::edp},
                                                                    {"area", sim::AdcObjective::area},
                                                                    {"latency", sim::AdcObjective::latency}};
  command
      .add_option_function<std::string>(
          "--objective", [&request](const std::string& name) { request.objective = kObjectives.at(name); },
          "What the cheapest setting has least of: energy (default), edp, area or latency")
      ->type_name("NAME")
      ->check(CLI::IsMember({"energy", "edp", "area", "latency"}));
}

}  // namespace

void add_adc(CLI::App& app, const Streams& streams) {
  CLI::App& command = *app.add_subcommand("adc", "ADC bits per slice: accuracy, cost, the cheapest");
  const auto options = std::make_shared<AdcOptions>();
  sim::SimulationRequest& run = options->request.run;
  add_mapping_options(command, run.files);
  add_image_options(command, {run.input, run.named_inputs}, run.labels, run.normalisation, "");
  command
      .add_option("--calibrate", run.calibration,
                  fmt::format("Images that set the activation scales (default: the first {} of the input)",
                              sim::kCalibrationImages))
      ->type_name("PATH");
  command
      .add_option("--batch", run.batch,
                  "Images streamed through the simulation of time, for energy and latency (default: 1)")
      ->type_name("N")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1'000'000}).description(""));
  add_search_options(command, options->request);
  command.add_flag("--sweep", options->sweep, "Only all slices alike, no search");
  command.add_option("--out", options->out, "Write adc.json and adc.csv here")->type_name("DIR");
  add_threads(command, options->request.workers);
  add_memory(command, options->memory);
  command.add_option("--timeout", run.timeout_s, "Give up after this many seconds (default: never)")
      ->type_name("S")
      ->check(CLI::Range(0.001, 1e9).description(""));
  command.add_flag("--json", options->json, "Print JSON instead of the report");
  add_quiet(command, options->quiet);
  using enum base::ExitCode;
  command.footer("\n" +
                 footer({"bitline adc --arch configs/isaac-8bit.yaml \\",
                         "    --network workloads/digits-cnn.onnx --max-loss 0.5 \\",
                         "    --input workloads/digits-test-x.npy --labels workloads/digits-test-y.npy"},
                        {ok, usage, config, network, mapping, simulation, timeout}));
  command.callback([options, streams] { run_search(*options, streams); });
}

}  // namespace bitline::cli
