// SPDX-License-Identifier: Apache-2.0
#include "mapper/place/gather.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <tuple>
#include <utility>

#include "models/base/errors.h"

namespace bitline::place {
namespace {

/// `sources`: by output pixel, input pixels, each at least once.
std::shared_ptr<const Gather> gather_from(std::vector<std::vector<std::int64_t>> sources,
                                          std::int64_t in_pixels) {
  auto gather = std::make_shared<Gather>();
  const std::size_t count = sources.size();
  gather->needed.resize(count);
  gather->released.resize(count, in_pixels);
  gather->taken.resize(count);
  gather->pixelwise = static_cast<std::int64_t>(count) == in_pixels;
  std::int64_t needed = 0;
  for (std::size_t j = 0; j < count; ++j) {
    std::vector<std::int64_t>& taken = sources[j];
    std::sort(taken.begin(), taken.end());
    taken.erase(std::unique(taken.begin(), taken.end()), taken.end());
    if (!taken.empty()) needed = std::max(needed, taken.back() + 1);
    gather->needed[j] = needed;
    gather->taken[j] = static_cast<std::int64_t>(taken.size());
    const bool own = taken.empty() || (taken.size() == 1 && taken[0] == static_cast<std::int64_t>(j));
    gather->pixelwise = gather->pixelwise && own;
  }
  for (std::size_t j = count; j-- > 1;) {
    const std::int64_t first = sources[j].empty() ? in_pixels : sources[j].front();
    gather->released[j - 1] = std::min(gather->released[j], first);
  }
  return gather;
}

/// Calls `use` with each of the first `count` elements of the output that has a source, and that source,
/// until it says false; whether it never did.
template <class Use>
bool each_source(const graph::RearrangeAttributes& moved, std::int64_t count, Use use) {
  const auto& offsets = moved.offsets;
  std::vector<std::size_t> at(offsets.size(), 0);
  for (std::int64_t i = 0; i < count; ++i) {
    std::int64_t source = 0;
    for (std::size_t d = 0; d < at.size() && source >= 0; ++d)
      source = offsets[d][at[d]] < 0 ? -1 : source + offsets[d][at[d]];
    if (source >= 0 && !use(i, source)) return false;
    for (std::size_t d = at.size(); d-- > 0;) {
      if (++at[d] < offsets[d].size()) break;
      at[d] = 0;
    }
  }
  return true;
}

/// Images of which whole channels are taken, all in the same way.
bool same_for_all_channels(const graph::RearrangeAttributes& moved, const Geometry& in, const Geometry& out) {
  const auto& offsets = moved.offsets;
  if (!in.image || !out.image || offsets.size() != 4 || offsets[0] != std::vector<std::int64_t>{0})
    return false;
  const auto fits = [&](std::size_t d, std::int64_t size) {
    return static_cast<std::int64_t>(offsets[d].size()) == size;
  };
  if (!fits(1, out.channels) || !fits(2, out.h) || !fits(3, out.w)) return false;
  return std::all_of(offsets[1].begin(), offsets[1].end(),
                     [&](std::int64_t offset) { return offset >= 0 && offset % in.pixels() == 0; });
}

/// How the pixels of a channel are moved: offsets of rows and of columns, pixels of the input.
using Moves = std::tuple<std::vector<std::int64_t>, std::vector<std::int64_t>, std::int64_t>;

/// Each output pixel takes one input pixel or none.
std::shared_ptr<const Gather> gather_of(const Moves& moves) {
  const auto& [rows, columns, in_pixels] = moves;
  auto gather = std::make_shared<Gather>();
  const std::size_t count = rows.size() * columns.size();
  gather->pixelwise = static_cast<std::int64_t>(count) == in_pixels;
  std::vector<std::int64_t> sources;
  sources.reserve(count);
  for (const std::int64_t row : rows) {
    for (const std::int64_t column : columns)
      sources.push_back(row >= 0 && column >= 0 ? (row + column) % in_pixels : -1);
  }
  gather->needed.reserve(count);
  gather->taken.reserve(count);
  std::int64_t needed = 0;
  for (std::size_t j = 0; j < count; ++j) {
    needed = std::max(needed, sources[j] + 1);
    gather->needed.push_back(needed);
    gather->taken.push_back(sources[j] < 0 ? 0 : 1);
    gather->pixelwise &= sources[j] < 0 || sources[j] == static_cast<std::int64_t>(j);
  }
  gather->released.resize(count, in_pixels);
  for (std::size_t j = count; j-- > 1;)
    gather->released[j - 1] = std::min(gather->released[j], sources[j] < 0 ? in_pixels : sources[j]);
  return gather;
}

/// Pixels of all gathers that are kept: about 24 MB.
constexpr std::size_t kMostKept = std::size_t{1} << 20;

/// The gather of same_for_all_channels(); the same one for equal moves, so that window_table() knows its
/// windows from other networks.
std::shared_ptr<const Gather> gather_of_channel(const graph::RearrangeAttributes& moved, const Geometry& in) {
  static std::mutex mutex;
  static std::map<Moves, std::shared_ptr<const Gather>> known;
  static std::size_t kept = 0;
  Moves moves{moved.offsets[2], moved.offsets[3], in.pixels()};
  const std::lock_guard lock(mutex);
  if (const auto found = known.find(moves); found != known.end()) return found->second;
  std::shared_ptr<const Gather> gather = gather_of(moves);
  if (kept + gather->taken.size() > kMostKept) {
    known.clear();
    kept = 0;
  }
  kept += gather->taken.size();
  known.emplace(std::move(moves), gather);
  return gather;
}

}  // namespace

std::shared_ptr<const Gather> gather_of(const graph::RearrangeAttributes& moved, const Geometry& in,
                                        const Geometry& out) {
  if (same_for_all_channels(moved, in, out)) return gather_of_channel(moved, in);
  std::vector<std::vector<std::int64_t>> sources(static_cast<std::size_t>(out.pixels()));
  each_source(moved, out.pixels() * out.channels, [&](std::int64_t i, std::int64_t source) {
    auto& taken = sources[static_cast<std::size_t>(out.pixel_of(i))];
    const std::int64_t pixel = in.pixel_of(source);
    if (taken.empty() || taken.back() != pixel) taken.push_back(pixel);
    return true;
  });
  return gather_from(std::move(sources), in.pixels());
}

bool moves_within_pixels(const graph::RearrangeAttributes& moved, const Geometry& in, const Geometry& out) {
  if (in.pixels() != out.pixels()) return false;
  if (same_for_all_channels(moved, in, out)) return gather_of_channel(moved, in)->pixelwise;
  return each_source(moved, out.pixels() * out.channels, [&](std::int64_t i, std::int64_t source) {
    return in.pixel_of(source) == out.pixel_of(i);
  });
}

std::shared_ptr<const Gather> gather_of(const graph::ResampleAttributes& resampled, const Geometry& in,
                                        const Geometry& out) {
  BITLINE_CHECK(resampled.axis == 2 || resampled.axis == 3);
  const bool rows = resampled.axis == 2;
  std::vector<std::vector<std::int64_t>> sources(static_cast<std::size_t>(out.pixels()));
  for (std::int64_t j = 0; j < out.pixels(); ++j) {
    const std::int64_t row = j / out.w, column = j % out.w;
    const auto first = static_cast<std::size_t>(rows ? row : column) * resampled.taps;
    for (std::size_t t = first; t < first + resampled.taps; ++t) {
      const std::int64_t source = resampled.indices[t];
      if (source < 0 || resampled.weights[t] == 0.0F) continue;
      sources[static_cast<std::size_t>(j)].push_back(rows ? source * in.w + column : row * in.w + source);
    }
  }
  return gather_from(std::move(sources), in.pixels());
}

std::shared_ptr<const Gather> gather_of_part(std::int64_t first, const Geometry& in, const Geometry& out) {
  std::vector<std::vector<std::int64_t>> sources(static_cast<std::size_t>(out.pixels()));
  for (std::int64_t j = 0; j < in.pixels(); ++j) sources[static_cast<std::size_t>(first + j)] = {j};
  return gather_from(std::move(sources), in.pixels());
}

}  // namespace bitline::place
