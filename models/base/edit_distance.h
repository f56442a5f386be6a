// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>

namespace bitline::base {

/// Insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b`; more than `limit`:
/// that plus one.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit);

}  // namespace bitline::base
