// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <memory>
#include <nlohmann/json.hpp>

#include "models/base/files.h"
#include "sim/result/text.h"
#include "tools/bitline/commands.h"
#include "tools/bitline/wrap.h"
#include "workloads/networks.h"

namespace bitline::cli {
namespace {

struct WorkloadOptions {
  std::string name;
  std::string file;
  std::uint64_t seed = 1;
  workloads::Options network;
  bool json = false, quiet = false;
};

void list(const WorkloadOptions& options, const Streams& streams) {
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const workloads::Workload& workload : workloads::list()) {
    json.push_back({{"name", workload.name}, {"description", workload.description}});
    if (!options.json)
      streams.out << fmt::format("{:<16}{}\n", workload.name,
                                 wrapped(workload.description, result::kReportWidth, 16).substr(16));
  }
  if (options.json) streams.out << json.dump(2) << "\n";
}

void make(const WorkloadOptions& options, const Streams& streams) {
  const std::string bytes = workloads::make(options.name, options.seed, options.network);
  const std::string file = options.file.empty() ? options.name + ".onnx" : options.file;
  base::write_file_atomically(file, bytes);
  if (options.quiet) return;
  streams.out << fmt::format("{}: {} bytes\n", file, result::count(static_cast<std::int64_t>(bytes.size())));
}

}  // namespace

void add_workload(CLI::App& app, const Streams& streams) {
  CLI::App& command = *app.add_subcommand("workload", "Well-known networks with seeded weights");
  command.require_subcommand(1);
  const auto options = std::make_shared<WorkloadOptions>();
  using enum base::ExitCode;
  const std::string help =
      "\n" + footer({"bitline workload list", "bitline workload make resnet18 -o resnet18.onnx",
                     "bitline workload make vgg8 --seed 7",
                     "bitline workload make darts --genotype PC_DARTS --layers 8 --channels 16"},
                    {ok, usage});
  command.footer(help);

  CLI::App& listing = *command.add_subcommand("list", "The networks there are");
  listing.add_flag("--json", options->json, "Print JSON");
  listing.footer(help);
  listing.callback([options, streams] { list(*options, streams); });

  CLI::App& making = *command.add_subcommand("make", "Write one; equal seeds give equal bytes");
  making.add_option("name", options->name, "As in `bitline workload list`")->required()->type_name("NAME");
  making.add_option("--seed", options->seed, "Seed of the weights (default: 1)")->type_name("N");
  making
      .add_option("--genotype", options->network.genotype,
                  "Cells of darts: DARTS_V1, DARTS_V2 (default), PC_DARTS or a JSON file")
      ->type_name("NAME");
  making.add_option("--layers", options->network.layers, "Cells of darts (default: 20)")->type_name("N");
  making.add_option("--channels", options->network.channels, "Of darts' first cells (default: 36)")
      ->type_name("N");
  making.add_option("--classes", options->network.classes, "Outputs of darts and of the image networks")
      ->type_name("N");
  making.add_option("--resolution", options->network.resolution, "Height and width of their images")
      ->type_name("N");
  making.add_option("-o,--output", options->file, "Where to (default: NAME.onnx)")->type_name("FILE");
  add_quiet(making, options->quiet);
  making.footer(help);
  making.callback([options, streams] { make(*options, streams); });
}

}  // namespace bitline::cli
