// SPDX-License-Identifier: Apache-2.0
#include "mapper/place/untimed_run.h"

#include <algorithm>
#include <functional>
#include <map>
#include <queue>
#include <utility>

#include "models/base/errors.h"

namespace bitline::place {
namespace {

using Pixels = std::int32_t;
using Tables = std::vector<std::shared_ptr<const WindowTable>>;

std::size_t index(int id) {
  return static_cast<std::size_t>(id);
}

/// Which windows can be made in the end does not depend on the order (a stage that can go on can do so
/// whatever others do), so each makes as many at once as it can. One that cannot go on waits for the one that
/// lets it make the fewest, and is looked at again only when that one has made what the next window takes.
///
/// Stages with one input and one output, one after another, never block by themselves: a full buffer holds
/// what its consumer needs next. How far they have come follows from the ends of their path, which alone are
/// run; and of their buffers only the last one, in front of an end, may have to grow.
class UntimedRun {
 public:
  UntimedRun(Program& program, const Tables& tables)
      : program_(program), end_of_stage_(program.stages.size(), -1) {
    find_ends();
    for (int n = 0; n < static_cast<int>(ends_.size()); ++n) {
      ends_[index(n)].first_out = static_cast<int>(paths_.size());
      for (const EdgeId e : program.stages[index(ends_[index(n)].stage)].outputs) add_path(n, e, tables);
      ends_[index(n)].last_out = static_cast<int>(paths_.size());
    }
    list_inputs();
    made_.assign(ends_.size(), 0);
  }

  void run() {
    for (int n = static_cast<int>(ends_.size()); n-- > 0;) to_do_.push_back(n);
    for (;;) {
      while (!to_do_.empty()) {
        const int n = to_do_.back();
        to_do_.pop_back();
        go_on(n);
      }
      if (left_ == 0) break;
      grow_a_buffer();
    }
    for (const Link& link : links_) program_.edges[index(link.edge)].capacity = link.capacity;
  }

 private:
  /// An edge.
  struct Link {
    EdgeId edge;
    Pixels capacity;
    Pixels pixels;  ///< of its producer
    bool reduces;   ///< pixels leave at once
    const WindowTable* table;
    [[nodiscard]] Pixels room(Pixels windows) const {
      return reduces ? pixels : std::min(pixels, capacity + table->gone[index(windows)]);
    }
  };
  /// What the stages within a path make of what its ends do, by pixel.
  struct Within {
    std::vector<Pixels> arriving;  ///< by pixels that the first has made: those of the last but one
    std::vector<Pixels> ready;     ///< the same: windows of the last for which there are inputs
    std::vector<Pixels> room;      ///< by pixels of the last but one that find a place: those of the first
  };
  /// links_[first] to links_[last], one after another.
  struct Path {
    int from, to;
    int first, last;
    const Within* within;  ///< null: one link alone
  };
  /// A path as its ends see it, for short ways to what limits them.
  struct Input {
    const Pixels* ready;  ///< by pixels that `from` has made: windows for which there are inputs
    int from;
    int path;
  };
  struct Output {
    const Pixels* gone;    ///< by windows that `to` has made: pixels that have left its buffer
    const Pixels* within;  ///< by pixels that find a place there: those of this end; null: the same
    Pixels capacity, pixels;
    int to;
    [[nodiscard]] Pixels room(Pixels windows) const {
      const Pixels places = std::min(pixels, capacity + gone[windows]);
      return within == nullptr ? places : within[places];
    }
  };
  /// A stage at the end of paths, and the one that it waits for. Those that wait for one are a linked list.
  struct End {
    StageId stage = 0;
    Pixels pixels = 0;                ///< windows to be made
    int first_in = 0, last_in = 0;    ///< in inputs_
    int first_out = 0, last_out = 0;  ///< in paths_ and outputs_
    int first_waiting = -1;           ///< for this one
    int waits_for = -1;
    int next_waiting = -1;    ///< for the same as this one
    Pixels until = 0;         ///< windows that the other one must have made
    bool has_inputs = false;  ///< it waits for a place
    int earlier_user = -1;    ///< must be done with an image before this one may use their crossbars
    Pixels looked_at = 0;     ///< number of growths at that time
    [[nodiscard]] bool starves() const { return waits_for >= 0 && !has_inputs; }
  };

