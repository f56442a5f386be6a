// SPDX-License-Identifier: Apache-2.0
#include "sim/engine/sum_widths.h"

#include <bit>
#include <cstdlib>
#include <vector>

#include "sim/engine/kernels.h"

namespace bitline::engine {
namespace {

int round_up(int value, int multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

/// The sums of one row block of one group, as products with one row per window and chunk.
class BlockSums {
 public:
  BlockSums(const slice::SlicedLayer& layer, int group, int block)
      : layer_(layer),
        group_(group),
        block_(block),
        rows_(layer.blocks[static_cast<std::size_t>(block)]),
        pairs_((rows_.rows() + 1) / 2),
        columns_(round_up(layer.outputs_per_group, kPlanePanel)) {}

  void drive(std::span<const std::int32_t> x) {
    const auto window = static_cast<std::size_t>(layer_.groups) * layer_.rows_per_group;
    reads_ = static_cast<int>(x.size() / window * layer_.chunks.size());
    driven_.assign(static_cast<std::size_t>(reads_) * pairs_ * 2, 0);
    std::int16_t* out = driven_.data();
    for (std::size_t at = 0; at < x.size(); at += window) {
      const std::int32_t* from =
          x.data() + at + static_cast<std::size_t>(group_) * layer_.rows_per_group + rows_.first;
      for (const slice::InputChunk& chunk : layer_.chunks) {
        const std::uint32_t mask = (1u << chunk.width) - 1;
        for (int i = 0; i < rows_.rows(); ++i)
          out[i] = static_cast<std::int16_t>((static_cast<std::uint32_t>(from[i]) >> chunk.shift) & mask);
        out += static_cast<std::ptrdiff_t>(pairs_) * 2;
      }
    }
  }

  void count(int slice, slice::WidthCounts& counts) {
    for (int array = 0; array < layer_.arrays; ++array) {
      if (array == 0 || !layer_.analog) cells_.assign(static_cast<std::size_t>(columns_) * pairs_ * 2, 0);
      pack(slice, array);
      if (array + 1 < layer_.arrays && layer_.analog) continue;  // the other array is subtracted first
      sums_.resize(static_cast<std::size_t>(reads_) * columns_);
      multiply({.a = driven_.data(),
                .a_stride = static_cast<std::size_t>(pairs_) * 2,
                .positions = reads_,
                .b = cells_.data(),
                .pairs = pairs_,
                .panels = columns_ / kProductPanel},
               sums_.data());
      for (int read = 0; read < reads_; ++read) {
        const std::int32_t* sums = sums_.data() + static_cast<std::size_t>(read) * columns_;
        for (int output = 0; output < layer_.outputs_per_group; ++output)
          ++counts[static_cast<std::size_t>(
              std::bit_width(static_cast<std::uint32_t>(std::abs(sums[output]))))];
      }
    }
  }

 private:
  void pack(int slice, int array) {
    const bool subtracted = layer_.analog && array == 1;
    for (int output = 0; output < layer_.outputs_per_group; ++output) {
      std::int16_t* panel =
          cells_.data() + (static_cast<std::size_t>(output / kProductPanel) * pairs_ * kProductPanel +
                           output % kProductPanel) *
                              2;
      for (int i = 0; i < rows_.rows(); ++i) {
        const auto cell =
            static_cast<int>(layer_.cell(array, block_, slice, group_, output, rows_.first + i));
        std::int16_t& at = panel[static_cast<std::size_t>(i / 2) * kProductPanel * 2 + i % 2];
        at = static_cast<std::int16_t>(subtracted ? at - cell : cell);
      }
    }
  }

  const slice::SlicedLayer& layer_;
  int group_;
  int block_;
  slice::RowBlock rows_;
  int pairs_;
  int columns_;
  int reads_ = 0;
  std::vector<std::int16_t> driven_;
  std::vector<std::int16_t> cells_;
  std::vector<std::int32_t> sums_;
};

}  // namespace

void count_sums(const slice::SlicedLayer& layer, std::span<const std::int32_t> x, slice::SumWidths& counts) {
  for (int block = 0; block < static_cast<int>(layer.blocks.size()); ++block) {
    for (int group = 0; group < layer.groups; ++group) {
      BlockSums sums(layer, group, block);
      sums.drive(x);
      for (int slice = 0; slice < static_cast<int>(layer.slices.size()); ++slice)
        sums.count(slice, counts[static_cast<std::size_t>(block)][static_cast<std::size_t>(slice)]);
    }
  }
}

}  // namespace bitline::engine
