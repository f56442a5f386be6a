// SPDX-License-Identifier: Apache-2.0
#include "tools/bitline/show_table.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "mapper/graph/operator_text.h"
#include "mapper/place/pipeline.h"
#include "sim/result/text.h"

namespace bitline::cli {
namespace {

using Json = nlohmann::ordered_json;

/// Only shapes are wanted of the pipeline, so any width does.
constexpr int kActivationBits = 8;

std::string join(const std::vector<std::int64_t>& numbers) {
  return fmt::format("{}", fmt::join(numbers, "x"));
}

const char* to_string(Place place) {
  switch (place) {
    case Place::input:
      return "input";
    case Place::crossbars:
      return "crossbars";
    case Place::digital:
      return "digital";
    case Place::output:
      return "output";
  }
  return "";
}

std::int64_t parameters_of(const graph::Node& node) {
  graph::Graph alone;
  alone.nodes.push_back(node);
  return graph::parameters(alone);
}

Place place_of(place::StageKind kind) {
  switch (kind) {
    case place::StageKind::input:
      return Place::input;
    case place::StageKind::crossbar:
      return Place::crossbars;
    case place::StageKind::digital:
      return Place::digital;
    case place::StageKind::output:
      return Place::output;
  }
  return Place::digital;
}

void add_operator(const graph::Graph& graph, const graph::Node& node, ShownStage& shown) {
  shown.operators.push_back(graph::operator_text(node));
  shown.macs += graph::macs(graph, node);
  shown.parameters += parameters_of(node);
}

/// What fits beside the figures: the later of many operators are counted.
std::string operators_text(const std::vector<std::string>& operators) {
  constexpr std::size_t kWidth = 24;
  if (operators.empty()) return "-";
  std::string text = operators.front();
  for (std::size_t i = 1; i < operators.size(); ++i) {
    if (text.size() + 2 + operators[i].size() > kWidth)
      return text + fmt::format(" +{}", operators.size() - i);
    text += ", " + operators[i];
  }
  return text;
}

std::int64_t total(const ShownNetwork& network, Place place, std::int64_t ShownStage::*member) {
  std::int64_t sum = 0;
  for (const ShownStage& stage : network.stages)
    if (stage.place == place) sum += stage.*member;
  return sum;
}

std::int64_t stages_in(const ShownNetwork& network, Place place) {
  return std::count_if(network.stages.begin(), network.stages.end(),
                       [&](const ShownStage& stage) { return stage.place == place; });
}

std::string dumped(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

/// A quoted string of DOT; whatever is not printable becomes '?'.
std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? '?' : c;
  }
  return out + "\"";
}

/// The stages of a pipeline with the operators that run in them.
ShownNetwork describe(const place::Program& program) {
  const graph::Graph& graph = *program.graph;
  std::unordered_map<std::string, const graph::Node*> by_name;
  ShownNetwork network;
  network.name = graph.name;
  for (const graph::Node& node : graph.nodes) {
    by_name.emplace(node.name, &node);
    if (node.op == graph::Op::flatten || node.op == graph::Op::reshape) ++network.views;
  }
  for (const place::Stage& stage : program.stages) {
    ShownStage shown;
    shown.name = stage.name;
    shown.place = place_of(stage.kind);
    shown.shape = graph.shape(stage.value);
    if (shown.place == Place::crossbars || shown.place == Place::digital) {
      const graph::Node& first = *by_name.at(stage.name);
      add_operator(graph, first, shown);
      for (const place::UnitWork& work : stage.work)
        if (work.node >= 0 && &graph.node(work.node) != &first)
          add_operator(graph, graph.node(work.node), shown);
    }
    for (const place::EdgeId edge : stage.inputs)
      shown.inputs.push_back(program.edges[static_cast<std::size_t>(edge)].producer);
    network.stages.push_back(std::move(shown));
  }
  return network;
}

}  // namespace

