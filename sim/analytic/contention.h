// SPDX-License-Identifier: Apache-2.0
// Parts that several stages, or copies of a layer, keep busy for a good share of the time: how long their
// windows wait for each other.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "sim/analytic/calendar.h"
#include "sim/analytic/stage_probe.h"

namespace bitline::analytic {

class Contention {
 public:
  enum Phase : int { fill, deliver, read, phases_ };

  /// `parts`: as left by probe().
  Contention(const PipelineModel& model, const Parts& parts);

  /// The share of the shortest possible interval that the busiest part is kept busy, IMAs left aside.
  [[nodiscard]] double busiest() const { return busiest_; }

  /// Whether any window of the stage can wait.
  [[nodiscard]] bool concerns(const StageModel& stage) const;

  /// What a window keeps busy of the parts that it may have to wait for.
  struct Load {
    std::size_t calendar;
    Instant busy;
  };
  using Loads = std::vector<Load>;
  /// Of a stage: [replica * phases_ + phase]. Only where there are any.
  [[nodiscard]] const Loads* loads(const StageModel& stage) const {
    return loads_.data() + first_[static_cast<std::size_t>(&stage - stages_)];
  }

  /// Enters a window's work from `at` on: how much later than on an idle chip it is done, in whole
  /// femtoseconds.
  Instant wait(const Loads& loads, Instant at) {
    Instant longest = 0;
    for (const Load& load : loads) longest = std::max(longest, calendars_[load.calendar].take(at, load.busy));
    return longest > 0 ? std::round(longest) : 0;
  }

 private:
  void add(const Parts::Loads& loads);

  double busiest_ = 0;
  std::vector<Calendar> calendars_;
  std::vector<int> calendar_of_;  ///< [part] -1: none
  std::size_t first_link_;        ///< the first part that is a link of the mesh
  std::vector<Loads> loads_;
  std::vector<std::size_t> first_;  ///< [stage] in loads_: replica * phases_ + phase
  const StageModel* stages_;
};

}  // namespace bitline::analytic
