// SPDX-License-Identifier: Apache-2.0
#include "mapper/place/run_paths.h"

#include <utility>

namespace bitline::place {
namespace {

std::size_t index(int id) {
  return static_cast<std::size_t>(id);
}

void look_up(const std::vector<Pixels>& table, std::vector<Pixels>& values) {
  for (Pixels& value : values) value = table[index(value)];
}

}  // namespace

RunPaths::RunPaths(const Program& program, const std::vector<std::shared_ptr<const WindowTable>>& tables)
    : end_of_stage_(program.stages.size(), -1) {
  find_ends(program);
  links.reserve(program.edges.size());
  paths.reserve(program.edges.size());
  for (int n = 0; n < static_cast<int>(ends.size()); ++n) {
    ends[index(n)].first_out = static_cast<int>(paths.size());
    for (const EdgeId e : program.stages[index(ends[index(n)].stage)].outputs)
      add_path(program, n, e, tables);
    ends[index(n)].last_out = static_cast<int>(paths.size());
  }
}

void RunPaths::find_ends(const Program& program) {
  std::vector<StageId> before(program.stages.size(), -1);
  std::vector<bool> is_end(program.stages.size());
  for (std::size_t s = 0; s < is_end.size(); ++s)
    is_end[s] = program.stages[s].inputs.size() != 1 || program.stages[s].outputs.size() != 1;
  for (std::size_t l = 0; l < program.layers.size(); ++l) {
    const LayerPlacement& layer = program.layers[l];
    if (layer.after < 0 || layer.after > static_cast<LayerId>(l)) continue;
    before[index(layer.stage)] = program.layers[index(layer.after)].stage;
    is_end[index(layer.stage)] = is_end[index(before[index(layer.stage)])] = true;
  }
  for (std::size_t s = 0; s < is_end.size(); ++s) {
    if (!is_end[s]) continue;
    end_of_stage_[s] = static_cast<int>(ends.size());
    PathEnd& end = ends.emplace_back();
    end.stage = static_cast<StageId>(s);
    if (before[s] >= 0) end.earlier_user = end_of_stage_[index(before[s])];
  }
}

void RunPaths::add_path(const Program& program, int from, EdgeId e,
                        const std::vector<std::shared_ptr<const WindowTable>>& tables) {
  const int first = static_cast<int>(links.size());
  for (;; e = program.stages[index(program.edges[index(e)].consumer)].outputs.front()) {
    const Edge& edge = program.edges[index(e)];
    links.push_back({e, static_cast<Pixels>(edge.capacity),
                     static_cast<Pixels>(program.stages[index(edge.producer)].pixels),
                     edge.window.kind == Window::Kind::reduce, tables[index(e)].get()});
    const int to = end_of_stage_[index(edge.consumer)];
    if (to < 0) continue;
    const int last = static_cast<int>(links.size()) - 1;
    paths.push_back({from, to, first, last, first == last ? nullptr : &stages_within(first, last)});
    return;
  }
}

const Within& RunPaths::stages_within(int first, int last) {
  std::vector<const WindowTable*> windows;
  for (int l = first; l <= last; ++l) windows.push_back(links[index(l)].table);
  const auto [entry, is_new] = within_.try_emplace(std::move(windows));
  Within& within = entry->second;
  if (!is_new) return within;
  within.arriving = table(first).ready;
  for (int l = first + 1; l < last; ++l) look_up(table(l).ready, within.arriving);
  within.ready = within.arriving;
  look_up(table(last).ready, within.ready);
  within.needed = table(last).needed;
  for (int l = last - 1; l >= first; --l) {
    // The first windows may lie on padding alone, and need no window of the stages before.
    for (Pixels& pixels : within.needed) pixels = table(l).needed[index(std::max(pixels, 1) - 1)];
  }
  const Pixels most = links[index(last)].pixels;
  within.room.reserve(index(most) + 1);
  for (Pixels room = 0; room <= most; ++room) {
    Pixels made = room;
    for (int l = last - 1; l >= first; --l) made = links[index(l)].room(made);
    within.room.push_back(made);
  }
  return within;
}

Pixels RunPaths::windows_for_place(const Path& path, Pixels pixel) const {
  for (int l = path.first; l <= path.last; ++l) {
    const Link& link = links[index(l)];
    pixel = link.table->freed[index(pixel - link.capacity)];
  }
  return pixel + 1;
}

}  // namespace bitline::place
