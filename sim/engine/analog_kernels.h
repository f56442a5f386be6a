// SPDX-License-Identifier: Apache-2.0
// Column sums of real conductances. Every lane adds the driven rows in their order, product rounded before
// the sum, so that all instruction sets give the same bits.
#pragma once

#include <cstddef>

namespace bitline::engine {

inline constexpr std::size_t kAnalogPanel = 32;  ///< columns of a matrix are padded to whole panels

/// For each of `columns` (whole panels) columns, over `count` driven rows with the inputs `values`:
/// sums = sum value * cells, ideal = sum value * levels, squares (if not null) = sum (value * cells)^2.
struct ColumnSumsJob {
  const float* cells = nullptr;   ///< [row][columns]
  const float* levels = nullptr;  ///< [row][columns]
  std::size_t columns = 0;
  const int* rows = nullptr;
  const float* values = nullptr;
  int count = 0;
  float* sums = nullptr;
  float* ideal = nullptr;
  float* squares = nullptr;
};
void sum_columns(const ColumnSumsJob& job);

}  // namespace bitline::engine
