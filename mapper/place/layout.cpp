// SPDX-License-Identifier: Apache-2.0
#include "mapper/place/layout.h"

#include <map>
#include <utility>

#include "mapper/place/deliveries.h"

namespace bitline::place {
namespace {

std::size_t index(int id) {
  return static_cast<std::size_t>(id);
}

/// The IMAs that outputs of one column block have partial sums in.
struct Block {
  std::vector<int> imas;
  int outputs = 0;
};

/// Deals out the pieces of part `part` of `spread`, from a new IMA on.
void deal_part(CopyLayout& copy, std::map<int, Block>& blocks, const Partition& partition,
               const arch::Arch& arch, int part, int spread) {
  int slot = arch.ima.crossbars;
  for (const CrossbarPiece& piece : partition.pieces) {
    if (piece.row_band * spread / partition.row_bands != part) continue;
    if (slot == arch.ima.crossbars) {
      ImaPart& ima = copy.imas.emplace_back();
      ima.tile = part;
      ima.ima = static_cast<int>(copy.imas.size()) - 1;
      slot = 0;
    }
    std::vector<CrossbarPart>& crossbars = copy.imas.back().crossbars.own();
    crossbars.push_back(piece.part);
    crossbars.back().slot = slot++;
    Block& block = blocks[piece.column_block];
    block.outputs = piece.outputs;
    if (block.imas.empty() || block.imas.back() != copy.imas.back().ima)
      block.imas.push_back(copy.imas.back().ima);
  }
}

void add_joins(CopyLayout& copy, const std::map<int, Block>& blocks) {
  std::map<std::vector<int>, int> numbers;
  for (const auto& [number, block] : blocks) {
    const auto [it, is_new] = numbers.try_emplace(block.imas, static_cast<int>(copy.joins.size()));
    if (is_new) {
      copy.joins.push_back({block.imas.front(), 0, static_cast<int>(block.imas.size()), 0});
      for (const int i : block.imas) copy.imas[index(i)].contributions.own().push_back({it->second, 0});
    }
    copy.joins[index(it->second)].outputs += block.outputs;
  }
  for (ImaPart& ima : copy.imas) {
    for (Contribution& c : ima.contributions.own()) c.results = copy.joins[index(c.join)].outputs;
  }
}

/// Of the IMAs of a copy those of one part: [first, last).
struct Part {
  std::size_t first = 0, last = 0;
};
Few<Part> parts_of(const CopyLayout& copy) {
  Few<Part> parts;
  for (std::size_t i = 0; i < copy.imas.size(); ++i) {
    if (i == 0 || copy.imas[i].tile != copy.imas[i - 1].tile) parts.push_back({i, i});
    parts.back().last = i + 1;
  }
  return parts;
}

/// The copy `replica` of an IMA at place `at` of the chip; a copy has `joins` joins.
ImaPart copied(const ImaPart& ima, const arch::Arch& arch, int at, int replica, std::size_t joins) {
  ImaPart placed = ima;
  placed.tile = at / arch.tile.imas;
  placed.ima = at % arch.tile.imas;
  placed.replica = replica;
  if (replica > 0) {
    for (Contribution& c : placed.contributions.own()) c.join += replica * static_cast<int>(joins);
  }
  return placed;
}

}  // namespace

std::int64_t imas_of_copy(const Partition& partition, const arch::Arch& arch) {
  const auto crossbars = static_cast<std::int64_t>(partition.pieces.size());
  return (crossbars + arch.ima.crossbars - 1) / arch.ima.crossbars;
}

CopyLayout copy_layout(const Partition& partition, const slice::SlicedLayer& sliced, const arch::Arch& arch,
                       int spread) {
  CopyLayout copy;
  std::map<int, Block> blocks;
  for (int part = 0; part < spread; ++part) deal_part(copy, blocks, partition, arch, part, spread);
  add_joins(copy, blocks);
  for (ImaPart& ima : copy.imas) ima.input_bytes = input_bytes(ima, sliced, arch.precision.activations.bits);
  return copy;
}

Layout lay_out(const CopyLayout& copy, const arch::Arch& arch, int first_ima, int replicas) {
  Layout layout;
  layout.next_ima = first_ima;
  layout.imas.reserve(copy.imas.size() * index(replicas));
  layout.joins.resize(copy.joins.size() * index(replicas));
  Few<int, 8> tiles(copy.imas.size());  // of the copy
  for (const Part& part : parts_of(copy)) {
    if (part.first > 0)
      layout.next_ima = (layout.next_ima + arch.tile.imas - 1) / arch.tile.imas * arch.tile.imas;
    for (int replica = 0; replica < replicas; ++replica) {
      for (std::size_t i = part.first; i < part.last; ++i) {
        layout.imas.push_back(copied(copy.imas[i], arch, layout.next_ima++, replica, copy.joins.size()));
        tiles[i] = layout.imas.back().tile;
      }
      for (std::size_t j = 0; j < copy.joins.size(); ++j) {
        const std::size_t home = index(copy.joins[j].tile);
        if (home < part.first || home >= part.last) continue;
        Join& join = layout.joins[index(replica) * copy.joins.size() + j] = copy.joins[j];
        join.tile = tiles[home];
        join.replica = replica;
      }
    }
  }
  return layout;
}

}  // namespace bitline::place
