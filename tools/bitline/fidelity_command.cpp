// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "models/base/files.h"
#include "tools/bitline/commands.h"
#include "tools/bitline/fidelity_sample.h"
#include "tools/bitline/fidelity_table.h"
#include "tools/bitline/log.h"
#include "tools/bitline/progress.h"
#include "tools/oracle/oracle.h"

namespace bitline::cli {
namespace {

struct FidelityOptions {
  std::vector<std::string> chips;
  bool small = false;
  std::int64_t batch = 3;
  std::string csv, against;
  bool json = false;
  bool quiet = false;
};

/// "FILE" or "FILE,key=value,key=value".
struct Chip {
  std::string name, file;
  std::vector<std::string> overrides;
};

Chip read_chip(const std::string& text) {
  Chip chip;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    const std::string part = text.substr(at, end - at);
    if (at == 0)
      chip.file = part;
    else
      chip.overrides.push_back(part);
    at = end + 1;
  }
  chip.name = std::filesystem::path(chip.file).stem().string();
  for (const std::string& item : chip.overrides) chip.name += " " + item.substr(item.rfind('.') + 1);
  return chip;
}

FidelityRow::Figures figures(const oracle::Json& tree) {
  const oracle::Json& energy = tree["energy_j"]["by_component"];
  return {tree["latency_s"]["image"], tree["latency_s"]["interval"], tree["energy_j"]["total"],
          tree["area_mm2"]["total"], energy["dac"].get<double>() + energy["crossbar"].get<double>()};
}

/// Simulated figures that are known already.
using Known = std::map<std::pair<std::string, std::string>, FidelityRow::Figures>;

FidelityRow compare(oracle::Oracle& oracle, const SampleNetwork& network, const Chip& chip,
                    std::int64_t batch, const Known* known) {
  oracle::Request request;
  request.network.workload = network.workload;
  request.network.options = network.options;
  request.arch = chip.file;
  request.overrides = chip.overrides;
  request.batch = batch;
  FidelityRow row{chip.name, network.label, {}, figures(oracle.result(request))};
  if (known != nullptr) {
    const auto found = known->find({chip.name, network.label});
    if (found == known->end())
      throw base::UsageError({"--against", fmt::format("has no row {},{}", chip.name, network.label),
                              "a table of the same machines and sample", ""});
    row.cycle = found->second;
  } else {
    request.fidelity = oracle::Fidelity::cycle;
    row.cycle = figures(oracle.result(request));
  }
  return row;
}

void run_fidelity(const FidelityOptions& options, const Streams& streams) {
  std::vector<Chip> chips;
  for (const std::string& text : options.chips) chips.push_back(read_chip(text));
  std::vector<std::pair<SampleNetwork, std::size_t>> pairs;
  std::size_t next = 0;
  for (const SampleNetwork& network : fidelity_sample(options.small)) {
    for (std::size_t c = 0; c < chips.size(); ++c)
      if (network.on_every_chip || c == next % chips.size()) pairs.emplace_back(network, c);
    if (!network.on_every_chip) ++next;
  }
  std::optional<Known> known;
  if (!options.against.empty())
    known = read_fidelity_csv(options.against, base::read_file(options.against, std::int64_t{1} << 28));
  oracle::Oracle oracle(oracle::own_program());
  ProgressBar bar(streams, options.quiet);
  std::vector<FidelityRow> rows;
  for (const auto& [network, chip] : pairs) {
    rows.push_back(compare(oracle, network, chips[chip], options.batch, known ? &*known : nullptr));
    bar.update("networks", static_cast<std::int64_t>(rows.size()), static_cast<std::int64_t>(pairs.size()));
  }
  bar.clear();
  if (!options.csv.empty()) base::write_file_atomically(options.csv, fidelity_csv(rows));
  streams.out << (options.json ? fidelity_json(rows) : fidelity_table(rows));
}

}  // namespace

void add_fidelity(CLI::App& app, const Streams& streams) {
  CLI::App& command = *app.add_subcommand("fidelity", "Mode analytic against mode cycle on a sample");
  const auto options = std::make_shared<FidelityOptions>();
  command
      .add_option("--arch", options->chips,
                  "A machine, FILE or FILE,key=value,... (repeatable: genotypes are dealt out in turn, other "
                  "networks "
                  "run on each)")
      ->required()
      ->type_name("FILE")
      ->allow_extra_args(false);
  command.add_flag("--small", options->small, "A few networks that take seconds");
  command.add_option("--batch", options->batch, "Images streamed (default: 3)")
      ->type_name("N")
      ->check(CLI::Range(std::int64_t{2}, std::int64_t{100}).description(""));
  command.add_option("--csv", options->csv, "Also write every network's figures here")->type_name("FILE");
  command
      .add_option("--against", options->against,
                  "Take the simulated figures from this table (--csv of the same machines, sample and batch) "
                  "instead of simulating")
      ->type_name("FILE");
  command.add_flag("--json", options->json, "Print JSON");
  add_quiet(command, options->quiet);
  using enum base::ExitCode;
  command.footer("\n" + footer({"bitline fidelity --small --arch configs/isaac-8bit.yaml",
                                "bitline fidelity --arch configs/isaac.yaml --csv fidelity.csv \\",
                                "    --arch configs/isaac-8bit.yaml,mapping.replication=balanced"},
                               {ok, usage, config, network, mapping, simulation}));
  command.callback([options, streams] { run_fidelity(*options, streams); });
}

}  // namespace bitline::cli
