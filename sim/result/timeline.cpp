// SPDX-License-Identifier: Apache-2.0
#include "sim/result/timeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sim/result/text.h"

namespace bitline::result {
namespace {

constexpr std::size_t kNameWidth = 16;
constexpr std::size_t kBarWidth = 50;

std::string bar(double start, double end, double total) {
  const auto column = [&](double time) {
    return static_cast<std::size_t>(std::floor(time / total * static_cast<double>(kBarWidth)));
  };
  // Every layer shows, however short.
  const std::size_t first = std::min(column(start), kBarWidth - 1);
  const std::size_t last = std::clamp(column(end), first + 1, kBarWidth);
  return std::string(first, ' ') + std::string(last - first, '#') + std::string(kBarWidth - last, ' ');
}

}  // namespace

std::string timeline(const Result& r) {
  double total = r.latency.total;
  for (const LayerResult& l : r.layers) total = std::max(total, l.start + l.latency);
  std::string out = fmt::format(
      "\nTimeline (0 to {}; busy: share of the bar with input and room for output)\n", si(total, "s"));
  for (const LayerResult& l : r.layers) {
    const double waited = l.stalls.input + l.stalls.output;
    const double busy = l.latency > 0 ? std::max(0.0, 1 - waited / l.latency) : 0.0;
    const std::string name = shortened(l.name, kNameWidth);
    out += fmt::format("  {:<{}} |{}| {:>7}\n", name, kNameWidth, bar(l.start, l.start + l.latency, total),
                       percent(busy));
  }
  return out;
}

}  // namespace bitline::result
