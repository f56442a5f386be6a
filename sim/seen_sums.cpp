// SPDX-License-Identifier: Apache-2.0
#include "sim/seen_sums.h"

#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <mutex>

#include "models/base/errors.h"
#include "sim/engine/engine.h"
#include "sim/engine/sum_widths.h"
#include "sim/prepare.h"

namespace bitline::sim {
namespace {

using Sums = std::vector<slice::SumWidths>;  ///< by layer

std::int64_t windows_of(const graph::Graph& graph, const graph::Node& node) {
  const graph::Shape& y = graph.shape(node.outputs.front());
  const std::int64_t outputs = node.op == graph::Op::conv ? y.at(1) : y.back();
  return tensor::element_count(y) / outputs;
}

/// The sums of evenly spaced windows of one image.
Sums sums_of(const engine::NetworkFunction& network, const engine::ImageResult& image, std::int64_t windows) {
  Sums sums;
  for (std::size_t l = 0; l < network.layers().size(); ++l) {
    const engine::NetworkLayer& layer = network.layers()[l];
    const slice::SlicedLayer& sliced = *layer.sliced;
    const std::int64_t all = windows_of(network.graph(), network.graph().node(layer.quant->node));
    const std::int64_t taken = std::min(all, windows);
    const auto rows =
        static_cast<std::size_t>(sliced.groups) * static_cast<std::size_t>(sliced.rows_per_group);
    std::vector<std::int32_t> x(static_cast<std::size_t>(taken) * rows);
    for (std::int64_t w = 0; w < taken; ++w)
      network.gather(l, image.traces[l], w * all / taken,
                     std::span(x).subspan(static_cast<std::size_t>(w) * rows, rows));
    sums.push_back(slice::no_sums(sliced));
    engine::count_sums(sliced, x, sums.back());
  }
  return sums;
}

void add(slice::SumWidths& into, const slice::SumWidths& from) {
  for (std::size_t b = 0; b < into.size(); ++b)
    for (std::size_t s = 0; s < into[b].size(); ++s)
      for (std::size_t w = 0; w < into[b][s].size(); ++w) into[b][s][w] += from[b][s][w];
}

}  // namespace

bool wants_sums(const arch::Arch& arch) {
  return arch.adc.resolution.policy == periphery::AdcPolicy::percentile &&
         arch.adc.resolution.percentile_of == periphery::PercentileOf::sums;
}

void resolve_by_sums(Mapping& mapping, std::span<const quantize::Inputs> images) {
  BITLINE_CHECK(!images.empty());
  const engine::NetworkFunction network(mapping.graph, exact_layers(mapping), false);
  const std::int64_t windows = std::max<std::int64_t>(1, kSeenWindows / std::ssize(images));
  Sums sums;
  for (const auto& sliced : mapping.sliced) sums.push_back(slice::no_sums(*sliced));
  std::mutex mutex;
  tbb::parallel_for(std::size_t{0}, images.size(), [&](std::size_t i) {
    Sums own;
    tbb::this_task_arena::isolate(
        [&] { own = sums_of(network, network.run(images[i], {.keep_inputs = true}), windows); });
    const std::lock_guard lock(mutex);
    for (std::size_t l = 0; l < own.size(); ++l) {
      const int owner = mapping.shares[l];
      add(sums[owner >= 0 ? static_cast<std::size_t>(owner) : l], own[l]);
    }
  });
  for (std::size_t l = 0; l < mapping.sliced.size(); ++l) {
    if (mapping.shares[l] >= 0) {
      mapping.sliced[l] = mapping.sliced[static_cast<std::size_t>(mapping.shares[l])];
      continue;
    }
    auto resolved = std::make_shared<slice::SlicedLayer>(*mapping.sliced[l]);
    const std::string& name = mapping.graph->node(mapping.quants[l]->node).name;
    slice::resolve_adc_bits(*resolved, layer_arch(mapping.arch(), name), &sums[l]);
    mapping.sliced[l] = std::move(resolved);
  }
}

Mapping slice_network(const MappingRequest& request, const std::string& calibration,
                      const Normalisation& normalisation) {
  arch::LoadedArch machine = arch::load_arch(request.arch, request.overrides);
  const std::shared_ptr<const graph::Graph> graph = import_network(request.network, request.dimensions);
  const bool by_sums = wants_sums(machine.arch);
  if (calibration.empty()) {
    if (by_sums)
      throw base::ConfigError(base::Problem{"adc.resolution.percentile_of", "sums without calibration inputs",
                                            "bounds, or inputs that make sums", "give --calibrate"});
    return slice_network(std::move(machine), graph);
  }
  const Images given = load_images(*graph, calibration, "--calibrate", normalisation);
  const std::vector<quantize::Inputs> images = given.first(given.count());
  const reference::Executor executor(graph);
  const auto ranges = quantize::calibrate(executor, images, machine.arch.precision.activations);
  Mapping mapping = slice_network(std::move(machine), graph, ranges);
  if (by_sums) resolve_by_sums(mapping, images);
  return mapping;
}

}  // namespace bitline::sim
