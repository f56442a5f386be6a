// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "models/base/units.h"
#include "models/memory/memory.h"
#include "models/periphery/shift_add.h"

namespace bitline::ima {

/// In-situ multiply-accumulate unit. Keys `ima.*`.
struct ImaParams {
  int crossbars = 8;
  base::Frequency clock{10e6};    ///< of the controller: reads start and S+Hs latch on its edges
  bool gate_zero_chunks = false;  ///< an input chunk that is zero on all driven rows is not read or converted
  int output_bits = 16;  ///< of one result in registers, on the bus and the NoC (values are not truncated)
  memory::RegisterParams input_register;
  periphery::ShiftAddParams shift_add;
  memory::RegisterParams output_register{.capacity_bytes = 256};
};

}  // namespace bitline::ima
