// SPDX-License-Identifier: Apache-2.0
#include "tools/lut/measure.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "mapper/onnx/import.h"
#include "sim/analyse.h"

namespace bitline::lut {
namespace {

using workloads::DartsPart;
using workloads::DartsPartKind;

/// Images: enough for a steady interval.
constexpr std::int64_t kImages = 3;

bool belongs(const result::LayerResult& layer, DartsPartKind kind) {
  if (layer.name.starts_with("part")) return true;
  // The chip's link: inputs belong to the stem, outputs to the classifier.
  return (kind == DartsPartKind::stem && layer.op == "input") ||
         (kind == DartsPartKind::classifier && layer.op == "output" && layer.name != "aside.identity");
}

/// Seconds after the work of the busiest stage until an image is out.
double delay_of(const result::Result& r) {
  return r.latency.image - r.latency.interval;
}

}  // namespace

result::Result Measure::analyse(const DartsPart& part) {
  const std::string bytes = workloads::make_darts_part(part);
  const auto graph = std::make_shared<const graph::Graph>(onnx::import_onnx_bytes(bytes, "part"));
  result::Result r = sim::analyse(known_, graph, kImages, activity_);
  chip_area_ = r.area_mm2;
  chip_crossbars_ = r.crossbars_available;
  static_power_ = r.energy.fixed * static_cast<double>(kImages) / r.latency.total;
  return r;
}

double Measure::delay_without(DartsPart part) {
  part.kind = DartsPartKind::nothing;
  part.stride = 1;
  const std::string key = fmt::format("{} {} {}", part.channels_in, part.channels_out, part.resolution);
  const auto known = without_.find(key);
  return known != without_.end() ? known->second : without_[key] = delay_of(analyse(part));
}

PartCost Measure::cost(const DartsPart& part) {
  const result::Result r = analyse(part);
  PartCost cost;
  for (const result::LayerResult& layer : r.layers) {
    if (!belongs(layer, part.kind)) continue;
    cost.energy += layer.energy.dynamic;
    cost.crossbars += layer.crossbars;
    cost.interval = std::max(cost.interval, layer.busy / static_cast<double>(kImages));
  }
  cost.area = chip_area_ * static_cast<double>(cost.crossbars) / static_cast<double>(chip_crossbars_);
  cost.delay = delay_of(r) - (part.kind == DartsPartKind::stem ? 0 : delay_without(part));
  cost.latency = cost.delay + cost.interval;
  return cost;
}

}  // namespace bitline::lut
