// SPDX-License-Identifier: Apache-2.0
// Every statistic gathered here is order-free (extremes and whole-number counts), so images can run in
// parallel and the result is the same for any number of threads.
#include <algorithm>
#include <bit>
#include <cmath>
#include <mutex>

#include <fmt/format.h>
#include <tbb/parallel_for.h>

#include "mapper/quantize/minimum_error.h"
#include "mapper/quantize/quantize.h"
#include "models/base/errors.h"

namespace bitline::quantize {
namespace {

constexpr std::size_t kBins = std::size_t{1} << 16;

/// Extremes and, for percentiles, how many |x| have each value of the upper half of their float's bits.
struct Statistics {
  bool seen = false;
  float min = 0.0f;
  float max = 0.0f;
  bool finite = true;
  std::vector<std::int64_t> upper;
};

std::uint32_t magnitude_bits(float x) {
  return std::bit_cast<std::uint32_t>(std::abs(x));
}

void add_extremes(Statistics& s, std::span<const float> values) {
  if (values.empty()) return;
  if (!s.seen) s.min = s.max = values.front();
  s.seen = true;
  for (const float v : values) {
    s.finite = s.finite && std::isfinite(v);
    s.min = std::min(s.min, v);
    s.max = std::max(s.max, v);
  }
}

void add_histogram(std::vector<std::int64_t>& bins, std::span<const float> values) {
  bins.resize(kBins);
  for (const float v : values) ++bins[magnitude_bits(v) >> 16];
}

/// Which values feed crossbar layers: only their ranges are asked for, so only they get histograms.
std::vector<bool> crossbar_inputs(const graph::Graph& graph) {
  std::vector<bool> wanted(graph.values.size(), false);
  for (const graph::Node& node : graph.nodes) {
    if (graph::on_crossbars(node)) wanted[static_cast<std::size_t>(node.inputs.front())] = true;
  }
  return wanted;
}

/// Runs every image; `visit(value, data)` is called under a lock of that value.
template <class Visit>
void run_images(const reference::Executor& executor, std::span<const Inputs> images, const Visit& visit) {
  std::vector<std::mutex> locks(executor.graph().values.size());
  tbb::parallel_for(std::size_t{0}, images.size(), [&](std::size_t i) {
    reference::Hooks hooks;
    hooks.observe = [&](graph::ValueId value, const graph::Tensor& tensor) {
      if (!tensor.holds<float>()) return;
      const auto v = static_cast<std::size_t>(value);
      const std::lock_guard guard(locks[v]);
      visit(v, std::span<const float>(tensor.as<float>()));
    };
    static_cast<void>(executor.run(images[i], hooks));
  });
}

/// The bin that holds the element of rank `rank` (from 0), and the rank within it.
std::pair<std::size_t, std::int64_t> find_bin(const std::vector<std::int64_t>& bins, std::int64_t rank) {
  std::size_t bin = 0;
  while (rank >= bins[bin]) rank -= bins[bin++];
  return {bin, rank};
}

/// The percentile of |x| of the wanted values: the upper halves of the floats are already counted, a second
/// run of the images counts the lower halves within the bin found.
std::vector<double> percentiles(const reference::Executor& executor, std::span<const Inputs> images,
                                const std::vector<Statistics>& statistics, double percentile) {
  struct Search {
    bool active = false;
    std::size_t bin = 0;
    std::int64_t rank = 0;
    std::vector<std::int64_t> lower;
  };
  std::vector<Search> searches(statistics.size());
  for (std::size_t v = 0; v < statistics.size(); ++v) {
    std::int64_t count = 0;
    for (const std::int64_t n : statistics[v].upper) count += n;
    if (count == 0) continue;
    const double nearest = std::ceil(percentile / 100.0 * static_cast<double>(count));
    const std::int64_t rank = std::clamp<std::int64_t>(static_cast<std::int64_t>(nearest), 1, count) - 1;
    const auto [bin, rest] = find_bin(statistics[v].upper, rank);
    searches[v] = {.active = true, .bin = bin, .rank = rest, .lower = std::vector<std::int64_t>(kBins)};
  }
  run_images(executor, images, [&](std::size_t v, std::span<const float> values) {
    Search& search = searches[v];
    if (!search.active) return;
    for (const float x : values) {
      const std::uint32_t bits = magnitude_bits(x);
      if (bits >> 16 == search.bin) ++search.lower[bits & 0xffff];
    }
  });
  std::vector<double> result(statistics.size(), 0.0);
  for (std::size_t v = 0; v < searches.size(); ++v) {
    if (!searches[v].active) continue;
    const std::size_t low = find_bin(searches[v].lower, searches[v].rank).first;
    result[v] = std::bit_cast<float>(static_cast<std::uint32_t>(searches[v].bin << 16 | low));
  }
  return result;
}

/// The magnitude of least expected squared error of the wanted values, from a second run of the images.
std::vector<double> least_errors(const reference::Executor& executor, std::span<const Inputs> images,
                                 const std::vector<Range>& ranges, const std::vector<bool>& wanted,
                                 int bits) {
  constexpr std::size_t kLinearBins = 4096;
  std::vector<std::vector<std::int64_t>> counts(ranges.size());
  const auto largest = [&](std::size_t v) {
    return std::max(std::abs(ranges[v].min), std::abs(ranges[v].max));
  };
  run_images(executor, images, [&](std::size_t v, std::span<const float> values) {
    const double most = largest(v);
    if (!wanted[v] || most == 0.0) return;
    counts[v].resize(kLinearBins);
    for (const float x : values) {
      if (x == 0.0F) continue;
      const double bin = std::abs(static_cast<double>(x)) / most * kLinearBins;
      ++counts[v][std::min(static_cast<std::size_t>(bin), kLinearBins - 1)];
    }
  });
  std::vector<double> limits(ranges.size(), 0.0);
  for (std::size_t v = 0; v < limits.size(); ++v)
    if (!counts[v].empty())
      limits[v] = least_error_magnitude(counts[v], largest(v), quantize_range(ranges[v], bits).max_code());
  return limits;
}

void require_finite(const graph::Graph& graph, const std::vector<Statistics>& statistics) {
  std::vector<base::Problem> problems;
  for (std::size_t v = 0; v < statistics.size(); ++v) {
    if (statistics[v].finite) continue;
    problems.push_back({.where = fmt::format("value '{}'", graph.values[v].name),
                        .given = "not finite in the float32 run of a calibration input",
                        .allowed = "finite activations",
                        .remedy = "check the weights and the range of the inputs"});
  }
  if (!problems.empty()) throw base::NetworkError(std::move(problems));
}

}  // namespace

std::vector<Range> calibrate(const reference::Executor& executor, std::span<const Inputs> images,
                             const arch::PrecisionParams::Activations& precision) {
  if (images.empty()) {
    throw base::UsageError(base::Problem{.where = "calibration",
                                         .given = "no input images",
                                         .allowed = "at least one",
                                         .remedy = "give inputs or let random ones be made"});
  }
  const graph::Graph& graph = executor.graph();
  const bool percentile = precision.calibration == arch::Calibration::percentile;
  const std::vector<bool> wanted = crossbar_inputs(graph);
  std::vector<Statistics> statistics(graph.values.size());
  run_images(executor, images, [&](std::size_t v, std::span<const float> values) {
    add_extremes(statistics[v], values);
    if (percentile && wanted[v]) add_histogram(statistics[v].upper, values);
  });
  require_finite(graph, statistics);

  std::vector<Range> ranges(statistics.size());
  for (std::size_t v = 0; v < ranges.size(); ++v) ranges[v] = {statistics[v].min, statistics[v].max};
  if (precision.calibration == arch::Calibration::minmax) return ranges;
  const std::vector<double> limits = percentile
                                         ? percentiles(executor, images, statistics, precision.percentile)
                                         : least_errors(executor, images, ranges, wanted, precision.bits);
  for (std::size_t v = 0; v < ranges.size(); ++v) {
    if (limits[v] == 0.0) continue;  // not asked for, or so sparse that only the extremes tell the scale
    ranges[v] = {std::max(ranges[v].min, -limits[v]), std::min(ranges[v].max, limits[v])};
  }
  return ranges;
}

}  // namespace bitline::quantize
