// SPDX-License-Identifier: Apache-2.0
#include "mapper/slice/centres.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include <tbb/parallel_for.h>

#include "models/base/errors.h"

namespace bitline::slice {
namespace {

constexpr int kMostCentreBits = 8;

/// How often each code occurs in a column.
struct Histogram {
  std::int32_t least = 0;
  std::int32_t largest = 0;
  std::vector<double> counts;  ///< of least, least + 1, ...
};

Histogram histogram(std::span<const std::int32_t> column) {
  const auto [low, high] = std::minmax_element(column.begin(), column.end());
  Histogram found{std::min(*low, 0), std::max(*high, 0), {}};
  found.counts.resize(static_cast<std::size_t>(found.largest - found.least) + 1, 0.0);
  for (const std::int32_t q : column) found.counts[static_cast<std::size_t>(q - found.least)] += 1.0;
  return found;
}

/// The slice of |d| with the sign of d, for d from -reach to reach, largest first: neighbouring centres then
/// find their neighbouring differences one after another.
std::vector<double> signed_slice(const Slice& slice, std::int32_t reach) {
  std::vector<double> table;
  table.reserve(2 * static_cast<std::size_t>(reach) + 1);
  const std::int32_t mask = (1 << slice.width) - 1;
  for (std::int32_t d = reach; d >= -reach; --d) {
    const std::int32_t part = (std::abs(d) >> slice.shift) & mask;
    table.push_back(d < 0 ? -part : part);
  }
  return table;
}

/// Whole numbers below 2^53 all the way to S, so that these sums are exact in any order.
class CentreChooser {
 public:
  CentreChooser(const std::vector<Slice>& slices, int code_bits)
      : step_(1 << (code_bits - centre_bits(code_bits))), reach_((1 << code_bits) - 1) {
    for (const Slice& slice : slices) {
      tables_.push_back(signed_slice(slice, reach_));
      weights_.push_back(std::ldexp(1.0, slice.shift));
    }
  }

  [[nodiscard]] std::int32_t choose(std::span<const std::int32_t> column) const {
    const Histogram found = histogram(column);
    // Both ends of the range include zero, so that -least / step is rounded towards it.
    const std::int32_t first = found.least / step_ * step_;
    const auto candidates = static_cast<std::size_t>((found.largest / step_ * step_ - first) / step_) + 1;
    std::vector<double> costs(candidates, 0.0);
    std::vector<double> sums(candidates);
    for (std::size_t s = 0; s < tables_.size(); ++s) {
      std::fill(sums.begin(), sums.end(), 0.0);
      for (std::size_t v = 0; v < found.counts.size(); ++v) {
        if (found.counts[v] == 0.0) continue;
        const std::int32_t difference = found.least + static_cast<std::int32_t>(v) - first;
        add(found.counts[v], &tables_[s][static_cast<std::size_t>(reach_ - difference)], sums);
      }
      for (std::size_t c = 0; c < candidates; ++c) {
        const double square = sums[c] * sums[c];
        costs[c] += weights_[s] * (square * square);
      }
    }
    return best(first, costs);
  }

 private:
  void add(double count, const double* differences, std::vector<double>& sums) const {
    if (step_ == 1) {
      for (std::size_t c = 0; c < sums.size(); ++c) sums[c] += count * differences[c];
      return;
    }
    for (std::size_t c = 0; c < sums.size(); ++c)
      sums[c] += count * differences[c * static_cast<std::size_t>(step_)];
  }

  [[nodiscard]] std::int32_t best(std::int32_t first, const std::vector<double>& costs) const {
    std::int32_t centre = 0;
    double least = costs[static_cast<std::size_t>(-first / step_)];
    for (std::size_t i = 0; i < costs.size(); ++i) {
      const std::int32_t candidate = first + static_cast<std::int32_t>(i) * step_;
      const bool nearer = std::abs(candidate) < std::abs(centre);
      if (costs[i] > least || (costs[i] == least && !nearer)) continue;
      centre = candidate;
      least = costs[i];
    }
    return centre;
  }

  std::int32_t step_;
  std::int32_t reach_;
  std::vector<std::vector<double>> tables_;  ///< by slice
  std::vector<double> weights_;
};

}  // namespace

int centre_bits(int code_bits) {
  return std::min(code_bits, kMostCentreBits);
}

std::vector<std::int32_t> choose_centres(std::span<const std::int32_t> codes, int rows,
                                         const std::vector<Slice>& slices, int code_bits) {
  BITLINE_CHECK(rows > 0 && codes.size() % static_cast<std::size_t>(rows) == 0);
  const auto count = static_cast<std::size_t>(rows);
  const CentreChooser chooser(slices, code_bits);
  std::vector<std::int32_t> centres(codes.size() / count);
  tbb::parallel_for(std::size_t{0}, centres.size(), [&](std::size_t column) {
    centres[column] = chooser.choose(codes.subspan(column * count, count));
  });
  return centres;
}

}  // namespace bitline::slice
