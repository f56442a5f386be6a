// SPDX-License-Identifier: Apache-2.0
#include "mapper/place/untimed_run.h"

#include <functional>
#include <queue>
#include <utility>

#include "mapper/place/run_paths.h"
#include "models/base/errors.h"

namespace bitline::place {
namespace {

using Tables = std::vector<std::shared_ptr<const WindowTable>>;

std::size_t index(int id) {
  return static_cast<std::size_t>(id);
}

/// Which windows can be made in the end does not depend on the order (a stage that can go on can do so
/// whatever others do), so each makes as many at once as it can. One that cannot go on waits for the one that
/// lets it make the fewest, and is looked at again only when that one has made what the next window takes.
class UntimedRun {
 public:
  UntimedRun(Program& program, const Tables& tables)
      : program_(program), run_(program, tables), ends_(run_.ends.size()) {
    list_inputs();
    for (std::size_t n = 0; n < ends_.size(); ++n) {
      ends_[n].pixels = static_cast<Pixels>(program.stages[index(run_.ends[n].stage)].pixels);
      left_ += ends_[n].pixels > 0 ? 1 : 0;
    }
    outputs_.reserve(run_.paths.size());
    for (const Path& path : run_.paths) {
      const Link& link = run_.links[index(path.last)];
      // Where pixels leave at once there is room for all of them.
      outputs_.push_back(
          {link.table->gone.data(), path.within == nullptr ? nullptr : path.within->room.data(),
           &ends_[index(path.to)].made, link.reduces ? link.pixels : link.capacity, link.pixels});
    }
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
    for (const Link& link : run_.links) program_.edges[index(link.edge)].capacity = link.capacity;
  }

 private:
  /// A path as its ends see it, for short ways to what limits them.
  struct Input {
    const Pixels* ready;  ///< by pixels that its first end has made: windows for which there are inputs
    const Pixels* made;   ///< by its first end
    int path;
  };
  struct Output {
    const Pixels* gone;    ///< by windows that its last end has made: pixels that have left its buffer
    const Pixels* within;  ///< by pixels that find a place there: those of this end; null: the same
    const Pixels* made;    ///< by its last end
    Pixels capacity, pixels;
    [[nodiscard]] Pixels room() const {
      const Pixels places = std::min(pixels, capacity + gone[*made]);
      return within == nullptr ? places : within[places];
    }
  };
  /// What a stage at the end of paths has made, and whom it waits for. Those that wait for one are a linked
  /// list.
  struct End {
    Pixels pixels = 0, made = 0;    ///< windows
    int first_in = 0, last_in = 0;  ///< in inputs_
    int first_waiting = -1;         ///< for this one
    int waits_for = -1;
    int next_waiting = -1;    ///< for the same as this one
    Pixels until = 0;         ///< windows that the other one must have made
    bool has_inputs = false;  ///< it waits for a place
    Pixels looked_at = 0;     ///< number of growths at that time
    [[nodiscard]] bool starves() const { return waits_for >= 0 && !has_inputs; }
  };

  void list_inputs() {
    for (const Path& path : run_.paths) ++ends_[index(path.to)].last_in;
    int sum = 0;
    for (End& end : ends_) {
      end.first_in = sum;
      sum += std::exchange(end.last_in, sum);
    }
    inputs_.resize(run_.paths.size());
    for (std::size_t p = 0; p < run_.paths.size(); ++p) {
      const Path& path = run_.paths[p];
      inputs_[index(ends_[index(path.to)].last_in++)] = {run_.ready(path).data(),
                                                         &ends_[index(path.from)].made, static_cast<int>(p)};
    }
  }

  // --- the run
  // ----------------------------------------------------------------------------------------------

  void go_on(int n) {
    End& end = ends_[index(n)];
    see(n);
    const Pixels count = find_limit(n);
    if (count <= end.made) return;
    end.made = count;
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
    const PathEnd& place = run_.ends[index(n)];
    if (place.earlier_user >= 0) {
      const End& before = ends_[index(place.earlier_user)];
      if (before.made < before.pixels) {
        wait(n, place.earlier_user, before.pixels, false);
        return 0;
      }
    }
    Pixels count = end.pixels;
    const Input* closest = nullptr;
    for (const Input *input = inputs_.data() + end.first_in, *last = inputs_.data() + end.last_in;
         input != last; ++input) {
      const Pixels windows = input->ready[*input->made];
      if (windows >= count) continue;
      count = windows;
      closest = input;
    }
    int fullest = -1;
    for (int p = place.first_out; p < place.last_out; ++p) {
      const Pixels windows = outputs_[index(p)].room();
      if (windows >= count) continue;
      count = windows;
      fullest = p;
    }
    if (fullest >= 0) {
      const Path& path = run_.paths[index(fullest)];
      wait(n, path.to, run_.windows_for_place(path, count), true);
    } else if (closest != nullptr) {
      const Path& path = run_.paths[index(closest->path)];
      wait(n, path.from, run_.needed(path)[index(count)], false);
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
    const Pixels places = run_.links[index(path.last)].room(ends_[index(path.to)].made);
    const Pixels made = ends_[index(path.from)].made;
    if (path.within != nullptr) return path.within->arriving[index(made)] > places;
    return from.waits_for >= 0 && from.has_inputs && places <= made;
  }

  void add_candidate(int p) {
    if (!may_grow(run_.paths[index(p)])) return;
    const Link& link = run_.links[index(run_.paths[index(p)].last)];
    candidates_.push({link.capacity, link.edge, p});
  }

  /// The smallest that may, the first of equal ones.
  void grow_a_buffer() {
    for (const int n : seen_) {
      const End& end = ends_[index(n)];
      for (int i = end.first_in; i < end.last_in && end.starves(); ++i) add_candidate(inputs_[index(i)].path);
      const PathEnd& place = run_.ends[index(n)];
      for (int p = place.first_out; p < place.last_out; ++p) {
        const End& to = ends_[index(run_.paths[index(p)].to)];
        if (to.starves() && to.looked_at != growths_) add_candidate(p);  // else it is its turn
      }
    }
    seen_.clear();
    ++growths_;
    for (;; candidates_.pop()) {
      if (candidates_.empty()) throw base::MappingError(stuck());
      const Candidate smallest = candidates_.top();
      const Path& path = run_.paths[index(smallest.path)];
      Link& link = run_.links[index(path.last)];
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
    for (std::size_t n = 0; n < ends_.size(); ++n) made[index(run_.ends[n].stage)] = ends_[n].made;
    for (const Path& path : run_.paths) {
      Pixels arrived = ends_[index(path.from)].made;
      for (int l = path.first; l < path.last; ++l) {
        arrived = run_.links[index(l)].table->ready[index(arrived)];
        Pixels places = ends_[index(path.to)].made;
        for (int later = path.last; later > l; --later) places = run_.links[index(later)].room(places);
        made[index(program_.edges[index(run_.links[index(l)].edge)].consumer)] = std::min(arrived, places);
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
  RunPaths run_;
  std::vector<End> ends_;        ///< as those of run_
  std::vector<Input> inputs_;    ///< by their last end
  std::vector<Output> outputs_;  ///< as paths
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
