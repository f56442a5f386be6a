// SPDX-License-Identifier: Apache-2.0
#include "sim/layer_map.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "mapper/graph/operator_text.h"
#include "models/arch/peak.h"

namespace bitline::sim {
namespace {

using place::Stage;
using place::StageKind;

std::vector<result::TilePart> tiles_of(const place::Program& program, const Stage& stage) {
  std::map<int, result::TilePart> tiles;
  for (const int tile : stage.tiles) tiles[tile].tile = tile;
  if (stage.kind == StageKind::crossbar) {
    const place::LayerPlacement& layer = program.layers[static_cast<std::size_t>(stage.layer)];
    for (const place::ImaPart& ima : layer.imas) {
      result::TilePart& part = tiles[ima.tile];
      part.tile = ima.tile;
      ++part.imas;
      if (layer.shares < 0) part.crossbars += static_cast<std::int64_t>(ima.crossbars.size());
    }
  }
  std::vector<result::TilePart> out;
  out.reserve(tiles.size());
  for (const auto& [tile, part] : tiles) out.push_back(part);
  return out;
}

result::Waits waits(const cycle::StageStatistics& stage, base::Time width) {
  const auto shares = [&](cycle::TimeBins bins) {
    bins.widen(width);
    std::array<int, cycle::TimeBins::kBins> out{};
    for (std::size_t i = 0; i < out.size(); ++i)
      out[i] = static_cast<int>(std::lround(static_cast<double>(bins.fs()[i]) /
                                            static_cast<double>(width.fs()) * result::Waits::kFull));
    return out;
  };
  const auto input = shares(*stage.input_bins);
  const auto output = shares(*stage.output_bins);
  result::Waits w;
  std::size_t first = 0;
  std::size_t last = input.size();
  while (first < last && input[first] + output[first] == 0) ++first;
  while (last > first && input[last - 1] + output[last - 1] == 0) --last;
  w.first_bin = first < last ? static_cast<std::int64_t>(first) : 0;
  w.input.assign(input.begin() + static_cast<std::ptrdiff_t>(first),
                 input.begin() + static_cast<std::ptrdiff_t>(last));
  w.output.assign(output.begin() + static_cast<std::ptrdiff_t>(first),
                  output.begin() + static_cast<std::ptrdiff_t>(last));
  return w;
}

}  // namespace

result::Machine machine_of(const Mapping& mapping) {
  const arch::Arch& arch = mapping.arch();
  result::Machine machine;
  machine.tiles = arch.chip.tiles;
  machine.mesh_width = arch.chip.mesh_width;
  machine.tile_imas = arch.tile.imas;
  machine.ima_crossbars = arch.ima.crossbars;
  const arch::Peak peak = arch::peak(arch, built_adc_bits(mapping));
  machine.tile_macs_per_s = peak.operations_per_second / 2 / arch.chip.tiles;
  const double edram = arch.tile.edram.clock.value() * arch.tile.edram.width_bits * arch.tile.edram.banks;
  const double bus = arch.tile.bus.clock.value() * arch.tile.bus.wires;
  machine.tile_bytes_per_s = std::min(edram, bus) / 8;
  return machine;
}

LayerMap::LayerMap(const Mapping& mapping) : mapping_(mapping) {
  for (const graph::Node& node : mapping.graph->nodes) by_name_.emplace(node.name, &node);
}

/// In order. The first may be without work (a Concat); it gives the stage its name.
std::vector<const graph::Node*> LayerMap::nodes_of(const Stage& stage) const {
  std::vector<const graph::Node*> nodes;
  if (stage.kind != StageKind::crossbar && stage.kind != StageKind::digital) return nodes;
  if (const auto named = by_name_.find(stage.name); named != by_name_.end()) nodes.push_back(named->second);
  for (const place::UnitWork& work : stage.work) {
    if (work.node < 0) continue;
    const graph::Node* node = &mapping_.graph->node(work.node);
    if (std::find(nodes.begin(), nodes.end(), node) == nodes.end()) nodes.push_back(node);
  }
  return nodes;
}

void LayerMap::add(std::size_t stage, result::LayerResult& layer) const {
  const place::Program& program = mapping_.program;
  const Stage& placed = program.stages[stage];
  for (const graph::Node* node : nodes_of(placed)) {
    layer.operators.push_back(graph::operator_text(*node));
    layer.macs += graph::macs(*mapping_.graph, *node);
  }
  for (const place::EdgeId edge : placed.inputs)
    layer.inputs.push_back(program.edges[static_cast<std::size_t>(edge)].producer);
  layer.placement = tiles_of(program, placed);
}

void add_waits(const cycle::CycleResult& timed, result::Result& result) {
  cycle::TimeBins whole;  // as wide as the run wants them, should nobody have waited
  whole.add(base::Time(), timed.end);
  base::Time width = whole.width();
  for (const cycle::StageStatistics& stage : timed.stages) {
    if (!stage.input_bins || !stage.output_bins) return;
    width = std::max({width, stage.input_bins->width(), stage.output_bins->width()});
  }
  result.waits_bin = width.seconds();
  for (std::size_t s = 0; s < timed.stages.size(); ++s)
    result.layers[s].waits = waits(timed.stages[s], width);
}

}  // namespace bitline::sim
