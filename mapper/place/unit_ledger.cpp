// SPDX-License-Identifier: Apache-2.0
#include "mapper/place/unit_ledger.h"

#include <algorithm>

#include "mapper/place/digital_work.h"
#include "mapper/place/replicate.h"

namespace bitline::place {
namespace {

/// Stages share a unit where it is busy for no more than this of the time that the slowest layer takes for an
/// image. Stages behind strides work in bursts, so that units that are much busier make the end of an image
/// late (README.md has figures).
constexpr double kShared = 0.1;

}  // namespace

UnitLedger::UnitLedger(const Program& program, const arch::Arch& arch, const Partitions& parts)
    : tile_(arch.tile),
      most_(kShared * pace_of(program, parts, arch)),
      busy_(static_cast<std::size_t>(arch.chip.tiles * program.chips)) {}

double UnitLedger::time(const Stage& stage, const UnitWork& work, int parts) const {
  return static_cast<double>(stage.pixels) * seconds_of(work, tile_) / parts;
}

bool UnitLedger::has_time(int tile, const Stage& stage, int parts) const {
  return std::all_of(stage.work.begin(), stage.work.end(), [&](const UnitWork& work) {
    const double before = of(tile, work.unit);
    return before == 0 || before + time(stage, work, parts) <= most_;
  });
}

double UnitLedger::busy(int tile, const Stage& stage) const {
  double most = 0;
  for (const UnitWork& work : stage.work) most = std::max(most, of(tile, work.unit));
  return most;
}

void UnitLedger::take(int tile, const Stage& stage, int parts) {
  for (const UnitWork& work : stage.work) of(tile, work.unit) += time(stage, work, parts);
}

}  // namespace bitline::place
