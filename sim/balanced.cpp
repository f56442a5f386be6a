// SPDX-License-Identifier: Apache-2.0
#include "sim/balanced.h"

#include <algorithm>
#include <utility>

#include "mapper/place/limited.h"
#include "sim/analytic/estimate.h"
#include "sim/cycle/worker_processes.h"
#include "sim/deadline.h"

namespace bitline::sim {
namespace {

/// When an image alone ends, when each of several does, and how long it is from the first to the last but
/// one (behind which no other image is on the way).
std::vector<double> times_of(const cycle::CycleResult& alone, const cycle::CycleResult& several) {
  std::vector<double> times{static_cast<double>(alone.image_end.front().fs())};
  for (const base::Time end : several.image_end) times.push_back(static_cast<double>(end.fs()));
  const auto images = several.image_end.size();
  times.push_back(static_cast<double>((several.image_end[images - 2] - several.image_end[0]).fs()));
  return times;
}

/// Whether every one of `times` is at most that `share` of the other's.
bool within(const std::vector<double>& times, const std::vector<double>& others, double share) {
  return std::equal(times.begin(), times.end(), others.begin(), others.end(),
                    [share](double time, double other) { return time <= share * other; });
}

class Timing {
 public:
  Timing(const arch::Arch& arch, const std::vector<cycle::LayerSource>& layers, double limit_s)
      : arch_(arch), layers_(layers), deadline_(limit_s) {}

  [[nodiscard]] std::vector<double> estimated(const place::Program& program) const {
    deadline_.check("the choice of balanced copies");
    return times_of(analytic::estimate(program, arch_, layers_, 1),
                    analytic::estimate(program, arch_, layers_, kTimedImages));
  }
  [[nodiscard]] std::vector<double> simulated(const place::Program& program) const {
    deadline_.check("the choice of balanced copies");
    const auto of = [&](std::int64_t images) -> cycle::Simulation {
      return [this, &program, images] {
        cycle::CycleOptions options;
        options.images = images;
        options.wall_clock_limit_s = deadline_.left_s();
        return cycle::simulate_cycles(program, arch_, layers_, options);
      };
    };
    const auto results = cycle::simulate_in_processes({of(1), of(kTimedImages)}, 1);
    return times_of(results[0], results[1]);
  }

 private:
  const arch::Arch& arch_;
  const std::vector<cycle::LayerSource>& layers_;
  const Deadline deadline_;
};

int most_copies(const place::Program& program) {
  int most = 1;
  for (const place::LayerPlacement& layer : program.layers) most = std::max(most, layer.replicas);
  return most;
}

bool one_of_each(const place::Program& program) {
  return most_copies(program) == 1 && std::all_of(program.stages.begin(), program.stages.end(),
                                                  [](const place::Stage& stage) { return stage.parts == 1; });
}

double sure_gain(const place::Program& program) {
  std::int64_t pixels = 0;
  for (const place::Stage& stage : program.stages) pixels += stage.pixels;
  return pixels < kLong ? kSureGain : kSureGainOfLong;
}

bool can_be_estimated(const place::Program& program) {
  return program.chips == 1 && program.phases.empty();
}

}  // namespace

place::Program place_balanced(const std::shared_ptr<const graph::Graph>& graph, const arch::Arch& arch,
                              const std::vector<place::LayerInput>& layers,
                              const std::vector<cycle::LayerSource>& timed, double limit_s) {
  place::Program copies = place::place(graph, arch, layers);
  if (one_of_each(copies)) return copies;

  arch::Arch one_each = arch;
  one_each.mapping.replication = arch::Replication::none;
  place::Program single = place::place(graph, one_each, layers);
  const Timing timing(arch, timed, limit_s);
  if (can_be_estimated(single) && can_be_estimated(copies) &&
      within(timing.estimated(copies), timing.estimated(single), sure_gain(single)))
    return copies;

  const std::vector<double> to_beat = timing.simulated(single);
  while (!within(timing.simulated(copies), to_beat, 1)) {
    const int most = most_copies(copies) / 2;
    if (most <= 1) return single;
    copies = place::place_limited(graph, arch, layers, most);
    if (one_of_each(copies)) return single;
  }
  return copies;
}

}  // namespace bitline::sim
