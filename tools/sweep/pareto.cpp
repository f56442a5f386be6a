// SPDX-License-Identifier: Apache-2.0
#include "tools/sweep/pareto.h"

#include <algorithm>
#include <map>
#include <numeric>

namespace bitline::sweep {
namespace {

using Values = std::vector<double>;

/// The front of two objectives as a staircase: y falls as x rises. What it holds weakly dominates what is
/// above it.
class Staircase {
 public:
  /// Whether some step is at most (x, y) in both.
  [[nodiscard]] bool covers(double x, double y) const {
    const auto after = steps_.upper_bound(x);
    return after != steps_.begin() && std::prev(after)->second <= y;
  }
  void add(double x, double y) {
    auto at = steps_.lower_bound(x);
    while (at != steps_.end() && at->second >= y) at = steps_.erase(at);
    steps_.emplace(x, y);
  }

 private:
  std::map<double, double> steps_;
};

/// Points of the front so far, for any number of objectives. The first is not looked at: points come in its
/// order.
class Front {
 public:
  [[nodiscard]] bool covers(const Values& v) const {
    return std::any_of(members_.begin(), members_.end(), [&](const Values* member) {
      return std::equal(v.begin() + 1, v.end(), member->begin() + 1,
                        [](double mine, double its) { return its <= mine; });
    });
  }
  void add(const Values& v) { members_.push_back(&v); }

 private:
  std::vector<const Values*> members_;
};

}  // namespace

std::vector<bool> pareto_front(const std::vector<Values>& values) {
  std::vector<bool> front(values.size());
  if (values.empty()) return front;
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  // In this order a point is dominated by earlier ones only, and by one that is no larger in the others.
  Staircase stairs;
  Front any;
  const std::size_t objectives = values.front().size();
  for (std::size_t i = 0; i < order.size(); ++i) {
    const Values& v = values[order[i]];
    if (i > 0 && v == values[order[i - 1]]) {
      front[order[i]] = front[order[i - 1]];
      continue;
    }
    const double y = objectives > 1 ? v[1] : 0;
    const double z = objectives > 2 ? v[2] : 0;
    front[order[i]] = !(objectives <= 3 ? stairs.covers(y, z) : any.covers(v));
    if (!front[order[i]]) continue;
    if (objectives <= 3)
      stairs.add(y, z);
    else
      any.add(v);
  }
  return front;
}

}  // namespace bitline::sweep
