// SPDX-License-Identifier: Apache-2.0
#include "mapper/place/partition.h"

#include <algorithm>

#include "mapper/place/layout.h"
#include "models/base/errors.h"

namespace bitline::place {
namespace {

/// Columns that one output takes on one crossbar.
int columns_per_output(const slice::SlicedLayer& sliced, const arch::Arch& arch) {
  return arch.slices.placement == arch::SlicePlacement::separate ? 1 : static_cast<int>(sliced.slices.size());
}

/// Groups of `rows` rows that fit on one crossbar: whole blocks, each inside one drive of active_rows rows.
std::int64_t groups_by_rows(std::int64_t rows, const crossbar::CrossbarParams& xbar) {
  if (rows > xbar.active_rows) return xbar.rows / rows;
  const std::int64_t full_drives = xbar.rows / xbar.active_rows;
  const std::int64_t rest = xbar.rows % xbar.active_rows;
  return full_drives * (xbar.active_rows / rows) + rest / rows;
}

class Cutter {
 public:
  Cutter(const slice::SlicedLayer& sliced, const arch::Arch& arch)
      : sliced_(sliced),
        arch_(arch),
        outputs_per_crossbar_(arch.crossbar.cols / columns_per_output(sliced, arch)) {}

  Partition cut() {
    const int by_columns = outputs_per_crossbar_ / std::max(sliced_.outputs_per_group, 1);
    const auto by_rows = static_cast<int>(groups_by_rows(sliced_.rows_per_group, arch_.crossbar));
    const int groups = std::min({sliced_.groups, by_rows, by_columns});
    if (groups >= 2) {
      cut_packed(groups);
    } else {
      cut_groups();
    }
    return std::move(result_);
  }

 private:
  void cut_packed(int groups_per_crossbar) {
    const int blocks = static_cast<int>(sliced_.blocks.size());
    const int per_drive = std::max(1, arch_.crossbar.active_rows / sliced_.rows_per_group);
    for (int g = 0; g < sliced_.groups; g += groups_per_crossbar) {
      const int count = std::min(groups_per_crossbar, sliced_.groups - g);
      std::vector<Phase> phases;
      for (int first = 0; first < count; first += per_drive) {
        for (int b = 0; b < blocks; ++b) phases.push_back({b, g + first, std::min(per_drive, count - first)});
      }
      add_pieces(phases, 0, 0, sliced_.outputs_per_group, count * sliced_.outputs_per_group);
      ++column_block_;
    }
  }

  void cut_groups() {
    const int bands = (sliced_.rows_per_group + arch_.crossbar.rows - 1) / arch_.crossbar.rows;
    result_.row_bands = bands;
    for (int g = 0; g < sliced_.groups; ++g) {
      for (int first = 0; first < sliced_.outputs_per_group; first += outputs_per_crossbar_) {
        const int count = std::min(outputs_per_crossbar_, sliced_.outputs_per_group - first);
        for (int band = 0; band < bands; ++band) add_pieces(band_phases(g, band), band, first, count, count);
        ++column_block_;
      }
    }
  }

  std::vector<Phase> band_phases(int group, int band) const {
    std::vector<Phase> phases;
    for (std::size_t b = 0; b < sliced_.blocks.size(); ++b) {
      if (sliced_.blocks[b].first / arch_.crossbar.rows == band)
        phases.push_back({static_cast<int>(b), group, 1});
    }
    return phases;
  }

  /// The crossbars of one band of rows and one set of outputs: every slice (if apart) and array.
  void add_pieces(const std::vector<Phase>& phases, int band, int output_first, int output_count,
                  int outputs) {
    const bool separate = arch_.slices.placement == arch::SlicePlacement::separate;
    const int slices = separate ? static_cast<int>(sliced_.slices.size()) : 1;
    for (int s = 0; s < slices; ++s) {
      for (int array = 0; array < sliced_.arrays; ++array) {
        CrossbarPiece piece;
        piece.part.array = array;
        piece.part.slice = separate ? s : -1;
        piece.part.output_first = output_first;
        piece.part.output_count = output_count;
        piece.part.phases = phases;
        piece.row_band = band;
        piece.column_block = column_block_;
        piece.outputs = outputs;
        result_.pieces.push_back(std::move(piece));
      }
    }
  }

  const slice::SlicedLayer& sliced_;
  const arch::Arch& arch_;
  int outputs_per_crossbar_;
  int column_block_ = 0;
  Partition result_;
};

}  // namespace

Partition partition(const std::string& layer, const slice::SlicedLayer& sliced, const arch::Arch& arch) {
  const int columns = columns_per_output(sliced, arch);
  if (columns > arch.crossbar.cols) {
    throw base::MappingError(
        {layer, "one output takes " + std::to_string(columns) + " columns (its slices, side by side)",
         "at most crossbar.cols = " + std::to_string(arch.crossbar.cols),
         "use slices.placement: separate, more bits per cell, or wider crossbars"});
  }
  Partition partition = Cutter(sliced, arch).cut();
  for (const CrossbarPiece& piece : partition.pieces)
    partition.reads = std::max(partition.reads, static_cast<int>(piece.part.phases.size()));
  partition.copy = copy_layout(partition, sliced, arch, 1);
  return partition;
}

std::int64_t crossbar_count(const MatrixShape& shape, const arch::Arch& arch) {
  const bool separate = arch.slices.placement == arch::SlicePlacement::separate;
  const std::int64_t outputs_per_crossbar = arch.crossbar.cols / (separate ? 1 : shape.slices);
  if (outputs_per_crossbar == 0 || shape.rows == 0 || shape.outputs == 0) return 0;
  const auto up = [](std::int64_t a, std::int64_t b) { return (a + b - 1) / b; };
  const std::int64_t pieces = (separate ? shape.slices : 1) * shape.arrays;
  const std::int64_t packed = std::min(
      {shape.groups, groups_by_rows(shape.rows, arch.crossbar), outputs_per_crossbar / shape.outputs});
  if (packed >= 2) return up(shape.groups, packed) * pieces;
  return shape.groups * up(shape.outputs, outputs_per_crossbar) * up(shape.rows, arch.crossbar.rows) * pieces;
}

}  // namespace bitline::place
