// SPDX-License-Identifier: Apache-2.0
// One layer's matrix cut into crossbars, before they have a place.
#pragma once

#include <memory>
#include <vector>

#include "mapper/place/program.h"

namespace bitline::place {

/// A crossbar to be placed. `column_block` numbers the set of outputs it contributes to.
struct CrossbarPiece {
  CrossbarPart part;
  int row_band = 0;  ///< which multiple of crossbar.rows of the group's rows
  int column_block = 0;
  int outputs = 0;  ///< results it contributes to: output_count of each of its groups
};

/// One copy of a layer as it lies in IMAs, wherever these are.
struct CopyLayout {
  std::vector<ImaPart>
      imas;                 ///< `ima` counts through all of them; `tile`: the part of the copy, see lay_out()
  std::vector<Join> joins;  ///< `tile`: the number of the IMA in whose tile it is
};

struct Partition {
  std::vector<CrossbarPiece> pieces;  ///< column block by column block, then row band, slice, array
  int row_bands = 1;
  int reads = 1;    ///< of a window, one after another: IMAs read in lockstep, the most phases set the pace
  CopyLayout copy;  ///< in one part
};

/// By layer.
using Partitions = std::vector<std::shared_ptr<const Partition>>;

/// Cuts a layer and deals its crossbars out to IMAs. Groups that fit several times into a crossbar are packed
/// block-diagonally. Throws base::MappingError naming `layer` where one output's slices are wider than a
/// crossbar.
[[nodiscard]] Partition partition(const std::string& layer, const slice::SlicedLayer& sliced,
                                  const arch::Arch& arch);

/// A layer's weight matrices: `groups` of `rows` x `outputs`, in `slices` slices and `arrays` arrays.
struct MatrixShape {
  std::int64_t groups = 1, rows = 0, outputs = 0;
  std::int64_t slices = 1, arrays = 1;
};
/// The number of pieces that partition() cuts such a layer into, without making them; 0 where it would throw.
[[nodiscard]] std::int64_t crossbar_count(const MatrixShape& shape, const arch::Arch& arch);

/// Calls `visit` for the rows of a piece, as [first, last) ranges of the layer's rows numbered group *
/// rows_per_group + row.
template <class Visit>
void for_each_row_range(const CrossbarPart& part, const slice::SlicedLayer& sliced, const Visit& visit) {
  for (const Phase& phase : part.phases) {
    const slice::RowBlock& block = sliced.blocks[static_cast<std::size_t>(phase.block)];
    for (int g = phase.group_first; g < phase.group_first + phase.group_count; ++g)
      visit(slice::RowBlock{g * sliced.rows_per_group + block.first, g * sliced.rows_per_group + block.last});
  }
}

}  // namespace bitline::place
