// SPDX-License-Identifier: Apache-2.0
// Rows that are driven together, the real conductances under them, and how their columns are converted.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "sim/engine/analog_layer.h"

namespace bitline::engine {

/// What a draw is for: the high bits of the last word of its counter.
enum class DrawKind : std::uint32_t { cell = 0, reads = 1, adc = 2, faults = 3 };
[[nodiscard]] inline std::uint32_t draw_word(DrawKind kind, int layer) {
  return static_cast<std::uint32_t>(kind) << 28 | static_cast<std::uint32_t>(layer);
}
/// Conductances end here, in steps of a level: far beyond any converter, and their sums stay finite.
inline constexpr double kMostSteps = 1e9;
/// Stands for the reference column where a counter has an output.
inline constexpr std::uint32_t kReferenceDraw = 0x80000000;

struct AnalogColumn {
  int output = 0;           ///< over all groups
  int bits = 0;             ///< 0: not converted (every cell is meant to be zero)
  int drop = 0;             ///< low bits that a truncating conversion drops
  double lowest = 0;        ///< code
  double highest = 0;       ///< code
  std::int64_t weight = 1;  ///< of the slice and array: sign * 2^shift
  std::int64_t flip = 0;    ///< 0, or 2^w - 1 where the column is stored as (2^w - 1) - c
  int group = 0;            ///< of the phase
  double scale = 1.0;       ///< codes per step of a level: gain of its ADC / 2^drop
  double offset = 0.0;      ///< of its ADC, LSB
};

/// Four neighbouring outputs of a slice, whose draws come from one counter.
struct DrawQuad {
  std::uint32_t first = 0;                     ///< word 0 of the counter
  std::uint32_t what = 0;                      ///< word 2, less the chunk
  std::array<int, 4> columns{-1, -1, -1, -1};  ///< -1: none
};

struct AnalogPhase {
  std::vector<int> rows;  ///< of the window, group by group
  int groups = 1;         ///< with equally many rows each
  std::vector<AnalogColumn> columns;
  std::size_t width = 0;     ///< columns of the matrices: with the reference column, padded to whole panels
  bool reference = false;    ///< column columns.size() holds the reference
  std::vector<float> cells;  ///< [row][width]: conductances in steps of a level
  std::vector<float> levels;
  std::vector<float> partner_cells;  ///< analog subtraction: the array that is subtracted; else empty
  std::vector<float> partner_levels;
  std::vector<DrawQuad> quads;
};

/// All phases of a layer, by copy, as programmed. Adds to `stuck` the cells with a weight that are stuck.
[[nodiscard]] std::vector<std::vector<AnalogPhase>> program_cells(const AnalogSource& source,
                                                                  const AnalogSetup& setup,
                                                                  std::int64_t& stuck);

}  // namespace bitline::engine
