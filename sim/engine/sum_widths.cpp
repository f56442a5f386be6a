// SPDX-License-Identifier: Apache-2.0
#include "sim/engine/sum_widths.h"

#include <bit>
#include <cstdlib>
#include <vector>

#include "sim/engine/kernels.h"
#include "sim/engine/layer_plan.h"

namespace bitline::engine {
namespace {

constexpr int kLimbBits = 7;  ///< of a cell's magnitude in one signed byte

/// The sums of one row block of one group, as products with one row per window and chunk.
class BlockSums {
 public:
  BlockSums(const slice::SlicedLayer& layer, int group, int block)
      : layer_(layer),
        group_(group),
        block_(block),
        rows_(layer.blocks[static_cast<std::size_t>(block)]),
        columns_(strips_of(layer.outputs_per_group) * kStrip) {
    job_.quads = quads_of(rows_.rows());
    job_.strips = strips_of(layer.outputs_per_group);
    job_.a_stride = static_cast<std::size_t>(job_.quads) * kQuad;
  }

  void drive(std::span<const std::int32_t> x) {
    const auto window = static_cast<std::size_t>(layer_.groups) * layer_.rows_per_group;
    job_.reads = static_cast<int>(x.size() / window * layer_.chunks.size());
    const int readable = (job_.reads + kReadTile - 1) / kReadTile * kReadTile;
    driven_.assign(static_cast<std::size_t>(readable) * job_.a_stride, 0);
    std::uint8_t* out = driven_.data();
    for (std::size_t at = 0; at < x.size(); at += window) {
      const std::int32_t* from =
          x.data() + at + static_cast<std::size_t>(group_) * layer_.rows_per_group + rows_.first;
      for (const slice::InputChunk& chunk : layer_.chunks) {
        const std::uint32_t mask = (1u << chunk.width) - 1;
        for (int i = 0; i < rows_.rows(); ++i)
          out[i] = static_cast<std::uint8_t>((static_cast<std::uint32_t>(from[i]) >> chunk.shift) & mask);
        out += job_.a_stride;
      }
    }
    job_.a = driven_.data();
  }

  void count(int slice, slice::WidthCounts& counts) {
    const int limbs = (layer_.slices[static_cast<std::size_t>(slice)].width + kLimbBits - 1) / kLimbBits;
    const int conversions = layer_.analog ? 1 : layer_.arrays;
    for (int array = 0; array < conversions; ++array) {
      sums_.assign(static_cast<std::size_t>(job_.reads) * columns_, 0);
      for (int limb = 0; limb < limbs; ++limb) {
        pack(slice, array, limb);
        job_.b = cells_.data();
        multiply_add(job_, limb * kLimbBits, sums_.data(), static_cast<std::size_t>(columns_));
      }
      for (int read = 0; read < job_.reads; ++read) {
        const std::int64_t* sums = sums_.data() + static_cast<std::size_t>(read) * columns_;
        for (int output = 0; output < layer_.outputs_per_group; ++output)
          ++counts[static_cast<std::size_t>(
              std::bit_width(static_cast<std::uint64_t>(std::abs(sums[output]))))];
      }
    }
  }

 private:
  /// What one conversion sums up of this row and output: with analog subtraction the first array less the
  /// second.
  [[nodiscard]] int cell(int slice, int array, int output, int row) const {
    const auto at = [&](int a) {
      return static_cast<int>(layer_.cell(a, block_, slice, group_, output, rows_.first + row));
    };
    return layer_.analog && layer_.arrays > 1 ? at(0) - at(1) : at(array);
  }

  /// One limb of the cells, [panel][quad][column of the panel][row of the quad].
  void pack(int slice, int array, int limb) {
    cells_.assign(job_.panel_bytes() * static_cast<std::size_t>(columns_ / kPanel), 0);
    for (int output = 0; output < layer_.outputs_per_group; ++output) {
      std::int8_t* panel = cells_.data() + static_cast<std::size_t>(output / kPanel) * job_.panel_bytes() +
                           static_cast<std::size_t>(output % kPanel) * kQuad;
      for (int i = 0; i < rows_.rows(); ++i) {
        const int value = cell(slice, array, output, i);
        const int digit = (std::abs(value) >> (limb * kLimbBits)) & ((1 << kLimbBits) - 1);
        panel[static_cast<std::size_t>(i / kQuad) * kPanel * kQuad + static_cast<std::size_t>(i % kQuad)] =
            static_cast<std::int8_t>(value < 0 ? -digit : digit);
      }
    }
  }

  const slice::SlicedLayer& layer_;
  int group_;
  int block_;
  slice::RowBlock rows_;
  int columns_;  ///< whole strips
  ProductJob job_;
  AlignedVector<std::uint8_t> driven_;
  AlignedVector<std::int8_t> cells_;
  std::vector<std::int64_t> sums_;
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