  void find_ends() {
    std::vector<StageId> before(program_.stages.size(), -1);
    std::vector<bool> is_end(program_.stages.size());
    for (std::size_t s = 0; s < is_end.size(); ++s)
      is_end[s] = program_.stages[s].inputs.size() != 1 || program_.stages[s].outputs.size() != 1;
    for (std::size_t l = 0; l < program_.layers.size(); ++l) {
      const LayerPlacement& layer = program_.layers[l];
      if (layer.after < 0 || layer.after > static_cast<LayerId>(l)) continue;
      before[index(layer.stage)] = program_.layers[index(layer.after)].stage;
      is_end[index(layer.stage)] = is_end[index(before[index(layer.stage)])] = true;
    }
    for (std::size_t s = 0; s < is_end.size(); ++s) {
      if (!is_end[s]) continue;
      end_of_stage_[s] = static_cast<int>(ends_.size());
      End& end = ends_.emplace_back();
      end.stage = static_cast<StageId>(s);
      end.pixels = static_cast<Pixels>(program_.stages[s].pixels);
      if (before[s] >= 0) end.earlier_user = end_of_stage_[index(before[s])];
      left_ += end.pixels > 0 ? 1 : 0;
    }
  }

  void add_path(int from, EdgeId e, const Tables& tables) {
    const int first = static_cast<int>(links_.size());
    for (;; e = program_.stages[index(program_.edges[index(e)].consumer)].outputs.front()) {
      const Edge& edge = program_.edges[index(e)];
      links_.push_back({e, static_cast<Pixels>(edge.capacity),
                        static_cast<Pixels>(program_.stages[index(edge.producer)].pixels),
                        edge.window.kind == Window::Kind::reduce, tables[index(e)].get()});
      const int to = end_of_stage_[index(edge.consumer)];
      if (to < 0) continue;
      const int last = static_cast<int>(links_.size()) - 1;
      const Within* within = first == last ? nullptr : &stages_within(first, last);
      paths_.push_back({from, to, first, last, within});
      const Link& link = links_.back();
      // Where pixels leave at once there is room for all of them.
      outputs_.push_back({link.table->gone.data(), within == nullptr ? nullptr : within->room.data(),
                          link.reduces ? link.pixels : link.capacity, link.pixels, to});
      return;
    }
  }

  /// The same for paths of the same windows.
  const Within& stages_within(int first, int last) {
    std::vector<const WindowTable*> windows;
    for (int l = first; l <= last; ++l) windows.push_back(links_[index(l)].table);
    const auto [entry, is_new] = within_.try_emplace(std::move(windows));
    Within& within = entry->second;
    if (!is_new) return within;
    within.arriving = links_[index(first)].table->ready;
    for (int l = first + 1; l < last; ++l) look_up(links_[index(l)].table->ready, within.arriving);
    within.ready = within.arriving;
    look_up(links_[index(last)].table->ready, within.ready);
    const Pixels most = links_[index(last)].pixels;
    for (Pixels room = 0; room <= most; ++room) {
      Pixels made = room;
      for (int l = last - 1; l >= first; --l) made = links_[index(l)].room(made);
      within.room.push_back(made);
    }
    return within;
  }
  static void look_up(const std::vector<Pixels>& table, std::vector<Pixels>& values) {
    for (Pixels& value : values) value = table[index(value)];
  }

  void list_inputs() {
    for (const Path& path : paths_) ++ends_[index(path.to)].last_in;
    int sum = 0;
    for (End& end : ends_) {
      end.first_in = sum;
      sum += std::exchange(end.last_in, sum);
    }
    inputs_.resize(paths_.size());
    for (std::size_t p = 0; p < paths_.size(); ++p) {
      const Path& path = paths_[p];
      const auto& ready = path.within != nullptr ? path.within->ready : links_[index(path.last)].table->ready;
      inputs_[index(ends_[index(path.to)].last_in++)] = {ready.data(), path.from, static_cast<int>(p)};
    }
  }

