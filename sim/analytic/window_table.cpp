// SPDX-License-Identifier: Apache-2.0
#include "sim/analytic/window_table.h"

#include <array>
#include <map>
#include <mutex>

namespace bitline::analytic {
namespace {

using place::Window;

std::shared_ptr<const WindowTable> make(const Window& window, std::int64_t out_pixels) {
  auto table = std::make_shared<WindowTable>();
  table->in_pixels = window.in_h * window.in_w;
  const auto size = static_cast<std::size_t>(out_pixels);
  table->needed.reserve(size);
  table->released.reserve(size);
  const bool one = window.kind == Window::Kind::pixelwise;
  for (std::int64_t j = 0; j < out_pixels; ++j) {
    table->needed.push_back(static_cast<std::int32_t>(window.needed(j)));
    table->released.push_back(static_cast<std::int32_t>(window.released(j)));
    if (!one) table->taken.push_back(static_cast<std::int32_t>(window.taken(j)));
  }
  return table;
}

}  // namespace

std::shared_ptr<const WindowTable> window_table(const Window& window, std::int64_t out_pixels) {
  if (window.kind == Window::Kind::gathered) return make(window, out_pixels);
  using Key = std::array<std::int64_t, 14>;
  static std::mutex mutex;
  static std::map<Key, std::shared_ptr<const WindowTable>> known;
  const Key key{static_cast<std::int64_t>(window.kind),
                window.in_h,
                window.in_w,
                window.out_h,
                window.out_w,
                window.kernel_h,
                window.kernel_w,
                window.stride_h,
                window.stride_w,
                window.pad_top,
                window.pad_left,
                window.dilation_h,
                window.dilation_w,
                out_pixels};
  const std::lock_guard lock(mutex);
  std::shared_ptr<const WindowTable>& table = known[key];
  if (!table) {
    constexpr std::size_t kMost = 4096;
    if (known.size() > kMost) {
      known.clear();
      return make(window, out_pixels);
    }
    table = make(window, out_pixels);
  }
  return table;
}

}  // namespace bitline::analytic
