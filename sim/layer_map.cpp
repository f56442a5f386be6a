// SPDX-License-Identifier: Apache-2.0
#include "sim/layer_map.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "mapper/graph/operator_text.h"
#include "models/arch/peak.h"

namespace bitline::sim {
namespace {

using place::Stage;
using place::StageKind;

std::vector<result::TilePart> tiles_of(const place::Program& program, const Stage& stage) {
  std::vector<result::TilePart> tiles;
  tiles.reserve(stage.tiles.size());
  for (const int tile : stage.tiles) tiles.push_back({tile});
  if (stage.kind == StageKind::crossbar) {
    const place::LayerPlacement& layer = program.layers[static_cast<std::size_t>(stage.layer)];
    for (const place::ImaPart& ima : layer.imas) {
      const std::size_t crossbars = layer.shares < 0 ? ima.crossbars.size() : 0;
      tiles.push_back({ima.tile, static_cast<std::int64_t>(crossbars), 1});
    }
  }
  std::sort(tiles.begin(), tiles.end(), [](const auto& a, const auto& b) { return a.tile < b.tile; });
  std::size_t last = 0;
  for (std::size_t i = 1; i < tiles.size(); ++i) {
    if (tiles[i].tile != tiles[last].tile) {
      tiles[++last] = tiles[i];
    } else {
      tiles[last].crossbars += tiles[i].crossbars;
      tiles[last].imas += tiles[i].imas;
    }
  }
  tiles.resize(std::min(tiles.size(), last + 1));
  return tiles;
}

result::Waits waits(const cycle::StallBins& stalls, base::Time width) {
  const auto shares = [&](cycle::TimeBins bins) {
    bins.widen(width);
    std::array<int, cycle::TimeBins::kBins> out{};
    for (std::size_t i = 0; i < out.size(); ++i)
      out[i] = static_cast<int>(std::lround(static_cast<double>(bins.fs()[i]) /
                                            static_cast<double>(width.fs()) * result::Waits::kFull));
    return out;
  };
  const auto input = shares(stalls.input);
  const auto output = shares(stalls.output);
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

/// Stages are in the order of the nodes that they are named after.
const graph::Node* LayerMap::named(const std::string& name) {
  const std::vector<graph::Node>& nodes = mapping_.graph->nodes;
  for (std::size_t tried = 0; tried < nodes.size(); ++tried) {
    const graph::Node& node = nodes[next_];
    next_ = next_ + 1 == nodes.size() ? 0 : next_ + 1;
    if (node.name == name) return &node;
  }
  return nullptr;
}

/// In order. The first may be without work (a Concat); it gives the stage its name.
LayerMap::Nodes LayerMap::nodes_of(const Stage& stage) {
  Nodes nodes;
  if (stage.kind != StageKind::crossbar && stage.kind != StageKind::digital) return nodes;
  if (const graph::Node* first = named(stage.name)) nodes.push_back(first);
  for (const place::UnitWork& work : stage.work) {
    if (work.node < 0) continue;
    const graph::Node* node = &mapping_.graph->node(work.node);
    if (std::find(nodes.begin(), nodes.end(), node) == nodes.end()) nodes.push_back(node);
  }
  return nodes;
}

void LayerMap::add(std::size_t stage, result::LayerResult& layer) {
  const place::Program& program = mapping_.program;
  const Stage& placed = program.stages[stage];
  const Nodes nodes = nodes_of(placed);
  layer.operators.reserve(nodes.size());
  for (const graph::Node* node : nodes) {
    layer.operators.push_back(graph::operator_text(*node));
    layer.macs += graph::macs(*mapping_.graph, *node);
  }
  layer.inputs.reserve(placed.inputs.size());
  for (const place::EdgeId edge : placed.inputs)
    layer.inputs.push_back(program.edges[static_cast<std::size_t>(edge)].producer);
  layer.placement = tiles_of(program, placed);
}

void add_waits(const cycle::CycleResult& timed, result::Result& result) {
  if (timed.stall_bins.empty()) return;
  cycle::TimeBins whole;  // as wide as the run wants them, should nobody have waited
  whole.add(base::Time(), timed.end);
  base::Time width = whole.width();
  for (const cycle::StallBins& stalls : timed.stall_bins)
    width = std::max({width, stalls.input.width(), stalls.output.width()});
  result.waits_bin = width.seconds();
  for (std::size_t s = 0; s < timed.stall_bins.size(); ++s)
    result.layers[s].waits = waits(timed.stall_bins[s], width);
}

}  // namespace bitline::sim
