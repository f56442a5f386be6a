// SPDX-License-Identifier: Apache-2.0
// Window::needed, released and taken of all output pixels, looked up instead of computed again and again.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "mapper/place/program.h"

namespace bitline::analytic {

struct WindowTable {
  /// By output pixel of the image; `taken` is empty where it is 1 everywhere.
  std::vector<std::int32_t> needed, released, taken;
  std::int64_t in_pixels = 0;
};

/// The table of a window; the same one for equal windows, kept for the life of the process. For any thread.
[[nodiscard]] std::shared_ptr<const WindowTable> window_table(const place::Window& window,
                                                              std::int64_t out_pixels);

}  // namespace bitline::analytic
