// SPDX-License-Identifier: Apache-2.0
#include "mapper/place/annealing.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <random>

namespace bitline::place {
namespace {

constexpr int kRuns = 3;                 // from the same start; the best counts
constexpr int kSteps = 100;              // of the temperature
constexpr int kTriesPerItem = 12;        // in each of them,
constexpr int kTries = 200;              // and so many more for the sake of few items
constexpr double kCoolest = 1.0 / 4096;  // last temperature / first

std::size_t index(int id) {
  return static_cast<std::size_t>(id);
}

class Annealer {
 public:
  Annealer(const Floor& floor, const std::vector<Tie>& ties, const std::vector<int>& start,
           std::uint64_t seed)
      : floor_(floor), start_(start), start_cost_(hop_bytes(floor, ties, start)), random_(seed) {
    collect(ties);
    best_ = start;
    best_cost_ = start_cost_;
  }

  std::vector<int> best() {
    for (int run = 0; run < kRuns && best_cost_ > 0; ++run) cool_down();
    return best_;
  }

 private:
  static constexpr int kFree = -1;
  struct Move {
    int item = 0;
    int to = 0;
    std::int64_t change = 0;
  };

  void cool_down() {
    at_ = start_;
    cost_ = start_cost_;
    item_at_.assign(index(floor_.places()), kFree);
    for (std::size_t i = 0; i < at_.size(); ++i) item_at_[index(at_[i])] = static_cast<int>(i);
    const auto tries = static_cast<int>(at_.size()) * kTriesPerItem + kTries;
    const int rows = (floor_.places() + floor_.width - 1) / floor_.width;
    const int reach = std::max(std::min(floor_.width, floor_.places()), rows);
    double temperature = mean_change(reach, tries);
    const double cooling = std::pow(kCoolest, 1.0 / kSteps);
    for (int step = 0; step < kSteps; ++step) {
      const int radius = std::max(2, reach * (kSteps - step) / kSteps);
      for (int i = 0; i < tries; ++i) try_move(radius, temperature);
      keep_best();
      temperature *= cooling;
    }
  }

  /// The ties of each item side by side.
  void collect(const std::vector<Tie>& ties) {
    first_.assign(start_.size() + 1, 0);
    for (const Tie& tie : ties) {
      ++first_[index(tie.a) + 1];
      if (tie.b != Tie::kFixed) ++first_[index(tie.b) + 1];
    }
    for (std::size_t i = 1; i < first_.size(); ++i) first_[i] += first_[i - 1];
    ends_.resize(first_.back());
    std::vector<std::size_t> next(first_.begin(), first_.end() - 1);
    for (const Tie& tie : ties) {
      ends_[next[index(tie.a)]++] = {tie.b, tie.bytes};
      if (tie.b != Tie::kFixed) ends_[next[index(tie.b)]++] = {tie.a, tie.bytes};
    }
  }

  int below(int n) { return static_cast<int>(random_() % static_cast<std::uint64_t>(n)); }
  /// In [0, 1).
  double uniform() { return static_cast<double>(random_() >> 11) * 0x1p-53; }

  /// A place at most `radius` rows and columns away from `here`; `here` itself, if that is beyond the floor.
  int near(int here, int radius) {
    const int x = here % floor_.width + below(2 * radius + 1) - radius;
    const int y = here / floor_.width + below(2 * radius + 1) - radius;
    const bool outside = x < 0 || x >= floor_.width || y < 0 || y * floor_.width + x >= floor_.places();
    return outside ? here : y * floor_.width + x;
  }

  /// An item to a place at most `radius` away, or beside an item that it is tied to.
  Move propose(int radius) {
    Move move;
    move.item = below(static_cast<int>(at_.size()));
    const int here = at_[index(move.item)];
    const std::size_t first = first_[index(move.item)];
    const auto ties = static_cast<int>(first_[index(move.item) + 1] - first);
    if (ties > 0 && below(2) == 0) {
      const int partner = ends_[first + index(below(ties))].first;
      move.to = near(partner == Tie::kFixed ? 0 : at_[index(partner)], 2);
    } else {
      move.to = near(here, radius);
    }
    const int other = item_at_[index(move.to)];
    if (move.to == here) return move;
    move.change = change(move.item, here, move.to, other);
    if (other != kFree) move.change += change(other, move.to, here, move.item);
    return move;
  }

  /// Of hop_bytes, were `item` at `to`; its tie to `other`, which takes its place, keeps its length.
  [[nodiscard]] std::int64_t change(int item, int from, int to, int other) const {
    std::int64_t sum = 0;
    for (std::size_t e = first_[index(item)]; e < first_[index(item) + 1]; ++e) {
      const auto& [partner, bytes] = ends_[e];
      if (partner == other && other != kFree) continue;
      const int place = partner == Tie::kFixed ? 0 : at_[index(partner)];
      sum += bytes * (floor_.distance(to, place) - floor_.distance(from, place));
    }
    return sum;
  }

  /// Of a random move: the first temperature.
  double mean_change(int radius, int samples) {
    double sum = 0;
    for (int i = 0; i < samples; ++i) sum += std::abs(static_cast<double>(propose(radius).change));
    return sum / samples;
  }

  void try_move(int radius, double temperature) {
    const Move move = propose(radius);
    if (move.change > 0 && uniform() >= std::exp(-static_cast<double>(move.change) / temperature)) return;
    const int from = at_[index(move.item)];
    if (move.to == from) return;
    const int other = item_at_[index(move.to)];
    at_[index(move.item)] = move.to;
    if (other != kFree) at_[index(other)] = from;
    item_at_[index(from)] = other;
    item_at_[index(move.to)] = move.item;
    cost_ += move.change;
  }

  void keep_best() {
    if (cost_ >= best_cost_) return;
    best_cost_ = cost_;
    best_ = at_;
  }

  const Floor& floor_;
  const std::vector<int>& start_;
  std::int64_t start_cost_;
  std::vector<int> at_;       ///< by item
  std::vector<int> item_at_;  ///< by place
  std::vector<std::size_t> first_;
  std::vector<std::pair<int, std::int64_t>> ends_;  ///< of item i: [first_[i], first_[i + 1])
  std::mt19937_64 random_;
  std::int64_t cost_ = 0;
  std::int64_t best_cost_ = 0;
  std::vector<int> best_;
};

}  // namespace

std::int64_t Floor::distance(int a, int b) const {
  return std::abs(router_x[index(a)] - router_x[index(b)]) +
         std::abs(router_y[index(a)] - router_y[index(b)]);
}

std::int64_t hop_bytes(const Floor& floor, const std::vector<Tie>& ties, const std::vector<int>& at) {
  std::int64_t sum = 0;
  for (const Tie& tie : ties)
    sum += tie.bytes * floor.distance(at[index(tie.a)], tie.b == Tie::kFixed ? 0 : at[index(tie.b)]);
  return sum;
}

std::vector<int> anneal(const Floor& floor, const std::vector<Tie>& ties, const std::vector<int>& start,
                        std::uint64_t seed) {
  if (start.empty()) return start;
  return Annealer(floor, ties, start, seed).best();
}

}  // namespace bitline::place
