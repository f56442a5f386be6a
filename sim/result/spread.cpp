// SPDX-License-Identifier: Apache-2.0
#include <boost/math/distributions/students_t.hpp>

#include <cmath>

#include "models/base/errors.h"
#include "sim/result/result.h"

namespace bitline::result {

Spread spread_of(const std::vector<double>& values) {
  BITLINE_CHECK(!values.empty());
  const auto n = static_cast<double>(values.size());
  Spread spread;
  for (const double value : values) spread.mean += value / n;
  if (values.size() < 2) return spread;
  double squares = 0;
  for (const double value : values) squares += (value - spread.mean) * (value - spread.mean);
  spread.deviation = std::sqrt(squares / (n - 1.0));
  const boost::math::students_t distribution(n - 1.0);
  const double half = boost::math::quantile(distribution, 0.975) * *spread.deviation / std::sqrt(n);
  spread.low = spread.mean - half;
  spread.high = spread.mean + half;
  return spread;
}

Spread DeviceResult::over(double ChipResult::*figure) const {
  std::vector<double> values;
  for (const ChipResult& chip : chips) values.push_back(chip.*figure);
  return spread_of(values);
}

Spread DeviceResult::top1() const {
  std::vector<double> values;
  for (const ChipResult& chip : chips) values.push_back(chip.top1.value());
  return spread_of(values);
}

}  // namespace bitline::result
