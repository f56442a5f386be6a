// SPDX-License-Identifier: Apache-2.0
#include "mapper/place/programming.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

namespace bitline::place {
namespace {

std::size_t index(int id) {
  return static_cast<std::size_t>(id);
}

/// The rectangle of a crossbar that holds weights.
struct Written {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::int64_t bits_of_row = 0;
};

Written written(const CrossbarPart& part, const slice::SlicedLayer& sliced) {
  Written area;
  std::set<int> groups;
  for (const Phase& phase : part.phases) {
    area.rows += std::int64_t{phase.group_count} * sliced.blocks[index(phase.block)].rows();
    for (int g = 0; g < phase.group_count; ++g) groups.insert(phase.group_first + g);
  }
  const auto outputs = static_cast<std::int64_t>(groups.size()) * part.output_count;
  for (int s = 0; s < static_cast<int>(sliced.slices.size()); ++s) {
    if (part.slice >= 0 && part.slice != s) continue;
    area.columns += outputs;
    area.bits_of_row += outputs * sliced.slices[index(s)].width;
  }
  return area;
}

/// Of all cells of one copy of a layer, as stored.
std::int64_t level_sum(const slice::SlicedLayer& sliced) {
  if (sliced.codes.empty()) return 0;
  std::int64_t sum = 0;
  for (int array = 0; array < sliced.arrays; ++array) {
    for (int output = 0; output < sliced.outputs(); ++output) {
      const std::uint32_t* codes =
          sliced.column(array, output / sliced.outputs_per_group, output % sliced.outputs_per_group);
      for (int b = 0; b < static_cast<int>(sliced.blocks.size()); ++b) {
        const slice::RowBlock& block = sliced.blocks[index(b)];
        for (int s = 0; s < static_cast<int>(sliced.slices.size()); ++s) {
          const slice::Slice& cut = sliced.slices[index(s)];
          const std::uint32_t mask = (1U << cut.width) - 1;
          std::int64_t levels = 0;
          for (int row = block.first; row < block.last; ++row) levels += (codes[row] >> cut.shift) & mask;
          const bool flipped = sliced.is_flipped(array, b, s, output);
          sum += flipped ? std::int64_t{mask} * block.rows() - levels : levels;
        }
      }
    }
  }
  return sum;
}

}  // namespace

void add_programming(Program& program, const std::vector<LayerInput>& layers) {
  std::vector<std::map<int, std::int64_t>> rows(program.phases.size());  // by phase and tile
  std::map<std::tuple<int, int, int>, std::int64_t> writes;              // by crossbar
  for (std::size_t l = 0; l < program.layers.size(); ++l) {
    LayerPlacement& layer = program.layers[l];
    if (layer.shares >= 0) continue;  // programmed with its owner
    const auto phase = index(program.stages[index(layer.stage)].phase);
    std::int64_t bits = 0;
    for (const ImaPart& ima : layer.imas) {
      for (const CrossbarPart& part : ima.crossbars) {
        const Written area = written(part, *layers[l].sliced);
        layer.written_cells += area.rows * area.columns;
        bits += area.rows * area.bits_of_row;
        rows[phase][ima.tile] += area.rows;
        std::int64_t& of_crossbar = writes[{ima.tile, ima.ima, part.slot}];
        program.writes_per_cell = std::max(program.writes_per_cell, ++of_crossbar);
      }
    }
    layer.written_levels = level_sum(*layers[l].sliced) * layer.replicas;
    layer.written_bytes = (bits + 7) / 8;
    program.phases[phase].bytes += layer.written_bytes;
  }
  for (std::size_t phase = 0; phase < rows.size(); ++phase) {
    for (const auto& [tile, sum] : rows[phase])
      program.phases[phase].rows_of_tile = std::max(program.phases[phase].rows_of_tile, sum);
  }
}

}  // namespace bitline::place
