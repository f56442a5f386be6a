// SPDX-License-Identifier: Apache-2.0
// The recurrence of an IMA's MVMs (models/ima/README.md) in steady state: what is the same for every MVM.
#pragma once

#include "mapper/place/program.h"
#include "models/arch/arch.h"
#include "sim/analytic/parts.h"
#include "sim/cycle/runner.h"

namespace bitline::analytic {

/// Of one IMA, or the longest of several.
struct ImaPace {
  Instant first_read = 0;  ///< a read, up to the clock edge of its latch
  Instant tail = 0;        ///< from the first latch to the last
  Instant convert = 0;     ///< from the last latch to the clock edge after its conversions
  Instant adc = 0;         ///< the busiest ADC's conversions of an MVM
  Instant held = 0;        ///< how much longer reads take because of the ADCs
};

[[nodiscard]] ImaPace ima_pace(const place::ImaPart& part, const cycle::LayerSource& source,
                               const arch::Arch& arch);

}  // namespace bitline::analytic
