// SPDX-License-Identifier: Apache-2.0
#include "mapper/place/deliveries.h"

#include <map>
#include <set>
#include <utility>

#include "mapper/place/partition.h"
#include "mapper/place/pipeline.h"

namespace bitline::place {
namespace {

std::size_t index(int id) {
  return static_cast<std::size_t>(id);
}

/// Channels of a producer's pixel if each owns the same number of consecutive rows, 0 if rows are laid out
/// otherwise.
std::int64_t channels_of(const Program& program, const Edge& edge, LayerId l,
                         const slice::SlicedLayer& sliced) {
  const std::int64_t rows = sliced.window_size();
  const graph::Node& node = program.graph->node(program.layers[index(l)].node);
  if (const auto* conv = std::get_if<graph::ConvAttributes>(&node.attributes)) {
    return edge.window.kind == Window::Kind::sliding ? rows / (conv->kernel[0] * conv->kernel[1]) : 0;
  }
  if (edge.window.kind == Window::Kind::pixelwise) return rows;
  const std::int64_t pixels = edge.window.in_h * edge.window.in_w;
  return program.layers[index(l)].windows == 1 && rows % pixels == 0 ? rows / pixels : 0;
}

/// The channels that own rows of `range`.
void add_channels(const slice::RowBlock& range, std::int64_t rows_per_channel,
                  const slice::SlicedLayer& sliced, std::set<std::int64_t>& channels) {
  if (sliced.window_rows.empty()) {
    for (std::int64_t c = range.first / rows_per_channel; c * rows_per_channel < range.last; ++c)
      channels.insert(c);
    return;
  }
  for (int row = range.first; row < range.last; ++row)
    channels.insert(sliced.window_row(row) / rows_per_channel);
}

}  // namespace

std::vector<Delivery> deliveries(const Program& program, const Edge& edge, LayerId l,
                                 const slice::SlicedLayer& sliced, const std::vector<ImaPart>& imas,
                                 int bits) {
  const std::int64_t rows = sliced.window_size();
  const std::int64_t channels = channels_of(program, edge, l, sliced);
  std::map<int, std::set<std::int64_t>> by_tile;
  for (const ImaPart& ima : imas) {
    auto& set = by_tile[ima.tile];
    if (channels == 0) continue;
    const std::int64_t rows_per_channel = rows / channels;
    for (const CrossbarPart& part : ima.crossbars) {
      for (const slice::RowBlock& range : row_ranges(part, sliced)) {
        add_channels(range, rows_per_channel, sliced, set);
      }
    }
  }
  const std::int64_t whole = program.stages[index(edge.producer)].pixel_bytes;
  std::vector<Delivery> result;
  result.reserve(by_tile.size());
  for (const auto& [tile, set] : by_tile) {
    result.push_back(
        {tile, channels == 0 ? whole : packed_bytes(static_cast<std::int64_t>(set.size()), bits)});
  }
  return result;
}

std::int64_t input_bytes(const ImaPart& ima, const slice::SlicedLayer& sliced, int bits) {
  std::set<std::pair<int, int>> ranges;
  for (const CrossbarPart& part : ima.crossbars) {
    for (const slice::RowBlock& range : row_ranges(part, sliced)) ranges.insert({range.first, range.last});
  }
  std::int64_t rows = 0;
  for (const auto& [first, last] : ranges) rows += last - first;
  return packed_bytes(rows, bits);
}

}  // namespace bitline::place
