// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "mapper/place/traffic.h"
#include "sim/mapping.h"
#include "sim/result/text.h"
#include "sim/sparsity.h"
#include "tools/bitline/commands.h"

namespace bitline::cli {
namespace {

using Json = nlohmann::ordered_json;
using result::Table;

struct MapOptions {
  sim::MappingRequest request;
  int threads = 0;
  std::int64_t memory = 0;
  bool json = false;
};

std::size_t tiles_of(const place::LayerPlacement& layer) {
  std::set<int> tiles;
  for (const place::ImaPart& part : layer.imas) tiles.insert(part.tile);
  return tiles.size();
}

/// Of all chips.
std::int64_t tiles_of(const sim::Mapping& mapping) {
  return std::int64_t{mapping.arch().chip.tiles} * mapping.program.chips;
}

std::size_t imas_of(const place::Program& program) {
  std::size_t sum = 0;
  for (const place::LayerPlacement& layer : program.layers) sum += layer.imas.size();
  return sum;
}

/// Cells that hold a weight / cells of the used crossbars.
double cell_utilization(const place::Program& program) {
  double sum = 0;
  for (const place::LayerPlacement& layer : program.layers)
    sum += layer.cell_utilization * static_cast<double>(layer.crossbars);
  return program.crossbars_used > 0 ? sum / static_cast<double>(program.crossbars_used) : 0.0;
}

Json pruned(const sim::LayerSparsity& layer) {
  return {{"rows_before", layer.before.rows_per_group},
          {"cols_before", layer.before.groups * layer.before.outputs_per_group},
          {"crossbars_before", layer.crossbars_before},
          {"nearly_empty",
           {{"rows", layer.nearly_empty.rows},
            {"columns", layer.nearly_empty.columns},
            {"weights", layer.nearly_empty.weights},
            {"crossbars_without", layer.crossbars_without}}}};
}

/// What zeros took off the crossbars of one copy of each layer, and what few weights still take.
std::string pruned_table(const sim::Mapping& mapping, const std::vector<sim::LayerSparsity>& sparse) {
  const auto size = [](const slice::LayerShape& shape) {
    return fmt::format("{} x {}", shape.rows_per_group, shape.groups * shape.outputs_per_group);
  };
  Table table({"layer", "zeros", "matrix before", "now", "xbars", "now", "nearly empty", "without"});
  std::int64_t before = 0;
  std::int64_t now = 0;
  for (std::size_t l = 0; l < sparse.size(); ++l) {
    const sim::LayerSparsity& layer = sparse[l];
    table.add({mapping.program.layers[l].name, result::percent(layer.zero_weights), size(layer.before),
               size(layer.now), std::to_string(layer.crossbars_before), std::to_string(layer.crossbars),
               fmt::format("{}+{}", layer.nearly_empty.rows, layer.nearly_empty.columns),
               std::to_string(layer.crossbars_without)});
    before += layer.crossbars_before;
    now += layer.crossbars;
  }
  return fmt::format(
      "\nmapping.prune: {}; crossbars {}, before {}  (one copy of each layer)\n\n{}\n"
      "zeros: weights that are 0; matrix: rows of a group x outputs; nearly empty:\n"
      "rows + columns with at most {:g} % of their weights; without: crossbars, were\n"
      "these removed\n",
      arch::to_string(mapping.arch().mapping.prune), result::count(now), result::count(before), table.str(),
      mapping.arch().mapping.nearly_empty);
}

std::string to_json(const sim::Mapping& mapping) {
  const place::Program& program = mapping.program;
  const arch::Arch& arch = mapping.arch();
  Json json;
  json["crossbars"] = {{"used", program.crossbars_used},
                       {"available", program.crossbars_available},
                       {"cell_utilization", cell_utilization(program)}};
  json["imas"] = {{"used", imas_of(program)}, {"available", tiles_of(mapping) * arch.tile.imas}};
  json["tiles"] = {{"used", program.tiles_used}, {"available", tiles_of(mapping)}};
  json["chips"] = program.chips;
  json["phases"] = std::max<std::size_t>(1, program.phases.size());
  const place::NocTraffic traffic = place::noc_traffic(program, arch);
  json["noc"] = {{"placement", arch::to_string(arch.mapping.placement)},
                 {"bytes", traffic.bytes},
                 {"hop_bytes", traffic.hop_bytes},
                 {"between_chips", traffic.between_chips}};
  if (mapping.grouped.layers > 0)
    json["grouped"] = {{"mapping", arch::to_string(arch.mapping.depthwise)},
                       {"layers", mapping.grouped.layers},
                       {"packed", mapping.grouped.packed},
                       {"dense", mapping.grouped.dense},
                       {"digital", 0}};
  json["layers"] = Json::array();
  const std::vector<sim::LayerSparsity> sparse = sim::sparsity(mapping);
  for (std::size_t l = 0; l < program.layers.size(); ++l) {
    const place::LayerPlacement& layer = program.layers[l];
    const slice::SlicedLayer& sliced = *mapping.sliced[l];
    json["layers"].push_back({{"name", layer.name},
                              {"op", graph::to_string(mapping.graph->node(layer.node).op)},
                              {"groups", sliced.groups},
                              {"rows", sliced.rows_per_group},
                              {"cols", sliced.outputs()},
                              {"slices", sliced.slices.size()},
                              {"row_blocks", sliced.blocks.size()},
                              {"windows", layer.windows},
                              {"replicas", layer.replicas},
                              {"crossbars", layer.crossbars},
                              {"imas", layer.imas.size()},
                              {"tiles", tiles_of(layer)},
                              {"cell_utilization", layer.cell_utilization},
                              {"zero_weights", sparse[l].zero_weights}});
    if (arch.mapping.prune != arch::Prune::none) json["layers"].back()["pruned"] = pruned(sparse[l]);
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string to_text(const sim::Mapping& mapping) {
  const place::Program& program = mapping.program;
  const arch::Arch& arch = mapping.arch();
  const place::NocTraffic traffic = place::noc_traffic(program, arch);
  std::string out = fmt::format(
      "crossbars  {} of {} used, {} of their cells hold a weight\nIMAs       {} of {}\ntiles      {} of "
      "{}\nnetwork    {} B an image, {} hop-bytes, {}\n\n",
      result::count(program.crossbars_used), result::count(program.crossbars_available),
      result::percent(cell_utilization(program)), imas_of(program), tiles_of(mapping) * arch.tile.imas,
      program.tiles_used, tiles_of(mapping), result::count(traffic.bytes), result::count(traffic.hop_bytes),
      arch::to_string(arch.mapping.placement));
  if (program.chips > 1) {
    out.pop_back();
    out += fmt::format("chips      {}, {} B an image between them\n\n", program.chips,
                       result::count(traffic.between_chips));
  }
  if (!program.phases.empty()) {
    out.pop_back();
    out += fmt::format("phases     {}, one after another on the same crossbars\n\n", program.phases.size());
  }
  if (mapping.grouped.layers > 0) {
    out.pop_back();
    out += fmt::format("grouped    {} layers, {}; crossbars: packed {}, dense {}, digital 0\n\n",
                       mapping.grouped.layers, arch::to_string(arch.mapping.depthwise),
                       result::count(mapping.grouped.packed), result::count(mapping.grouped.dense));
  }
  const std::vector<sim::LayerSparsity> sparse = sim::sparsity(mapping);
  Table table(
      {"layer", "rows", "cols", "groups", "MVMs", "copies", "xbars", "IMAs", "tiles", "zeros", "cells"});
  for (std::size_t l = 0; l < program.layers.size(); ++l) {
    const place::LayerPlacement& layer = program.layers[l];
    const slice::SlicedLayer& sliced = *mapping.sliced[l];
    table.add({layer.name, std::to_string(sliced.rows_per_group), std::to_string(sliced.outputs()),
               std::to_string(sliced.groups), std::to_string(layer.windows), std::to_string(layer.replicas),
               std::to_string(layer.crossbars), std::to_string(layer.imas.size()),
               std::to_string(tiles_of(layer)), result::percent(sparse[l].zero_weights),
               result::percent(layer.cell_utilization)});
  }
  out += table.str() +
         "\nrows x cols: weight matrix of a group x outputs of all groups; MVMs: per image;\n"
         "zeros: weights that are 0; cells: of its crossbars, that hold a weight\n";
  return arch.mapping.prune == arch::Prune::none ? out : out + pruned_table(mapping, sparse);
}

}  // namespace

void add_map(CLI::App& app, const Streams& streams) {
  CLI::App& command = *app.add_subcommand("map", "Crossbars, IMAs and tiles of each layer");
  const auto options = std::make_shared<MapOptions>();
  add_mapping_options(command, options->request);
  add_threads(command, options->threads);
  add_memory(command, options->memory);
  command.add_flag("--json", options->json, "Print JSON");
  using enum base::ExitCode;
  command.footer("\n" +
                 footer({"bitline map --arch configs/isaac.yaml --network workloads/digits-cnn.onnx",
                         "bitline map --arch configs/isaac.yaml --network workloads/digits-cnn.onnx \\",
                         "    --set crossbar.rows=64 --set crossbar.active_rows=64"},
                        {ok, usage, config, network, mapping}));
  command.callback([options, streams] {
    const auto limit = limit_threads(options->threads);
    const auto memory = limit_memory(options->memory);
    const sim::Mapping mapped = sim::map_network(options->request);
    streams.out << (options->json ? to_json(mapped) : to_text(mapped));
  });
}

}  // namespace bitline::cli
