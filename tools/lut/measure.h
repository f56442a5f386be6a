// SPDX-License-Identifier: Apache-2.0
// The cost of one part of a DARTS network from networks that have little else.
#pragma once

#include <map>
#include <string>

#include "sim/analytic/activity.h"
#include "sim/known_layers.h"
#include "sim/result/result.h"
#include "tools/lut/lut.h"
#include "workloads/darts_part.h"

namespace bitline::lut {

class Measure {
 public:
  Measure(const arch::LoadedArch& machine, const analytic::ActivityFactors& activity)
      : known_(machine), activity_(activity) {}

  /// Throws base::MappingError where the part does not fit the chip.
  [[nodiscard]] PartCost cost(const workloads::DartsPart& part);
  /// Of the chip, from the last part that was measured.
  [[nodiscard]] double chip_area() const { return chip_area_; }
  [[nodiscard]] double static_power() const { return static_power_; }
  [[nodiscard]] std::int64_t chip_crossbars() const { return chip_crossbars_; }

 private:
  [[nodiscard]] result::Result analyse(const workloads::DartsPart& part);
  /// The delay of source and sink.
  [[nodiscard]] double delay_without(workloads::DartsPart part);

  const sim::KnownLayers known_;
  const analytic::ActivityFactors& activity_;
  std::map<std::string, double> without_;
  double chip_area_ = 0, static_power_ = 0;
  std::int64_t chip_crossbars_ = 0;
};

}  // namespace bitline::lut
