// SPDX-License-Identifier: Apache-2.0
#include "tools/sweep/sampling.h"

#include <fmt/format.h>

#include <boost/random/mersenne_twister.hpp>
#include <boost/random/sobol.hpp>

#include <numeric>

#include "models/base/errors.h"

namespace bitline::sweep {
namespace {

// Boost's engines and not its distributions: what these do with an engine may change between versions.
using Engine = boost::random::mt19937_64;
constexpr double kUnit = 0x1p-53;

/// Uniform in [0, 1), 53 bits.
double unit(Engine& engine) {
  return static_cast<double>(engine() >> 11) * kUnit;
}

/// Uniform in [0, n), n below 2^32; the bias is below 2^-32.
std::size_t below(Engine& engine, std::size_t n) {
  return static_cast<std::size_t>(((engine() >> 32) * n) >> 32);
}

std::int64_t count(const Spec& spec) {
  if (spec.method == Method::list) return std::ssize(spec.points);
  if (spec.method != Method::grid) return spec.samples;
  double product = 1;
  for (const Axis& axis : spec.axes)
    product *= axis.range ? static_cast<double>(axis.range->steps) : static_cast<double>(axis.choices.size());
  return product > 1e18 ? INT64_MAX : static_cast<std::int64_t>(product);
}

std::vector<std::vector<SettingPtr>> grid(const Spec& spec) {
  std::vector<std::vector<SettingPtr>> points{{}};
  for (const Axis& axis : spec.axes) {
    std::vector<std::vector<SettingPtr>> longer;
    for (const std::vector<SettingPtr>& point : points)
      for (const SettingPtr& value : axis.grid()) {
        longer.push_back(point);
        longer.back().push_back(value);
      }
    points = std::move(longer);
  }
  return points;
}

}  // namespace

std::vector<UnitPoint> random_points(std::int64_t points, std::size_t axes, std::uint64_t seed) {
  Engine engine(seed);
  std::vector<UnitPoint> result(static_cast<std::size_t>(points), UnitPoint(axes));
  for (UnitPoint& point : result)
    for (double& x : point) x = unit(engine);
  return result;
}

std::vector<UnitPoint> latin_hypercube(std::int64_t points, std::size_t axes, std::uint64_t seed) {
  Engine engine(seed);
  const auto n = static_cast<std::size_t>(points);
  std::vector<UnitPoint> result(n, UnitPoint(axes));
  std::vector<std::size_t> strips(n);
  for (std::size_t a = 0; a < axes; ++a) {
    std::iota(strips.begin(), strips.end(), std::size_t{0});
    for (std::size_t i = n; i > 1; --i) std::swap(strips[i - 1], strips[below(engine, i)]);
    for (std::size_t i = 0; i < n; ++i)
      result[i][a] = (static_cast<double>(strips[i]) + unit(engine)) / static_cast<double>(n);
  }
  return result;
}

std::vector<UnitPoint> sobol_points(std::int64_t points, std::size_t axes, std::uint64_t seed) {
  std::vector<UnitPoint> result(static_cast<std::size_t>(points), UnitPoint(axes));
  if (points == 0 || axes == 0) return result;
  Engine random(seed);
  std::vector<std::uint64_t> shift(axes);
  for (std::uint64_t& bits : shift) bits = random();
  boost::random::sobol sobol(axes);  // starts after the origin, which is the first point of the sequence
  for (std::size_t i = 0; i < result.size(); ++i)
    for (std::size_t a = 0; a < axes; ++a) {
      const std::uint64_t bits = (i == 0 ? 0 : sobol()) ^ shift[a];
      result[i][a] = static_cast<double>(bits >> 11) * kUnit;
    }
  return result;
}

std::vector<std::vector<SettingPtr>> sample(const Spec& spec, std::int64_t most) {
  const std::int64_t points = count(spec);
  if (points > most)
    throw base::ConfigError(base::Problem{
        spec.file, points == INT64_MAX ? "more points than can be counted" : fmt::format("{} points", points),
        fmt::format("at most {}", most), "take fewer values, draw a sample, or raise --max-points"});
  if (points == 0 || (spec.axes.empty() && spec.method != Method::list))
    throw base::ConfigError(base::Problem{spec.file, "no points", "at least one", "give axes values"});
  if (spec.method == Method::list) return spec.points;
  if (spec.method == Method::grid) return grid(spec);
  const std::vector<UnitPoint> shares =
      spec.method == Method::random            ? random_points(points, spec.axes.size(), spec.sampling_seed)
      : spec.method == Method::latin_hypercube ? latin_hypercube(points, spec.axes.size(), spec.sampling_seed)
                                               : sobol_points(points, spec.axes.size(), spec.sampling_seed);
  std::vector<std::vector<SettingPtr>> result;
  for (const UnitPoint& share : shares) {
    result.emplace_back();
    for (std::size_t a = 0; a < spec.axes.size(); ++a) result.back().push_back(spec.axes[a].at(share[a]));
  }
  return result;
}

}  // namespace bitline::sweep
