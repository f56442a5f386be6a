// SPDX-License-Identifier: Apache-2.0
#include "sim/engine/analog_chip.h"

#include <map>
#include <set>

namespace bitline::engine {

AnalogChip::AnalogChip(std::span<const AnalogSource> layers, AnalogSetup setup) : setup_(std::move(setup)) {
  std::map<const slice::SlicedLayer*, std::size_t> known;
  std::vector<std::size_t> index;
  for (const AnalogSource& layer : layers) {
    const auto [found, added] = known.try_emplace(layer.sliced.get(), programmed_.size());
    if (added) programmed_.emplace_back(layer, setup_);
    index.push_back(found->second);
  }
  for (const std::size_t i : index) of_layer_.push_back(&programmed_[i]);
}

std::int64_t AnalogChip::stuck_cells() const {
  std::int64_t sum = 0;
  for (const AnalogLayer& layer : programmed_) sum += layer.stuck_cells();
  return sum;
}

LayerActivity AnalogImage::run(std::size_t layer, const InputSource& source, OutputSink& sink) {
  errors_.at(layer) += chip_.layer(layer).run(image_, static_cast<int>(layer), source, sink);
  return {};
}

std::int64_t analog_bytes(std::span<const AnalogSource> layers) {
  std::set<const slice::SlicedLayer*> counted;
  std::int64_t cells = 0;
  for (const AnalogSource& layer : layers) {
    if (!counted.insert(layer.sliced.get()).second) continue;
    cells +=
        static_cast<std::int64_t>(layer.sliced->codes.size() * layer.sliced->slices.size()) * layer.copies;
  }
  return cells * 2 * static_cast<std::int64_t>(sizeof(float));
}

}  // namespace bitline::engine
