// SPDX-License-Identifier: Apache-2.0
// The weights of one crossbar layer as cell codes, cut into slices and row blocks, with the resolution that
// each conversion needs. Semantics: see README.md of this folder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "mapper/slice/chunks.h"
#include "models/arch/arch.h"
#include "models/base/uninitialised.h"

namespace bitline::slice {

/// Rows [first, last) of a group's flattened weight (channel, kernel row, kernel column): converted together,
/// so at most crossbar.active_rows of them. A block never crosses a multiple of crossbar.rows.
struct RowBlock {
  int first = 0;
  int last = 0;
  [[nodiscard]] int rows() const { return last - first; }
};

/// `width` bits of the cell code from bit `shift` up; its digital weight is sign * 2^shift.
struct Slice {
  int width = 0;
  int shift = 0;
  int sign = 1;  ///< -1 only for the most significant slice of two's complement
};

struct SlicedLayer {
  int groups = 1;
  int rows_per_group = 0;  ///< C/g * kh * kw
  int outputs_per_group = 0;
  arch::WeightEncoding encoding = arch::WeightEncoding::offset;
  int arrays = 1;                 ///< 2 for differential and centre_offset (positive, negative), else 1
  bool reference_column = false;  ///< its crossbars have one (arch::has_reference_column)
  bool analog = false;            ///< the two arrays are subtracted before one signed conversion
  std::vector<Slice> slices;      ///< most significant first
  std::vector<RowBlock> blocks;   ///< the same for every group
  base::UninitialisedVector<std::uint32_t>
      codes;                ///< [array][group][output][row]: cell codes before flipping, < 2^sum(widths)
  std::int64_t offset = 0;  ///< encoding offset: codes hold q + offset
  std::vector<std::int32_t>
      centres;  ///< encoding centre_offset, [output of all groups]: codes hold q - centre; else empty
  /// [array][block][slice][group*outputs_per_group + output]: 1 where the column is stored flipped. Empty: no
  /// flip.
  std::vector<std::uint8_t> flipped;
  /// [block][slice]: resolution of the conversions; 0: every cell is zero, no conversion is needed.
  std::vector<std::vector<int>> adc_bits;
  /// [block][slice]: the largest possible column sum of a conversion, all inputs at their maximum (after
  /// flipping; analog: of either sign).
  std::vector<std::vector<std::int64_t>> max_column_sum;

  int window = 0;    ///< rows of the unfolded window, all groups; 0: those that are mapped
  int channels = 0;  ///< outputs of the node; 0: those that are mapped
  /// Where zeros have left the crossbars: [group * rows_per_group + row] the row of the window, [group *
  /// outputs_per_group + output] the output of the node. Empty: all are mapped.
  std::vector<int> window_rows;
  std::vector<int> channel_of_output;

  periphery::AdcConversion conversion = periphery::AdcConversion::clip;
  int activation_bits = 8;
  bool activation_signed = false;
  std::int64_t activation_zero_point = 0;  ///< its share zero_point * sum(q) is subtracted digitally
  int dac_bits = 1;
  std::vector<InputChunk> chunks;  ///< the reads of one row block, least significant first

  [[nodiscard]] int outputs() const { return groups * outputs_per_group; }
  /// What the cells of an output (of all groups) hold too little: the digital side adds centre * sum(x).
  [[nodiscard]] std::int64_t centre(int output) const {
    return centres.empty() ? -offset : centres[static_cast<std::size_t>(output)];
  }
  [[nodiscard]] int mapped_rows() const { return groups * rows_per_group; }
  [[nodiscard]] int window_size() const { return window > 0 ? window : mapped_rows(); }
  [[nodiscard]] int window_row(int row) const {
    return window_rows.empty() ? row : window_rows[static_cast<std::size_t>(row)];
  }
  [[nodiscard]] int node_outputs() const { return channels > 0 ? channels : outputs(); }
  [[nodiscard]] int channel(int output) const {
    return channel_of_output.empty() ? output : channel_of_output[static_cast<std::size_t>(output)];
  }
  /// The cell codes of one output of a group, by row of the group.
  [[nodiscard]] const std::uint32_t* column(int array, int group, int output) const {
    return codes.data() +
           ((static_cast<std::size_t>(array) * groups + group) * outputs_per_group + output) * rows_per_group;
  }
  /// The cell code of weight (group, output of the group, row of the group) in an array.
  [[nodiscard]] std::uint32_t code(int array, int group, int output, int row) const {
    return column(array, group, output)[row];
  }
  /// Whether the column is stored flipped; `output` counts over all groups.
  [[nodiscard]] bool is_flipped(int array, int block, int slice, int output) const {
    return !flipped.empty() &&
           flipped[((static_cast<std::size_t>(array) * blocks.size() + block) * slices.size() + slice) *
                       outputs() +
                   output] != 0;
  }
  /// What the cell holds: the slice of the code, complemented where the column is flipped.
  [[nodiscard]] std::uint32_t cell(int array, int block, int slice, int group, int output, int row) const {
    const Slice& s = slices[static_cast<std::size_t>(slice)];
    const std::uint32_t mask = (1u << s.width) - 1;
    const std::uint32_t cut = (code(array, group, output, row) >> s.shift) & mask;
    return is_flipped(array, block, slice, group * outputs_per_group + output) ? mask - cut : cut;
  }
};

}  // namespace bitline::slice
