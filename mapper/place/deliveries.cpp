// SPDX-License-Identifier: Apache-2.0
#include "mapper/place/deliveries.h"

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

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

/// Whole numbers [first, last).
using Range = std::pair<std::int64_t, std::int64_t>;

/// Adds the channels that own rows of `range`.
void add_channels(const slice::RowBlock& range, std::int64_t rows_per_channel,
                  const slice::SlicedLayer& sliced, std::vector<Range>& channels) {
  if (sliced.window_rows.empty()) {
    channels.emplace_back(range.first / rows_per_channel,
                          (range.last + rows_per_channel - 1) / rows_per_channel);
    return;
  }
  for (int row = range.first; row < range.last; ++row) {
    const std::int64_t channel = sliced.window_row(row) / rows_per_channel;
    channels.emplace_back(channel, channel + 1);
  }
}

/// How many numbers lie in any of the ranges.
std::int64_t size_of_union(std::vector<Range>& ranges) {
  std::sort(ranges.begin(), ranges.end());
  std::int64_t size = 0, end = 0;
  for (const auto& [first, last] : ranges) {
    size += std::max<std::int64_t>(0, last - std::max(first, end));
    end = std::max(end, last);
  }
  return size;
}

/// Calls `visit` for the rows of each crossbar of an IMA; crossbars side by side that drive the same rows
/// count once.
template <class Visit>
void for_each_range(const ImaPart& ima, const slice::SlicedLayer& sliced, const Visit& visit) {
  const std::vector<Phase>* before = nullptr;
  for (const CrossbarPart& part : ima.crossbars) {
    if (before == nullptr || part.phases != *before) for_each_row_range(part, sliced, visit);
    before = &part.phases;
  }
}

/// How many channels own rows of these IMAs.
std::int64_t channels_in(std::span<const ImaPart> imas, std::int64_t rows_per_channel,
                         const slice::SlicedLayer& sliced) {
  std::vector<Range> channels;
  for (const ImaPart& ima : imas) {
    for_each_range(ima, sliced, [&](const slice::RowBlock& range) {
      add_channels(range, rows_per_channel, sliced, channels);
    });
  }
  return size_of_union(channels);
}

}  // namespace

Few<Delivery> deliveries(const Program& program, const Edge& edge, LayerId l,
                         const slice::SlicedLayer& sliced, const std::vector<ImaPart>& imas, int bits) {
  const std::int64_t rows = sliced.window_size();
  const std::int64_t channels = channels_of(program, edge, l, sliced);
  const bool all_there = sliced.window_rows.empty() && channels > 0 && rows % channels == 0;
  const auto taken = [&](std::span<const ImaPart> here) {
    if (channels == 0) return program.stages[index(edge.producer)].pixel_bytes;
    if (here.size() == imas.size() && all_there) return packed_bytes(channels, bits);
    return packed_bytes(channels_in(here, rows / channels, sliced), bits);
  };
  Few<Delivery> result;
  for (std::size_t first = 0, last = 0; first < imas.size(); first = last) {
    const int tile = imas[first].tile;
    while (last < imas.size() && imas[last].tile == tile) ++last;
    result.push_back({tile, taken(std::span(imas).subspan(first, last - first))});
  }
  return result;
}

std::int64_t input_bytes(const ImaPart& ima, const slice::SlicedLayer& sliced, int bits) {
  std::vector<Range> ranges;
  for_each_range(ima, sliced,
                 [&](const slice::RowBlock& range) { ranges.emplace_back(range.first, range.last); });
  std::sort(ranges.begin(), ranges.end());
  ranges.erase(std::unique(ranges.begin(), ranges.end()), ranges.end());
  std::int64_t rows = 0;
  for (const auto& [first, last] : ranges) rows += last - first;
  return packed_bytes(rows, bits);
}

}  // namespace bitline::place
