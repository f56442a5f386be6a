// SPDX-License-Identifier: Apache-2.0
// Which points no other point beats.
#pragma once

#include <vector>

namespace bitline::sweep {

/// Values to be made small, [point][objective]. A point is on the front unless another one is at most as
/// large in every objective and smaller in one. Equal points are on it together. Time for n points with f on
/// the front: n log n for up to three objectives, n log n + n f for more.
[[nodiscard]] std::vector<bool> pareto_front(const std::vector<std::vector<double>>& values);

}  // namespace bitline::sweep
