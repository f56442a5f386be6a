// SPDX-License-Identifier: Apache-2.0
// The steps before the first image that simulations have in common. Only for sim/*.cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "sim/cycle/runner.h"
#include "sim/engine/engine.h"
#include "sim/images.h"
#include "sim/mapping.h"
#include "sim/simulate.h"

namespace bitline::sim {

/// What a simulation reads.
struct Data {
  Images images;
  std::optional<std::vector<std::int64_t>> labels;
  std::vector<quantize::Inputs> calibration;
};
/// Opens what `request` names, or makes random images. Throws base::UsageError.
[[nodiscard]] Data load_data(const SimulationRequest& request, const graph::Graph& graph);

/// Images from one path, or from one per input.
[[nodiscard]] Images input_images(const graph::Graph& graph, const std::string& path,
                                  const std::vector<std::string>& named, const Normalisation& normalisation);
/// Labels from their own file, or those that come with the images; none where there are neither.
[[nodiscard]] std::optional<std::vector<std::int64_t>> labels_of(const std::string& labels,
                                                                 const std::string& input,
                                                                 const Images& images,
                                                                 const graph::Graph& graph);

/// The layers of a mapping for the engine, with what their activity is counted for.
[[nodiscard]] std::vector<engine::NetworkLayer> network_layers(const Mapping& mapping);
/// The same with converters that never clip or round; no activity is counted.
[[nodiscard]] std::vector<engine::NetworkLayer> exact_layers(const Mapping& mapping);
/// The layers of a mapping for the simulation of time.
[[nodiscard]] std::vector<cycle::LayerSource> timed_layers(const Mapping& mapping);

}  // namespace bitline::sim
