// SPDX-License-Identifier: Apache-2.0
#include "sim/analytic/read_probe.h"

#include <algorithm>
#include <utility>

#include "mapper/place/window_table.h"

namespace bitline::analytic {

using base::Action;

bool ReadProbe::probe(StageModel& m) {
  Kinds& kinds = kinds_of(*m.stage);
  const std::int64_t each = m.stage->pixels / std::ssize(kinds.of_pixel);
  place::Few<Instant, 4> times;
  Instant longest = 0;
  for (const Kinds::Kind& kind : kinds.kinds) {
    times.push_back(read(m, kind.pixel, kind.windows * each));
    if (parts_.busiest_of_window() <= longest) continue;
    longest = parts_.busiest_of_window();
    m.read_loads = parts_.loads();
  }
  place::Shared<Instant>& reads = kinds.reads[times];
  if (reads.empty()) {
    std::vector<Instant> of_pixel;
    of_pixel.reserve(kinds.of_pixel.size());
    for (const std::size_t kind : kinds.of_pixel) of_pixel.push_back(times[kind]);
    reads = place::Shared<Instant>(std::move(of_pixel));
  }
  m.read = reads;
  const auto& inputs = m.stage->inputs;
  const bool absorbs =
      std::any_of(inputs.begin(), inputs.end(), [this](place::EdgeId e) { return reduces(e); });
  if (absorbs) probe_absorbing(m);
  return absorbs;
}

ReadProbe::Kinds& ReadProbe::kinds_of(const place::Stage& stage) {
  Tables varying;
  for (const place::EdgeId e : stage.inputs)
    if (!reduces(e) && !edge(e).table->taken.empty()) varying.push_back(edge(e).table.get());
  Kinds& kinds = known_[varying];
  if (kinds.kinds.empty()) find_kinds(varying, kinds);
  return kinds;
}

void ReadProbe::find_kinds(const Tables& tables, Kinds& found) {
  const auto same = [&tables](std::size_t a, std::size_t b) {
    return std::all_of(tables.begin(), tables.end(),
                       [=](const place::WindowTable* table) { return table->taken[a] == table->taken[b]; });
  };
  const std::size_t pixels = tables.empty() ? 1 : tables.front()->taken.size();
  found.of_pixel.reserve(pixels);
  std::size_t last = 0;
  for (std::size_t j = 0; j < pixels; ++j) {
    if (j == 0 || !same(j, j - 1)) {
      const auto known = std::find_if(found.kinds.begin(), found.kinds.end(), [&](const Kinds::Kind& kind) {
        return same(j, static_cast<std::size_t>(kind.pixel));
      });
      last = static_cast<std::size_t>(known - found.kinds.begin());
      if (known == found.kinds.end()) found.kinds.push_back({static_cast<std::int64_t>(j), 0});
    }
    ++found.kinds[last].windows;
    found.of_pixel.push_back(last);
  }
}

/// `windows` windows of an image that read as that of `pixel`: how long one takes.
Instant ReadProbe::read(StageModel& m, std::int64_t pixel, std::int64_t windows) {
  parts_.start_window(static_cast<double>(windows));
  Instant taken = 0;
  for (std::size_t part = 0; part < m.stage->tiles.size(); ++part) {
    const std::int64_t bytes = read_bytes(*m.stage, part, pixel);
    if (bytes == 0) continue;
    m.reads[Action::edram_read] += memory::accesses(arch_.tile.edram, bytes) * windows;
    taken = std::max(taken, parts_.edram(m.stage->tiles[part], 0, bytes));
  }
  return taken;
}

std::int64_t ReadProbe::read_bytes(const place::Stage& stage, std::size_t part, std::int64_t pixel) const {
  std::int64_t bytes = 0;
  for (const place::EdgeId e : stage.inputs) {
    if (reduces(e)) continue;
    const std::vector<std::int32_t>& taken = edge(e).table->taken;
    bytes += (taken.empty() ? 1 : taken[static_cast<std::size_t>(pixel)]) *
             edge(e).deliveries.at(part).pixel_bytes;
  }
  return bytes;
}

/// Global pooling: its pixels are read and its first work is done one by one.
void ReadProbe::probe_absorbing(StageModel& m) {
  for (const place::EdgeId e : m.stage->inputs) {
    if (!reduces(e)) continue;
    const std::int64_t pixels = program_.stages[static_cast<std::size_t>(edge(e).producer)].pixels;
    parts_.start_window(static_cast<double>(pixels));
    for (std::size_t part = 0; part < m.stage->tiles.size(); ++part) {
      const auto [tile, bytes] = edge(e).deliveries[part];
      m.reads[Action::edram_read] += memory::accesses(arch_.tile.edram, bytes) * pixels;
      const base::Time occupied = memory::occupancy(arch_.tile.edram, bytes);
      m.absorb = std::max(m.absorb, static_cast<Instant>(occupied.fs()));
      m.absorb_latency = std::max(m.absorb_latency, parts_.edram(tile, 0, bytes));
      accumulate(m, static_cast<std::int64_t>(part), pixels);
    }
  }
}

void ReadProbe::accumulate(StageModel& m, std::int64_t part, std::int64_t pixels) {
  const std::int64_t parts = std::ssize(m.stage->tiles);
  for (const place::UnitWork& work : m.stage->work) {
    const std::int64_t elements = share(work.elements, part, 1, parts);
    if (work.unit == place::Unit::none || elements == 0) continue;
    const UnitPart unit = part_of(work.unit);
    const std::int64_t each = std::max<std::int64_t>(1, elements / pixels);
    const int tile = m.stage->tiles[static_cast<std::size_t>(part)];
    const Instant occupied = unit_time(arch_.tile, unit.part, each);
    m.reads[unit.action] += elements;
    m.accumulate = std::max(m.accumulate, occupied);
    m.accumulate_latency = std::max(m.accumulate_latency, parts_.serve(tile, unit.part, 0, occupied));
    return;
  }
}

}  // namespace bitline::analytic