ShownNetwork describe(const std::shared_ptr<const graph::Graph>& graph) {
  place::Program program;
  program.graph = graph;
  place::build_pipeline(program, kActivationBits);
  return describe(program);
}

ShownNetwork describe(const sim::Mapping& mapping) {
  ShownNetwork network = describe(mapping.program);
  network.placed = true;
  for (const place::LayerPlacement& layer : mapping.program.layers)
    network.stages[static_cast<std::size_t>(layer.stage)].crossbars = layer.crossbars;
  return network;
}

std::string to_table(const ShownNetwork& network) {
  std::vector<std::string> header = {"layer", "on", "operators", "result", "MACs", "params"};
  if (network.placed) header.emplace_back("xbars");
  result::Table table(header, 3);
  const auto number = [](std::int64_t n) { return n > 0 ? result::count(n) : "-"; };
  for (const ShownStage& stage : network.stages) {
    std::vector<std::string> row = {
        stage.name,        to_string(stage.place), operators_text(stage.operators),
        join(stage.shape), number(stage.macs),     number(stage.parameters)};
    if (network.placed) row.push_back(number(stage.crossbars));
    table.add(std::move(row));
  }
  std::string out = table.str() + "\n";
  for (const Place place : {Place::crossbars, Place::digital}) {
    out += fmt::format("{:<10} {} layers, {} MACs, {} parameters", to_string(place),
                       stages_in(network, place), result::count(total(network, place, &ShownStage::macs)),
                       result::count(total(network, place, &ShownStage::parameters)));
    if (network.placed && place == Place::crossbars)
      out += fmt::format(", {} crossbars", result::count(total(network, place, &ShownStage::crossbars)));
    out += "\n";
  }
  return out;
}

std::string to_json(const ShownNetwork& network) {
  Json json = {{"network", network.name}, {"layers", Json::array()}};
  for (const ShownStage& stage : network.stages) {
    Json inputs = Json::array();
    for (const int input : stage.inputs)
      inputs.push_back(network.stages[static_cast<std::size_t>(input)].name);
    Json layer = {{"name", stage.name},
                  {"on", to_string(stage.place)},
                  {"operators", stage.operators},
                  {"inputs", std::move(inputs)},
                  {"shape", stage.shape},
                  {"macs", stage.macs},
                  {"parameters", stage.parameters}};
    if (network.placed) layer["crossbars"] = stage.crossbars;
    json["layers"].push_back(std::move(layer));
  }
  for (const Place place : {Place::crossbars, Place::digital}) {
    json["total"][to_string(place)] = {{"layers", stages_in(network, place)},
                                       {"macs", total(network, place, &ShownStage::macs)},
                                       {"parameters", total(network, place, &ShownStage::parameters)}};
  }
  if (network.placed)
    json["total"]["crossbars"]["crossbars"] = total(network, Place::crossbars, &ShownStage::crossbars);
  json["views"] = network.views;
  return dumped(json);
}

std::string to_dot(const ShownNetwork& network) {
  std::string out = fmt::format("digraph {} {{\n  node [shape=box];\n", quoted(network.name));
  for (std::size_t s = 0; s < network.stages.size(); ++s) {
    const ShownStage& stage = network.stages[s];
    std::string label = quoted(stage.name);
    label.pop_back();
    for (const std::string& text : stage.operators) label += fmt::format("\\n{}", text);
    const char* style = stage.place == Place::crossbars ? ", style=filled, fillcolor=lightblue"
                        : stage.place == Place::digital ? ""
                                                        : ", shape=ellipse";
    out += fmt::format("  s{} [label={}\"{}];\n", s, label, style);
  }
  for (std::size_t s = 0; s < network.stages.size(); ++s) {
    for (const int input : network.stages[s].inputs) {
      const graph::Shape& shape = network.stages[static_cast<std::size_t>(input)].shape;
      out += fmt::format("  s{} -> s{} [label=\"{}\"];\n", input, s, join(shape));
    }
  }
  return out + "}\n";
}

}  // namespace bitline::cli
