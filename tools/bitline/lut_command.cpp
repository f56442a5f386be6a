// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <memory>

#include "models/base/files.h"
#include "sim/result/text.h"
#include "tools/bitline/commands.h"
#include "tools/lut/lut.h"

namespace bitline::cli {
namespace {

struct LutOptions {
  lut::Request request;
  std::string space = "darts";
  std::vector<std::string> activity;
  std::optional<std::int64_t> layers, classes;
  std::vector<std::int64_t> channels, resolutions;
  std::vector<std::string> files;
  bool json = false;
  std::int64_t memory = 0;
};

bool is_csv(const std::string& file) {
  return file.ends_with(".csv");
}

/// A network unless a list has several numbers.
void read_shape(LutOptions& options) {
  const bool lists = options.channels.size() > 1 || options.resolutions.size() > 1;
  if (lists && (options.layers || options.classes))
    throw base::UsageError(base::Problem{"--layers, --classes", "is given with lists of sizes",
                                         "one number each for --channels and --resolution", ""});
  if (lists) {
    options.request.channels = options.channels;
    options.request.resolutions = options.resolutions;
    return;
  }
  workloads::DartsShape shape;
  if (!options.channels.empty()) shape.channels = options.channels.front();
  if (!options.resolutions.empty()) shape.resolution = options.resolutions.front();
  shape.layers = options.layers.value_or(shape.layers);
  shape.classes = options.classes.value_or(shape.classes);
  options.request.network = shape;
}

std::string text(const lut::Table& table) {
  result::Table rows({"part", "stride", "channels", "side", "latency", "interval", "energy", "xbars"});
  for (const std::vector<lut::Row>* part : {&table.operations, &table.fixed})
    for (const lut::Row& r : *part)
      rows.add({r.part, std::to_string(r.stride), std::to_string(r.channels_out),
                std::to_string(r.resolution), result::si(r.cost.latency, "s"),
                result::si(r.cost.interval, "s"), result::si(r.cost.energy, "J"),
                std::to_string(r.cost.crossbars)});
  return rows.str();
}

void run_lut(LutOptions& options, const Streams& streams) {
  for (const std::string& file : options.files)
    if (!is_csv(file) && !file.ends_with(".json"))
      throw base::UsageError(base::Problem{"--out", file, "a name that ends in .json or .csv", ""});
  options.request.activity = read_activity(options.activity);
  read_shape(options);
  const auto memory = limit_memory(options.memory);
  const lut::Table table = lut::make_table(options.request);
  const auto json = [&] { return lut::table_json(table).dump(2) + "\n"; };
  for (const std::string& file : options.files)
    base::write_file_atomically(file, is_csv(file) ? lut::table_csv(table) : json());
  if (options.json)
    streams.out << json();
  else if (options.files.empty())
    streams.out << text(table);
}

}  // namespace

void add_lut(CLI::App& app, const Streams& streams) {
  CLI::App& command = *app.add_subcommand("lut", "Cost of every operation of a search space");
  const auto options = std::make_shared<LutOptions>();
  command.add_option("--space", options->space, "The space: darts (default)")
      ->type_name("NAME")
      ->check(CLI::IsMember({"darts"}));
  command.add_option("--arch", options->request.arch, "Architecture (YAML)")->required()->type_name("FILE");
  add_overrides(command, options->request.overrides);
  command.add_option("--layers", options->layers, "Cells of the network (default: 20)")->type_name("N");
  command
      .add_option("--channels", options->channels,
                  "Of the network's first cells (default: 36); or a list: of the operations")
      ->type_name("N,...")
      ->delimiter(',');
  command.add_option("--classes", options->classes, "Of the network (default: 10)")->type_name("N");
  command
      .add_option("--resolution", options->resolutions,
                  "Height and width of the images (default: 32); or a list: of what the operations read")
      ->type_name("N,...")
      ->delimiter(',');
  add_activity(command, options->activity);
  command.add_option("--out", options->files, "Write FILE.json or FILE.csv (repeatable)")
      ->type_name("FILE")
      ->allow_extra_args(false);
  command.add_flag("--json", options->json, "Print JSON");
  add_memory(command, options->memory);
  using enum base::ExitCode;
  command.footer("\n" + footer({"bitline lut --arch configs/isaac-8bit.yaml \\",
                                "    --layers 8 --channels 16 --out lut.json",
                                "bitline lut --arch configs/isaac.yaml --channels 16,32,64 \\",
                                "    --resolution 32,16,8 --out lut.csv"},
                               {ok, usage, config, mapping}));
  command.callback([options, streams] { run_lut(*options, streams); });
}

}  // namespace bitline::cli