  // --- what a path lets its ends make
  // -----------------------------------------------------------------------

  /// Pixels that the first must have made for `window` of the last.
  [[nodiscard]] Pixels needed(const Path& path, Pixels window) const {
    for (int l = path.last;; --l) {
      const Pixels pixels = links_[index(l)].table->needed[index(window)];
      if (l == path.first) return pixels;
      window = pixels - 1;
    }
  }
  /// Windows that the last must have made for a place of `pixel` of the first.
  [[nodiscard]] Pixels places(const Path& path, Pixels pixel) const {
    for (int l = path.first; l <= path.last; ++l) {
      const Link& link = links_[index(l)];
      pixel = link.table->freed[index(pixel - link.capacity)];
    }
    return pixel + 1;
  }

  // --- the run
  // ----------------------------------------------------------------------------------------------

  void go_on(int n) {
    End& end = ends_[index(n)];
    see(n);
    const Pixels count = find_limit(n);
    if (count <= made_[index(n)]) return;
    made_[index(n)] = count;
    if (count == end.pixels) --left_;
    for (int* link = &end.first_waiting; *link >= 0;) {
      End& waiting = ends_[index(*link)];
      if (waiting.until > count) {
        link = &waiting.next_waiting;
        continue;
      }
      to_do_.push_back(*link);
      waiting.waits_for = -1;
      *link = waiting.next_waiting;
    }
  }

  void see(int n) {
    if (ends_[index(n)].looked_at == growths_) return;
    ends_[index(n)].looked_at = growths_;
    seen_.push_back(n);
  }

  /// How many windows the stage can make; it then waits for the one that lets it make no more.
  Pixels find_limit(int n) {
    const End& end = ends_[index(n)];
    if (end.earlier_user >= 0) {
      const End& before = ends_[index(end.earlier_user)];
      if (made_[index(end.earlier_user)] < before.pixels) {
        wait(n, end.earlier_user, before.pixels, false);
        return 0;
      }
    }
    Pixels count = end.pixels;
    int closest = -1, fullest = -1;
    for (int i = end.first_in; i < end.last_in; ++i) {
      const Input& input = inputs_[index(i)];
      const Pixels windows = input.ready[made_[index(input.from)]];
      if (windows >= count) continue;
      count = windows;
      closest = input.path;
    }
    for (int p = end.first_out; p < end.last_out; ++p) {
      const Output& output = outputs_[index(p)];
      const Pixels windows = output.room(made_[index(output.to)]);
      if (windows >= count) continue;
      count = windows;
      fullest = p;
    }
    if (fullest >= 0) {
      wait(n, paths_[index(fullest)].to, places(paths_[index(fullest)], count), true);
    } else if (closest >= 0) {
      wait(n, paths_[index(closest)].from, needed(paths_[index(closest)], count), false);
    }
    return count;
  }

  void wait(int n, int other, Pixels until, bool has_inputs) {
    End& end = ends_[index(n)];
    end.waits_for = other;
    end.until = until;
    end.has_inputs = has_inputs;
    end.next_waiting = std::exchange(ends_[index(other)].first_waiting, n);
  }
  void wait_no_more(int n) {
    End& end = ends_[index(n)];
    int* link = &ends_[index(end.waits_for)].first_waiting;
    while (*link != n) link = &ends_[index(*link)].next_waiting;
    *link = end.next_waiting;
    end.waits_for = -1;
  }

  // --- buffers
  // ----------------------------------------------------------------------------------------------

