// SPDX-License-Identifier: Apache-2.0
#include "mapper/place/layout.h"

#include <map>
#include <utility>

namespace bitline::place {
namespace {

std::size_t index(int id) {
  return static_cast<std::size_t>(id);
}

void open_ima(Layout& layout, const arch::Arch& arch, int replica) {
  ImaPart ima;
  ima.tile = layout.next_ima / arch.tile.imas;
  ima.ima = layout.next_ima % arch.tile.imas;
  ima.replica = replica;
  ++layout.next_ima;
  layout.imas.push_back(std::move(ima));
  layout.column_blocks.emplace_back();
  layout.outputs.emplace_back();
}

/// The pieces of part `part` of `spread` of one copy, from a new IMA on.
void add_copy(Layout& layout, const Partition& partition, const arch::Arch& arch, int part, int spread,
              int replica) {
  int slot = arch.ima.crossbars;
  for (const CrossbarPiece& piece : partition.pieces) {
    if (piece.row_band * spread / partition.row_bands != part) continue;
    if (slot == arch.ima.crossbars) {
      open_ima(layout, arch, replica);
      slot = 0;
    }
    layout.imas.back().crossbars.push_back(piece.part);
    layout.imas.back().crossbars.back().slot = slot++;
    layout.column_blocks.back().push_back(piece.column_block);
    layout.outputs.back().push_back(piece.outputs);
  }
}

}  // namespace

std::int64_t imas_of_copy(const Partition& partition, const arch::Arch& arch) {
  const auto crossbars = static_cast<std::int64_t>(partition.pieces.size());
  return (crossbars + arch.ima.crossbars - 1) / arch.ima.crossbars;
}

Layout lay_out(const Partition& partition, const arch::Arch& arch, int first_ima, int spread, int replicas) {
  Layout layout;
  layout.next_ima = first_ima;
  for (int part = 0; part < spread; ++part) {
    if (part > 0) layout.next_ima = (layout.next_ima + arch.tile.imas - 1) / arch.tile.imas * arch.tile.imas;
    for (int replica = 0; replica < replicas; ++replica)
      add_copy(layout, partition, arch, part, spread, replica);
  }
  return layout;
}

namespace {

/// All in one IMA: the crossbars of a column block follow each other.
Join join_in_one_ima(Layout& layout) {
  Join join{layout.imas.front().tile, 0, 1, layout.imas.front().replica};
  const std::vector<int>& blocks = layout.column_blocks.front();
  for (std::size_t c = 0; c < blocks.size(); ++c) {
    if (c == 0 || blocks[c] != blocks[c - 1]) join.outputs += layout.outputs.front()[c];
  }
  layout.imas.front().contributions = {{0, join.outputs}};
  return join;
}

}  // namespace

std::vector<Join> make_joins(Layout& layout) {
  if (layout.imas.size() == 1) return {join_in_one_ima(layout)};
  std::map<std::pair<int, int>, std::pair<std::vector<int>, int>>
      by_block;  // (copy, column block): IMAs, outputs
  for (std::size_t i = 0; i < layout.imas.size(); ++i) {
    for (std::size_t c = 0; c < layout.column_blocks[i].size(); ++c) {
      auto& [imas, outputs] = by_block[{layout.imas[i].replica, layout.column_blocks[i][c]}];
      outputs = layout.outputs[i][c];
      if (imas.empty() || imas.back() != static_cast<int>(i)) imas.push_back(static_cast<int>(i));
    }
  }
  std::vector<Join> joins;
  std::map<std::vector<int>, int> numbers;
  for (const auto& [block, entry] : by_block) {
    const auto& [imas, outputs] = entry;
    const auto [it, is_new] = numbers.try_emplace(imas, static_cast<int>(joins.size()));
    if (is_new) {
      joins.push_back({layout.imas[index(imas.front())].tile, 0, static_cast<int>(imas.size()), block.first});
      for (const int i : imas) layout.imas[index(i)].contributions.push_back({it->second, 0});
    }
    joins[index(it->second)].outputs += outputs;
  }
  for (ImaPart& ima : layout.imas) {
    for (Contribution& c : ima.contributions) c.results = joins[index(c.join)].outputs;
  }
  return joins;
}

}  // namespace bitline::place
