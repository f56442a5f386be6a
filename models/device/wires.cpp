// SPDX-License-Identifier: Apache-2.0
#include "models/device/wires.h"

#include <vector>

#include "models/base/errors.h"

namespace bitline::device {
namespace {

/// Node voltages of a ladder: 1 V through one segment to the first of `count` nodes, a segment of `wire`
/// siemens between neighbours, and from each node g[i * stride] to ground. `voltage` holds `count` values.
void solve_ladder(const double* g, std::size_t stride, int count, double wire, double* voltage) {
  // From the far end: what lies beyond and at each node as one conductance.
  double beyond = 0.0;
  for (int i = count - 1; i >= 0; --i) {
    const double here = g[static_cast<std::size_t>(i) * stride] + beyond;
    voltage[i] = wire / (wire + here);  // of the voltage one segment nearer to the source
    beyond = here * voltage[i];
  }
  for (int i = 1; i < count; ++i) voltage[i] *= voltage[i - 1];
}

}  // namespace

void add_wires(std::span<double> g, int rows, int columns, base::Resistance segment) {
  BITLINE_CHECK(g.size() == static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns));
  if (segment.value() == 0.0) return;
  const double wire = 1.0 / segment.value();
  const auto width = static_cast<std::size_t>(columns);
  const auto height = static_cast<std::size_t>(rows);
  std::vector<double> along_row(g.size());
  std::vector<double> along_column(height);
  for (std::size_t i = 0; i < height; ++i)
    solve_ladder(g.data() + i * width, 1, columns, wire, along_row.data() + i * width);
  for (std::size_t j = 0; j < width; ++j) {
    solve_ladder(g.data() + j, width, rows, wire, along_column.data());
    for (std::size_t i = 0; i < height; ++i) g[i * width + j] *= along_column[i] * along_row[i * width + j];
  }
}

}  // namespace bitline::device
