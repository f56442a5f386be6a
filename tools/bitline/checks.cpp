// SPDX-License-Identifier: Apache-2.0
#include "tools/bitline/checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <map>
#include <nlohmann/json.hpp>
#include <span>

#include "mapper/onnx/operators.h"
#include "models/arch/arch_loader.h"
#include "models/arch/costs.h"
#include "models/arch/peak.h"
#include "sim/assemble.h"
#include "sim/result/text.h"

namespace bitline::cli {
namespace {

using Json = nlohmann::ordered_json;

/// Resolution of each slice's ADCs where it follows from weights: the most that any weights can need.
std::vector<int> largest_lossless(const arch::Arch& arch) {
  std::vector<int> bits;
  const auto input = (std::uint64_t{1} << arch.dac.bits) - 1;
  for (const int width : arch::slice_widths(arch)) {
    const std::uint64_t sum =
        static_cast<std::uint64_t>(arch.crossbar.active_rows) * ((std::uint64_t{1} << width) - 1) * input;
    bits.push_back(std::min(static_cast<int>(std::bit_width(sum)), base::kMaxAdcBits));
  }
  return bits;
}

/// "8", or "1/3/3/3" where they differ.
std::string joined(const std::vector<int>& numbers) {
  const bool equal = std::all_of(numbers.begin(), numbers.end(), [&](int n) { return n == numbers.front(); });
  return equal ? std::to_string(numbers.front()) : fmt::format("{}", fmt::join(numbers, "/"));
}

/// Power and area of one level of the machine.
struct Level {
  const char* name;
  result::Breakdown power, area;
  double total_power, total_area;
};

template <class Power, class Area>
Level level(const char* name, const Power& power, const Area& area) {
  return {name, sim::breakdown(power), sim::breakdown(area), power.total().value(), area.total().value()};
}

std::string table(const std::vector<Level>& levels) {
  result::Table out({"at full rate", "IMA W", "mm2", "tile W", "mm2", "chip W", "mm2"});
  const auto cell = [](double value) {
    return value == 0.0 ? std::string("-") : fmt::format("{:.4g}", value);
  };
  for (std::size_t c = 0; c < arch::kComponents; ++c) {
    std::vector<std::string> row = {levels.front().power[c].first};
    double any = 0;
    for (const Level& l : levels) {
      row.push_back(cell(l.power[c].second));
      row.push_back(cell(l.area[c].second));
      any += l.power[c].second + l.area[c].second;
    }
    if (any > 0) out.add(std::move(row));
  }
  std::vector<std::string> total = {"total"};
  for (const Level& l : levels) {
    total.push_back(cell(l.total_power));
    total.push_back(cell(l.total_area));
  }
  out.add(std::move(total));
  return out.str();
}

Json level_json(const Level& l) {
  Json power = Json::object();
  Json area = Json::object();
  for (const auto& [name, value] : l.power) power[name] = value;
  for (const auto& [name, value] : l.area) area[name] = value;
  return {{"power_w", {{"total", l.total_power}, {"by_component", std::move(power)}}},
          {"area_mm2", {{"total", l.total_area}, {"by_component", std::move(area)}}}};
}

std::string value_list(const graph::Graph& graph, std::span<const graph::ValueId> ids) {
  std::string out;
  for (const graph::ValueId id : ids)
    out += fmt::format("{}{} {}", out.empty() ? "" : ", ",
                       result::shortened(graph.values[static_cast<std::size_t>(id)].name, 24),
                       tensor::to_string(graph.shape(id)));
  return out;
}

Json value_json(const graph::Graph& graph, std::span<const graph::ValueId> ids) {
  Json out = Json::array();
  for (const graph::ValueId id : ids)
    out.push_back({{"name", graph.values[static_cast<std::size_t>(id)].name}, {"shape", graph.shape(id)}});
  return out;
}

}  // namespace

Checked check_arch(const std::string& path, const std::vector<std::string>& overrides) {
  const arch::LoadedArch loaded = arch::load_arch(path, overrides);
  const arch::Arch& arch = loaded.arch;
  const std::optional<std::vector<int>> policy = arch::built_adc_bits(arch);
  const std::vector<int> built = policy ? *policy : largest_lossless(arch);
  const arch::CostModel costs(arch, built);
  const std::vector<Level> levels = {level("ima", costs.ima_power(), costs.ima_area()),
                                     level("tile", costs.tile_power(), costs.tile_area()),
                                     level("chip", costs.chip_power(), costs.chip_area())};
  Checked checked;
  checked.text = fmt::format(
      "    {}: {} tiles of {} IMAs of {} crossbars of {}x{} cells of {} bits\n"
      "    ADCs built for {} bits{}\n",
      result::shortened(arch.name.empty() ? "machine" : arch.name, 16), arch.chip.tiles, arch.tile.imas,
      arch.ima.crossbars, arch.crossbar.rows, arch.crossbar.cols, arch.device.bits_per_cell, joined(built),
      policy ? "" : ", the most that any weights need");
  const arch::Peak peak = arch::peak(arch, built);
  const double power = costs.chip_power().total().value();
  const double area = costs.chip_area().total().value();
  const double gops = peak.operations_per_second * 1e-9;
  checked.text += fmt::format("    peak {:.5g} GOPS, {:.4g} GOPS/W, {:.4g} GOPS/mm2; MVM every {:.4g} us\n",
                              gops, gops / power, gops / area, peak.mvm.seconds() * 1e6);
  checked.text += table(levels);
  Json json = {{"name", arch.name}, {"adc_bits", built}};
  json["peak"] = {{"gops", gops},
                  {"gops_per_w", gops / power},
                  {"gops_per_mm2", gops / area},
                  {"mvm_s", peak.mvm.seconds()},
                  {"conversions_per_mac", peak.conversions_per_mac},
                  {"storage_bytes", peak.bytes}};
  for (const Level& l : levels) json[l.name] = level_json(l);
  checked.json = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  return checked;
}

std::string operator_list() {
  constexpr std::size_t kWidth = 118;
  std::string text;
  std::string line = "  ";
  const std::vector<std::string> names = onnx::operator_names();
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string word = names[i] + (i + 1 < names.size() ? "," : ".");
    if (line.size() + 1 + word.size() > kWidth) {
      text += line + "\n";
      line = "  ";
    }
    line += (line.size() > 2 ? " " : "") + word;
  }
  return text + line + "\n";
}

