// SPDX-License-Identifier: Apache-2.0
// The shift-and-add units of a tile as a module: partial sums of several IMAs queue for them; amounts are
// additions. (Those of an IMA take samples as they come: shift_add_module.h.)
#pragma once

#include "models/base/service.h"
#include "models/periphery/shift_add.h"

namespace bitline::periphery {

class TileShiftAddModule final : public base::ServiceModule {
 public:
  TileShiftAddModule(const sc_core::sc_module_name& name, const ShiftAddParams& params)
      : ServiceModule(name, base::period(params.rate), params.latency), params_(params) {}

 private:
  [[nodiscard]] base::Time occupied(std::int64_t additions) const override {
    return occupancy(params_, additions);
  }
  ShiftAddParams params_;
};

}  // namespace bitline::periphery
