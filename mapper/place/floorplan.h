// SPDX-License-Identifier: Apache-2.0
// Which tile of the floor each tile of a placed program is.
#pragma once

#include "mapper/place/program.h"

namespace bitline::place {

/// Renumbers the tiles of `program`, which were taken one after another, as mapping.placement says. All tiles
/// have the same parts, so what fitted still does. The chip's link stays at the router of tile 0.
void arrange(Program& program, const arch::Arch& arch);

}  // namespace bitline::place
