// SPDX-License-Identifier: Apache-2.0
#include "mapper/place/run_paths.h"

#include <map>
#include <mutex>
#include <span>
#include <utility>

namespace bitline::place {
namespace {

std::size_t index(int id) {
  return static_cast<std::size_t>(id);
}

void look_up(const std::vector<Pixels>& table, std::vector<Pixels>& values) {
  for (Pixels& value : values) value = table[index(value)];
}

std::shared_ptr<const Within> make_within(std::span<const Link> links) {
  auto within = std::make_shared<Within>();
  const Link& last = links.back();
  const auto before = links.first(links.size() - 1);
  within->arriving = links.front().table->ready;
  for (const Link& link : before.subspan(1)) look_up(link.table->ready, within->arriving);
  within->ready = within->arriving;
  look_up(last.table->ready, within->ready);
  within->needed = last.table->needed;
  for (std::size_t l = before.size(); l-- > 0;) {
    // The first windows may lie on padding alone, and need no window of the stages before.
    for (Pixels& pixels : within->needed) pixels = before[l].table->needed[index(std::max(pixels, 1) - 1)];
  }
  within->room.reserve(index(last.pixels) + 1);
  for (Pixels room = 0; room <= last.pixels; ++room) {
    Pixels made = room;
    for (std::size_t l = before.size(); l-- > 0;) made = before[l].room(made);
    within->room.push_back(made);
  }
  return within;
}

/// What is known of paths of networks met before, by their windows and buffers: a search meets them again and
/// again. For any thread.
class KnownPaths {
 public:
  /// `tables`: of the links.
  std::shared_ptr<const Within> within(std::span<const Link> links,
                                       std::vector<std::shared_ptr<const WindowTable>> tables) {
    Key key;
    key.tables = std::move(tables);
    for (const Link& link : links) key.numbers.insert(key.numbers.end(), {link.capacity, link.reduces});
    const std::lock_guard lock(mutex_);
    if (const auto found = known_.find(key); found != known_.end()) return found->second;
    auto made = make_within(links);
    const std::size_t size =
        made->arriving.size() + made->ready.size() + made->room.size() + made->needed.size();
    if (numbers_ + size > kMost) {
      known_.clear();
      numbers_ = 0;
    }
    numbers_ += size;
    known_.emplace(std::move(key), made);
    return made;
  }

 private:
  struct Key {
    std::vector<std::shared_ptr<const WindowTable>> tables;
    std::vector<Pixels> numbers;
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  static constexpr std::size_t kMost = std::size_t{1} << 22;  // 16 MiB
  std::mutex mutex_;
  std::map<Key, std::shared_ptr<const Within>> known_;
  std::size_t numbers_ = 0;
};

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
    within_.push_back(first == last ? nullptr : stages_within(first, tables));
    paths.push_back({from, to, first, last, within_.back().get()});
    return;
  }
}

std::shared_ptr<const Within> RunPaths::stages_within(
    int first, const std::vector<std::shared_ptr<const WindowTable>>& tables) const {
  static KnownPaths known;
  const std::span<const Link> path = std::span(links).subspan(index(first));
  std::vector<std::shared_ptr<const WindowTable>> windows;
  windows.reserve(path.size());
  for (const Link& link : path) windows.push_back(tables[index(link.edge)]);
  return known.within(path, std::move(windows));
}

Pixels RunPaths::windows_for_place(const Path& path, Pixels pixel) const {
  for (int l = path.first; l <= path.last; ++l) {
    const Link& link = links[index(l)];
    pixel = link.table->freed[index(pixel - link.capacity)];
  }
  return pixel + 1;
}

}  // namespace bitline::place