  /// Whether the last buffer of a path is full, in front of a stage that waits for other inputs, while the
  /// producer has those for more. Only where all wait. Other buffers never are.
  [[nodiscard]] bool may_grow(const Path& path) const {
    const End& from = ends_[index(path.from)];
    const End& to = ends_[index(path.to)];
    if (!to.starves()) return false;
    const Pixels places = links_[index(path.last)].room(made_[index(path.to)]);
    const Pixels made = made_[index(path.from)];
    if (path.within != nullptr) return path.within->arriving[index(made)] > places;
    return from.waits_for >= 0 && from.has_inputs && places <= made;
  }

  void add_candidate(int p) {
    if (!may_grow(paths_[index(p)])) return;
    const Link& link = links_[index(paths_[index(p)].last)];
    candidates_.push({link.capacity, link.edge, p});
  }

  /// The smallest that may, the first of equal ones.
  void grow_a_buffer() {
    for (const int n : seen_) {
      const End& end = ends_[index(n)];
      for (int i = end.first_in; i < end.last_in && end.starves(); ++i) add_candidate(inputs_[index(i)].path);
      for (int p = end.first_out; p < end.last_out; ++p) {
        const End& to = ends_[index(outputs_[index(p)].to)];
        if (to.starves() && to.looked_at != growths_) add_candidate(p);  // else it is its turn
      }
    }
    seen_.clear();
    ++growths_;
    for (;; candidates_.pop()) {
      if (candidates_.empty()) throw base::MappingError(stuck());
      const Candidate smallest = candidates_.top();
      const Path& path = paths_[index(smallest.path)];
      Link& link = links_[index(path.last)];
      if (link.capacity != smallest.capacity || !may_grow(path)) continue;
      candidates_.pop();
      link.capacity += std::max(1, link.capacity / 16);
      outputs_[index(smallest.path)].capacity = link.capacity;
      see(path.from);
      const End& from = ends_[index(path.from)];
      if (from.waits_for < 0 || !from.has_inputs) return;
      wait_no_more(path.from);
      to_do_.push_back(path.from);
      return;
    }
  }

  [[nodiscard]] base::Problem stuck() const {
    std::vector<Pixels> made(program_.stages.size(), 0);
    for (std::size_t n = 0; n < ends_.size(); ++n) made[index(ends_[n].stage)] = made_[n];
    for (const Path& path : paths_) {
      Pixels arrived = made_[index(path.from)];
      for (int l = path.first; l < path.last; ++l) {
        arrived = links_[index(l)].table->ready[index(arrived)];
        Pixels places = made_[index(path.to)];
        for (int later = path.last; later > l; --later) places = links_[index(later)].room(places);
        made[index(program_.edges[index(links_[index(l)].edge)].consumer)] = std::min(arrived, places);
      }
    }
    for (std::size_t s = 0; s < made.size(); ++s) {
      if (made[s] < program_.stages[s].pixels) {
        return {program_.stages[s].name,
                "the pipeline stops at output pixel " + std::to_string(made[s]) + " of " +
                    std::to_string(program_.stages[s].pixels) + " whatever the buffers",
                "networks whose windows lie inside their inputs", "report this network as a defect"};
      }
    }
    return {};
  }

  struct Candidate {
    Pixels capacity;
    EdgeId edge;
    int path;
    friend auto operator<=>(const Candidate&, const Candidate&) = default;
  };

  Program& program_;
  std::vector<int> end_of_stage_;  ///< -1: within a path
  std::vector<End> ends_;
  std::vector<Path> paths_;      ///< by `from`
  std::vector<Input> inputs_;    ///< by `to`
  std::vector<Output> outputs_;  ///< as paths_
  std::vector<Pixels> made_;     ///< by end
  std::vector<Link> links_;
  std::map<std::vector<const WindowTable*>, Within> within_;
  std::vector<int> to_do_;
  std::size_t left_ = 0;  ///< ends that have windows to make
  // Ends looked at since the last growth, and buffers that may have to grow; some no longer have to.
  std::vector<int> seen_;
  Pixels growths_ = 1;
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> candidates_;
};

}  // namespace

void grow_until_image_passes(Program& program, const Tables& tables) {
  UntimedRun(program, tables).run();
}

}  // namespace bitline::place
