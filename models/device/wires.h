// SPDX-License-Identifier: Apache-2.0
// IR drop. A crossbar of ohmic cells and wires is linear, so that with every row driven or grounded its
// column currents are I[j] = sum_i T[i][j] V[i], T[i][j] an effective conductance that no input changes. The
// exact T takes a nodal analysis of all 2 rows x columns nodes; here it is approximated line by line:
//
//   T[i][j] = G[i][j] * u[i][j] * w[i][j]
//
// u is how much of a unit voltage at the sensed end of bitline j reaches row i along the ladder of that
// bitline's wire and cells, ideal wordlines at ground (by reciprocity: which share of the current of cell (i,
// j) leaves at the end); w is the same along wordline i from its driver. Each ladder alone is exact, and so
// is T to first order in the wire's resistance. Against the nodal analysis, with all rows driven, a column's
// current is at most 0.3 d^2 of the ideal off, d being the largest relative drop of a column
// (tests/unit/models/wires_test.cpp, up to 32 x 32): 0.3 % of it at a drop of 10 %.
#pragma once

#include <span>

#include "models/base/units.h"

namespace bitline::device {

/// Turns conductances g[row][column] (siemens) into the effective ones of the equation above. The driver is
/// one wire segment before column 0 of each row, the sensed end one before row 0 of each column.
void add_wires(std::span<double> g, int rows, int columns, base::Resistance segment);

}  // namespace bitline::device
