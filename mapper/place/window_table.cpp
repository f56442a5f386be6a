// SPDX-License-Identifier: Apache-2.0
#include "mapper/place/window_table.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>

namespace bitline::place {
namespace {

/// What it reaches beyond its place.
std::int64_t reach(std::int64_t kernel, std::int64_t pad) {
  return std::max<std::int64_t>(0, kernel - 1 - pad);
}

/// Of a kernel's window.
void set_paced_span(const Window& window, WindowTable& table) {
  table.reach_rows = reach(window.kernel_h, window.pad_top);
  table.reach_columns = reach(window.kernel_w, window.pad_left);
  for (std::size_t j = 0; j < table.needed.size(); ++j) {
    const auto at = static_cast<std::int64_t>(j);
    const std::int64_t row = at / window.out_w * window.stride_h + table.reach_rows;
    const std::int64_t column = at % window.out_w * window.stride_w + table.reach_columns;
    const std::int64_t there =
        row < window.in_h ? row * window.in_w + std::min(window.in_w, column + 1) : table.in_pixels;
    table.paced_span = std::max(table.paced_span, there - table.gone[j]);
  }
}

std::shared_ptr<const WindowTable> make(const Window& window, std::int64_t out_pixels) {
  static std::atomic<std::uint64_t> tables = 0;
  auto table = std::make_shared<WindowTable>();
  table->id = ++tables;
  table->in_pixels = window.in_h * window.in_w;
  const auto size = static_cast<std::size_t>(out_pixels);
  table->needed.reserve(size);
  table->gone.reserve(size + 1);
  table->gone.push_back(0);
  const bool one = window.kind == Window::Kind::pixelwise;
  table->one_to_one = one && table->in_pixels == out_pixels;
  if (!one) table->taken.reserve(size);
  table->ready.reserve(static_cast<std::size_t>(table->in_pixels) + 1);
  table->freed.reserve(static_cast<std::size_t>(table->in_pixels));
  std::int32_t released = 0;
  for (std::int64_t j = 0; j < out_pixels; ++j) {
    const auto needed = static_cast<std::int32_t>(window.needed(j));
    table->span = std::max<std::int64_t>(table->span, needed - released);
    released = static_cast<std::int32_t>(window.released(j));
    table->needed.push_back(needed);
    table->gone.push_back(released);
    const std::int64_t taken = one ? 1 : window.taken(j);
    table->all_taken += taken;
    if (!one) table->taken.push_back(static_cast<std::int32_t>(taken));
    const auto here = static_cast<std::int32_t>(j);
    if (static_cast<std::size_t>(needed) > table->ready.size())
      table->ready.resize(static_cast<std::size_t>(needed), here);
    if (static_cast<std::size_t>(released) > table->freed.size())
      table->freed.resize(static_cast<std::size_t>(released), here);
  }
  table->ready.resize(static_cast<std::size_t>(table->in_pixels) + 1, static_cast<std::int32_t>(out_pixels));
  if (window.kind == Window::Kind::sliding) set_paced_span(window, *table);
  return table;
}

/// What a window is made of. Gathers are told apart by their place in memory, which they keep meanwhile.
struct Key {
  WindowNumbers numbers;
  std::shared_ptr<const Gather> gather;
  friend bool operator==(const Key&, const Key&) = default;
};
struct Hash {
  std::size_t operator()(const Key& key) const {
    std::uint64_t hash = 14695981039346656037U;  // FNV-1a
    for (const std::int64_t word : key.numbers)
      hash = (hash ^ static_cast<std::uint64_t>(word)) * 1099511628211U;
    return static_cast<std::size_t>(hash ^ hash >> 32) ^
           std::hash<std::shared_ptr<const Gather>>()(key.gather);
  }
};

/// Entries of all tables that are kept, in_pixels and output pixels together: about 80 MB.
constexpr std::int64_t kMostKept = std::int64_t{1} << 22;

}  // namespace

WindowNumbers window_numbers(const Window& window, std::int64_t out_pixels) {
  return {static_cast<std::int64_t>(window.kind),
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
}

std::shared_ptr<const WindowTable> window_table(const Window& window, std::int64_t out_pixels) {
  static std::mutex mutex;
  static std::unordered_map<Key, std::shared_ptr<const WindowTable>, Hash> known;
  static std::int64_t kept = 0;
  const Key key{window_numbers(window, out_pixels), window.gather};
  {
    const std::lock_guard lock(mutex);
    const auto found = known.find(key);
    if (found != known.end()) return found->second;
  }
  std::shared_ptr<const WindowTable> table = make(window, out_pixels);
  const std::lock_guard lock(mutex);
  const std::int64_t size = out_pixels + table->in_pixels;
  if (kept + size > kMostKept) {
    known.clear();
    kept = 0;
  }
  const auto [entry, is_new] = known.emplace(key, std::move(table));
  if (is_new) kept += size;
  return entry->second;
}

}  // namespace bitline::place
