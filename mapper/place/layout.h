// SPDX-License-Identifier: Apache-2.0
// A layer's crossbars dealt out to IMAs, one after another, and the joins that this takes.
#pragma once

#include <vector>

#include "mapper/place/partition.h"

namespace bitline::place {

/// IMAs of one copy that lies in one piece.
[[nodiscard]] std::int64_t imas_of_copy(const Partition& partition, const arch::Arch& arch);

/// One copy, its row bands cut into `spread` parts with IMAs of their own. Outputs whose partial sums lie in
/// the same IMAs share a join, in the tile of the first of them.
[[nodiscard]] CopyLayout copy_layout(const Partition& partition, const slice::SlicedLayer& sliced,
                                     const arch::Arch& arch, int spread);

/// The crossbars of all copies of a layer.
struct Layout {
  std::vector<ImaPart> imas;  ///< tile after tile
  std::vector<Join> joins;
  int next_ima = 0;  ///< the first IMA (of the chip) after it
};

/// `replicas` copies from IMA `first_ima` of the chip on, each in IMAs of its own. Their parts start on tiles
/// of their own; the copies of a part follow each other, so that a tile buffers the channels of one part
/// only.
[[nodiscard]] Layout lay_out(const CopyLayout& copy, const arch::Arch& arch, int first_ima, int replicas);

}  // namespace bitline::place
