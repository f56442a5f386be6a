// SPDX-License-Identifier: Apache-2.0
#include "mapper/place/floorplan.h"

#include <algorithm>
#include <map>
#include <utility>

#include "mapper/place/annealing.h"
#include "mapper/place/chips.h"
#include "mapper/place/traffic.h"
#include "models/noc/topology.h"

namespace bitline::place {
namespace {

std::size_t index(int id) {
  return static_cast<std::size_t>(id);
}

/// Calls `visit(tile)` for every tile that the program names, but for the chip link's.
template <class Visit>
void for_each_tile(Program& program, const Visit& visit) {
  for (LayerPlacement& layer : program.layers) {
    for (ImaPart& ima : layer.imas) visit(ima.tile);
    for (Join& join : layer.joins) visit(join.tile);
  }
  for (Stage& stage : program.stages) {
    if (stage.kind != StageKind::crossbar && stage.kind != StageKind::digital) continue;
    for (int& tile : stage.tiles) visit(tile);
  }
  for (Edge& edge : program.edges) {
    if (program.stages[index(edge.consumer)].kind == StageKind::output) continue;
    for (Delivery& delivery : edge.deliveries) visit(delivery.tile);
  }
}

Floor floor_of(const arch::Arch& arch) {
  const noc::Topology topology(arch.chip.tiles, arch.chip.mesh_width, arch.noc.tiles_per_router);
  Floor floor;
  floor.width = arch.chip.mesh_width;
  for (int tile = 0; tile < arch.chip.tiles; ++tile) {
    const auto [x, y] = topology.position(topology.router_of(tile));
    floor.router_x.push_back(x);
    floor.router_y.push_back(y);
  }
  return floor;
}

int snake(int tile, const arch::Arch& arch) {
  const int width = arch.chip.mesh_width;
  const int row = tile / width;
  if (row % 2 == 0) return tile;
  const int last = std::min(row * width + width, arch.chip.tiles) - 1;
  return last - tile % width;
}

/// What flows between the tiles of a chip, numbered as `item_of` says; each pair once.
std::vector<Tie> ties_of(const std::vector<Flow>& flows, int chip, const arch::Arch& arch,
                         const std::map<int, int>& item_of) {
  std::map<std::pair<int, int>, std::int64_t> bytes;
  for (const Flow& flow : flows) {
    if (chip_of(flow.from, arch) != chip) continue;
    const auto item = [&](int end) { return is_link(end) ? Tie::kFixed : item_of.at(end); };
    const auto [b, a] = std::minmax({item(flow.from), item(flow.to)});
    bytes[{a, b}] += flow.packets * flow.bytes;
  }
  std::vector<Tie> ties;
  ties.reserve(bytes.size());
  for (const auto& [pair, sum] : bytes) ties.push_back({pair.first, pair.second, sum});
  return ties;
}

/// Where the tiles of a chip should lie.
std::vector<int> annealed(const std::vector<int>& in_rows, const std::vector<int>& in_snake,
                          const std::vector<Tie>& ties, const arch::Arch& arch) {
  const Floor floor = floor_of(arch);
  const bool rows = hop_bytes(floor, ties, in_rows) <= hop_bytes(floor, ties, in_snake);
  return anneal(floor, ties, rows ? in_rows : in_snake,
                static_cast<std::uint64_t>(arch.mapping.placement_seed));
}

}  // namespace

void arrange(Program& program, const arch::Arch& arch) {
  if (arch.mapping.placement == arch::Placement::row_major) return;
  const std::vector<Flow> flowing = flows(program, arch);
  std::vector<std::map<int, int>> items(index(program.chips));  // by chip: tile, its number among them
  for_each_tile(program, [&](int& tile) { items[index(chip_of(tile, arch))].emplace(tile, 0); });
  std::map<int, int> renumbered;
  for (int chip = 0; chip < program.chips; ++chip) {
    std::vector<int> in_rows, in_snake;
    for (auto& [tile, item] : items[index(chip)]) {
      item = static_cast<int>(in_rows.size());
      in_rows.push_back(tile_in_chip(tile, arch));
      in_snake.push_back(snake(in_rows.back(), arch));
    }
    std::vector<int> at = in_snake;
    if (arch.mapping.placement == arch::Placement::annealed)
      at = annealed(in_rows, in_snake, ties_of(flowing, chip, arch, items[index(chip)]), arch);
    for (const auto& [tile, item] : items[index(chip)])
      renumbered[tile] = chip * arch.chip.tiles + at[index(item)];
  }
  for_each_tile(program, [&](int& tile) { tile = renumbered.at(tile); });
}

}  // namespace bitline::place
