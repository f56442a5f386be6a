// SPDX-License-Identifier: Apache-2.0
#include "mapper/place/floorplan.h"

#include <algorithm>
#include <map>
#include <utility>

#include "mapper/place/annealing.h"
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

/// What flows between the tiles of a program, numbered as `item_of` says; each pair once.
std::vector<Tie> ties_of(const Program& program, const arch::Arch& arch, const std::map<int, int>& item_of) {
  std::map<std::pair<int, int>, std::int64_t> bytes;
  for (const Flow& flow : flows(program, arch)) {
    const auto item = [&](int tile) { return tile == noc::kChipLink ? Tie::kFixed : item_of.at(tile); };
    const auto [b, a] = std::minmax({item(flow.from), item(flow.to)});
    bytes[{a, b}] += flow.packets * flow.bytes;
  }
  std::vector<Tie> ties;
  ties.reserve(bytes.size());
  for (const auto& [pair, sum] : bytes) ties.push_back({pair.first, pair.second, sum});
  return ties;
}

}  // namespace

void arrange(Program& program, const arch::Arch& arch) {
  if (arch.mapping.placement == arch::Placement::row_major) return;
  std::map<int, int> item_of;
  for_each_tile(program, [&](int& tile) { item_of.emplace(tile, 0); });
  std::vector<int> in_rows, in_snake;
  for (auto& [tile, item] : item_of) {
    item = static_cast<int>(in_rows.size());
    in_rows.push_back(tile);
    in_snake.push_back(snake(tile, arch));
  }
  std::vector<int> at = in_snake;
  if (arch.mapping.placement == arch::Placement::annealed) {
    const Floor floor = floor_of(arch);
    const std::vector<Tie> ties = ties_of(program, arch, item_of);
    if (hop_bytes(floor, ties, in_rows) <= hop_bytes(floor, ties, in_snake)) at = in_rows;
    at = anneal(floor, ties, at, static_cast<std::uint64_t>(arch.mapping.placement_seed));
  }
  for_each_tile(program, [&](int& tile) { tile = at[index(item_of.at(tile))]; });
}

}  // namespace bitline::place