Checked check_network(const std::string& path, const std::vector<std::string>& dimensions) {
  const std::shared_ptr<const graph::Graph> imported = sim::import_network(path, dimensions);
  const graph::Graph& graph = *imported;
  std::map<std::string, int> operators;
  std::int64_t macs = 0;
  std::int64_t on_crossbars = 0;
  for (const graph::Node& node : graph.nodes) {
    ++operators[graph::to_string(node.op)];
    macs += graph::macs(graph, node);
    on_crossbars += graph::on_crossbars(node) ? 1 : 0;
  }
  Checked checked;
  checked.text = fmt::format(
      "    inputs      {}\n    outputs     {}\n    operators   {}, {} of them on crossbars\n"
      "    parameters  {}\n    MACs        {} per image\n",
      value_list(graph, graph.inputs), value_list(graph, graph.outputs), graph.nodes.size(), on_crossbars,
      result::count(graph::parameters(graph)), result::count(macs));
  const Json json = {{"name", graph.name},
                     {"inputs", value_json(graph, graph.inputs)},
                     {"outputs", value_json(graph, graph.outputs)},
                     {"operators", operators},
                     {"crossbar_layers", on_crossbars},
                     {"parameters", graph::parameters(graph)},
                     {"macs", macs}};
  checked.json = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  return checked;
}

}  // namespace bitline::cli
