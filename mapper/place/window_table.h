// SPDX-License-Identifier: Apache-2.0
// Window::needed, released and taken of all output pixels of an image, and the other way round, looked up
// instead of computed again and again.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "mapper/place/program.h"

namespace bitline::place {

struct WindowTable {
  std::uint64_t id = 0;  ///< no other table of the process has it
  /// By output pixel of the image; `taken` is empty where it is 1 everywhere.
  std::vector<std::int32_t> needed, taken;
  std::vector<std::int32_t> gone;   ///< by number of output pixels made: input pixels released
  std::vector<std::int32_t> ready;  ///< by number of input pixels there: output pixels that can be made
  std::vector<std::int32_t> freed;  ///< by input pixel: the output pixel after which it is released
  std::int64_t in_pixels = 0;
  std::int64_t all_taken = 0;  ///< `taken` of all output pixels together
  std::int64_t span = 1;       ///< most input pixels that one output pixel needs beyond those released before
  /// What a kernel's windows reach beyond their place, and the most pixels that are there and not released
  /// before one of them, where input pixels and windows come at the pace of a raster (raster_schedule.h).
  std::int64_t reach_rows = 0, reach_columns = 0, paced_span = 1;
  bool one_to_one = false;  ///< output pixel j takes input pixel j alone
};

/// What a table follows from, but for the window's gather.
using WindowNumbers = std::array<std::int64_t, 14>;
[[nodiscard]] WindowNumbers window_numbers(const Window& window, std::int64_t out_pixels);

/// The table of a window; the same one for equal windows, kept for other calls within a bound of memory. For
/// any thread.
[[nodiscard]] std::shared_ptr<const WindowTable> window_table(const Window& window, std::int64_t out_pixels);

}  // namespace bitline::place
