// SPDX-License-Identifier: Apache-2.0
#include "sim/analytic/contention.h"

#include <algorithm>

namespace bitline::analytic {
namespace {

/// Parts that are busy for less of the time between images hold nobody up for long, and where none is busier
/// than kIdle nobody waits at all. Chosen.
constexpr double kContended = 0.25;
constexpr double kIdle = 0.5;
/// A packet that waits holds the links behind it: of a contended link no more than this can be used. Fitted
/// to the fidelity sample (README.md).
constexpr double kMeshUse = 0.9;
/// Slots of a calendar between images.
constexpr double kSlots = 512;

/// No image can follow another faster: the reads of the busiest IMAs, the work of the busiest part.
Instant least_interval(const PipelineModel& model, const Parts& parts) {
  Instant least = 1;
  for (const StageModel& m : model.stages) {
    const auto pixels = static_cast<Instant>(m.stage->pixels);
    if (m.layer != nullptr)
      least =
          std::max(least, (m.ima.first_read + m.ima.tail) * pixels / static_cast<Instant>(m.replicas.size()));
  }
  for (const Parts::Use& use : parts.use()) least = std::max(least, use.busy);
  return least;
}

}  // namespace

Contention::Contention(const PipelineModel& model, const Parts& parts)
    : calendar_of_(parts.use().size(), -1),
      first_link_(parts.first_mesh_link()),
      stages_(model.stages.data()) {
  const Instant interval = least_interval(model, parts);
  for (const Parts::Use& use : parts.use()) busiest_ = std::max(busiest_, use.busy / interval);
  for (std::size_t part = 0; part < calendar_of_.size() && busiest_ > kIdle; ++part) {
    if (parts.use()[part].busy < kContended * interval) continue;
    calendar_of_[part] = static_cast<int>(calendars_.size());
    calendars_.emplace_back(interval / kSlots);
  }
  if (calendars_.empty()) return;
  for (const StageModel& m : model.stages) {
    first_.push_back(loads_.size());
    for (const Replica& replica : m.replicas) {
      add(replica.fill_loads);
      add(replica.deliver_loads);
      add(m.read_loads);
    }
  }
}

void Contention::add(const Parts::Loads& loads) {
  loads_.emplace_back();
  for (const Parts::Load& load : loads) {
    const int calendar = calendar_of_[load.part];
    const double use = load.part >= first_link_ && load.part + 1 < calendar_of_.size() ? kMeshUse : 1.0;
    if (calendar >= 0) loads_.back().push_back({static_cast<std::size_t>(calendar), load.busy / use});
  }
}

bool Contention::concerns(const StageModel& stage) const {
  if (calendars_.empty()) return false;
  const Loads* all = loads(stage);
  return std::any_of(all, all + stage.replicas.size() * phases_,
                     [](const Loads& loads) { return !loads.empty(); });
}

}  // namespace bitline::analytic
