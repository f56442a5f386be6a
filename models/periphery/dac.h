// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "models/base/cost.h"

namespace bitline::periphery {

/// Row drivers; `cost` is that of all DACs of an IMA (one per crossbar row). Keys `dac.*`.
struct DacParams {
  int bits = 1;  ///< input bits driven per read
  base::Cost cost;
};

}  // namespace bitline::periphery
