// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace bitline::place {

/// What one of several parts that together make `total` of something takes: those before it weigh `before`,
/// it `weight`, all of them `sum`. Shares are whole and add up to `total`.
[[nodiscard]] constexpr std::int64_t share_of(std::int64_t total, std::int64_t before, std::int64_t weight,
                                              std::int64_t sum) {
  return total * (before + weight) / sum - total * before / sum;
}

}  // namespace bitline::place
