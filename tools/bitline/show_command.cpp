// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>

#include <memory>

#include "models/base/files.h"
#include "sim/mapping.h"
#include "tools/bitline/commands.h"
#include "tools/bitline/show_table.h"

namespace bitline::cli {
namespace {

struct ShowOptions {
  sim::MappingRequest request;
  std::string dot;
  std::int64_t memory = 0;
  bool json = false;
};

ShownNetwork read(const sim::MappingRequest& request) {
  if (!request.arch.empty()) return describe(sim::map_network(request));
  if (!request.overrides.empty())
    throw base::UsageError(
        base::Problem{"--set", "given without --arch", "", "give the machine that it changes"});
  return describe(sim::import_network(request.network, request.dimensions));
}

}  // namespace

void add_show(CLI::App& app, const Streams& streams) {
  CLI::App& command = *app.add_subcommand("show", "A network after import: what runs where");
  const auto options = std::make_shared<ShowOptions>();
  sim::MappingRequest& request = options->request;
  command.add_option("network", request.network, "Network (ONNX)")->required()->type_name("FILE");
  command.add_option("--arch", request.arch, "Architecture (YAML): also the crossbars of each layer on it")
      ->type_name("FILE");
  add_overrides(command, request.overrides);
  add_dimensions(command, request.dimensions);
  command.add_option("--dot", options->dot, "Write the graph for Graphviz here")->type_name("FILE");
  add_memory(command, options->memory);
  command.add_flag("--json", options->json, "Print JSON");
  using enum base::ExitCode;
  command.footer(
      "\n" + footer({"bitline show workloads/digits-cnn.onnx",
                     "bitline show workloads/digits-cnn.onnx --arch configs/isaac.yaml",
                     "bitline show workloads/digits-cnn.onnx --dot net.dot", "dot -Tsvg net.dot > net.svg"},
                    {ok, usage, config, network, mapping}));
  command.callback([options, streams] {
    const auto limit = limit_memory(options->memory);
    const ShownNetwork network = read(options->request);
    if (!options->dot.empty()) base::write_file_atomically(options->dot, to_dot(network));
    streams.out << (options->json ? to_json(network) : to_table(network));
  });
}

}  // namespace bitline::cli
