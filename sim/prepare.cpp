// SPDX-License-Identifier: Apache-2.0
#include "sim/prepare.h"

#include <fmt/format.h>

#include <utility>

#include "mapper/slice/resolution.h"
#include "models/base/errors.h"
#include "sim/values.h"

namespace bitline::sim {

std::optional<std::vector<std::int64_t>> labels_of(const std::string& labels, const std::string& input,
                                                   const Images& images, const graph::Graph& graph) {
  if (!labels.empty()) return load_labels(labels, images.count(), classes(graph));
  if (images.labels()) check_labels(*images.labels(), classes(graph), "--input " + input);
  return images.labels();
}

Images input_images(const graph::Graph& graph, const std::string& path, const std::vector<std::string>& named,
                    const Normalisation& normalisation) {
  if (named.empty()) return load_images(graph, path, "--input", normalisation);
  if (!path.empty())
    throw base::UsageError(
        base::Problem{"--input " + path, "beside named inputs", "name=file for each input, or one path", ""});
  return load_named_images(graph, named, "--input", normalisation);
}

Data load_data(const SimulationRequest& request, const graph::Graph& graph) {
  const bool has_input = !request.input.empty() || !request.named_inputs.empty();
  Images images = has_input ? input_images(graph, request.input, request.named_inputs, request.normalisation)
                            : random_images(graph, request.batch, request.seed);
  if (request.batch > images.count())
    throw base::UsageError(base::Problem{"--batch", fmt::format("{} images to stream", request.batch),
                                         fmt::format("1 to {}, the images of --input", images.count()), ""});
  auto labels = labels_of(request.labels, request.input, images, graph);
  std::vector<quantize::Inputs> calibration;
  if (request.calibration.empty()) {
    calibration = images.first(kCalibrationImages);
  } else {
    const Images given = load_images(graph, request.calibration, "--calibrate", request.normalisation);
    calibration = given.first(given.count());
  }
  return {std::move(images), std::move(labels), std::move(calibration)};
}

std::vector<engine::NetworkLayer> network_layers(const Mapping& mapping) {
  std::vector<engine::NetworkLayer> layers;
  for (std::size_t i = 0; i < mapping.quants.size(); ++i)
    layers.push_back({mapping.quants[i], mapping.sliced[i],
                      place::drive_sets(mapping.program.layers[i], *mapping.sliced[i]), mapping.folded[i]});
  return layers;
}

std::vector<engine::NetworkLayer> exact_layers(const Mapping& mapping) {
  arch::Arch arch = mapping.arch();
  arch.adc.resolution = {.policy = periphery::AdcPolicy::lossless};
  std::vector<engine::NetworkLayer> layers;
  for (std::size_t i = 0; i < mapping.quants.size(); ++i) {
    if (mapping.shares[i] >= 0) {
      layers.push_back({mapping.quants[i],
                        layers[static_cast<std::size_t>(mapping.shares[i])].sliced,
                        {},
                        mapping.folded[i]});
      continue;
    }
    auto exact = std::make_shared<slice::SlicedLayer>(*mapping.sliced[i]);
    exact->conversion = periphery::AdcConversion::clip;
    slice::resolve_adc_bits(*exact, arch);
    layers.push_back({mapping.quants[i], std::move(exact), {}, mapping.folded[i]});
  }
  return layers;
}

std::vector<cycle::LayerSource> timed_layers(const Mapping& mapping) {
  std::vector<cycle::LayerSource> layers;
  for (std::size_t i = 0; i < mapping.quants.size(); ++i)
    layers.push_back({mapping.sliced[i], mapping.quants[i]->input.bits, mapping.quants[i]->input.is_signed});
  return layers;
}

}  // namespace bitline::sim
