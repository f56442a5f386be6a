// SPDX-License-Identifier: Apache-2.0
// How long an image keeps the digital units of each tile busy: the work of the digital stages placed there.
#pragma once

#include <array>
#include <vector>

#include "mapper/place/partition.h"

namespace bitline::place {

class UnitLedger {
 public:
  /// `parts`: the layers of the program, whose `replicas` are set.
  UnitLedger(const Program& program, const arch::Arch& arch, const Partitions& parts);

  /// Whether a part of a digital stage (one of `parts`) can work in the tile without waiting long for others:
  /// alone on its units, or they have little to do for all together (`kShared`).
  [[nodiscard]] bool has_time(int tile, const Stage& stage, int parts) const;
  /// What the stage's units have to do in the tile already: of the busiest, seconds an image.
  [[nodiscard]] double busy(int tile, const Stage& stage) const;
  void take(int tile, const Stage& stage, int parts);

 private:
  static constexpr std::size_t kUnits = 5;
  [[nodiscard]] double& of(int tile, Unit unit) {
    return busy_[static_cast<std::size_t>(tile)][static_cast<std::size_t>(unit)];
  }
  [[nodiscard]] double of(int tile, Unit unit) const {
    return busy_[static_cast<std::size_t>(tile)][static_cast<std::size_t>(unit)];
  }
  /// Of a part, seconds an image.
  [[nodiscard]] double time(const Stage& stage, const UnitWork& work, int parts) const;

  const tile::TileParams& tile_;
  double most_;  ///< of stages that share a unit, seconds an image
  std::vector<std::array<double, kUnits>> busy_;
};

}  // namespace bitline::place
