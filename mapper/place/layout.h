// SPDX-License-Identifier: Apache-2.0
// A layer's crossbars dealt out to IMAs, one after another, and the joins that this takes.
#pragma once

#include <vector>

#include "mapper/place/partition.h"

namespace bitline::place {

/// The crossbars of all copies of a layer, by IMA.
struct Layout {
  std::vector<ImaPart> imas;
  std::vector<std::vector<int>> column_blocks;  ///< by IMA: column block of each crossbar
  std::vector<std::vector<int>> outputs;        ///< by IMA: outputs of each crossbar
  int next_ima = 0;                             ///< the first IMA (of the chip) after it
};

/// IMAs of one copy that lies in one piece.
[[nodiscard]] std::int64_t imas_of_copy(const Partition& partition, const arch::Arch& arch);

/// `replicas` copies from IMA `first_ima` of the chip on, each in IMAs of its own. The row bands are cut into
/// `spread` parts that start on tiles of their own; the copies of a part follow each other, so that a tile
/// buffers the channels of one part only.
[[nodiscard]] Layout lay_out(const Partition& partition, const arch::Arch& arch, int first_ima, int spread,
                             int replicas);

/// The joins of a layout: outputs of a copy whose partial sums lie in the same IMAs share one, in the tile of
/// the first of them. Fills the contributions of the layout's IMAs.
[[nodiscard]] std::vector<Join> make_joins(Layout& layout);

}  // namespace bitline::place
