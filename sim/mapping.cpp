// SPDX-License-Identifier: Apache-2.0
#include "sim/mapping.h"

#include <tbb/parallel_for.h>

#include <algorithm>
#include <utility>

#include "mapper/onnx/import.h"
#include "models/arch/arch_loader.h"
#include "models/base/errors.h"

namespace bitline::sim {
namespace {

Mapping sliced(arch::LoadedArch machine, std::shared_ptr<const graph::Graph> graph,
               const std::vector<quantize::Range>& ranges) {
  Mapping mapping;
  mapping.machine = std::move(machine);
  mapping.graph = std::move(graph);
  const graph::Graph& network = *mapping.graph;
  const arch::PrecisionParams& precision = mapping.arch().precision;
  const std::vector<quantize::Range> unknown(ranges.empty() ? network.values.size() : 0,
                                             quantize::Range{0.0, 1.0});
  mapping.quants = quantize::quantize(network, ranges.empty() ? unknown : ranges, precision);
  mapping.sliced.resize(mapping.quants.size());
  tbb::parallel_for(std::size_t{0}, mapping.quants.size(), [&](std::size_t i) {
    const quantize::LayerQuant& quant = mapping.quants[i];
    mapping.sliced[i] = std::make_shared<const slice::SlicedLayer>(
        slice::slice_layer(slice::layer_shape(network.node(quant.node)), quant, mapping.arch()));
  });
  return mapping;
}

}  // namespace

std::shared_ptr<const graph::Graph> import_network(const std::string& path) {
  onnx::ImportOptions options;
  options.allow_fixed_batch = false;
  try {
    return std::make_shared<const graph::Graph>(onnx::import_onnx(path, options));
  } catch (const base::UsageError& unreadable) {
    throw base::NetworkError(unreadable.problems());
  }
}

Mapping map_network(arch::LoadedArch machine, std::shared_ptr<const graph::Graph> graph,
                    const std::vector<quantize::Range>& ranges) {
  Mapping mapping = sliced(std::move(machine), std::move(graph), ranges);
  std::vector<place::LayerInput> layers;
  for (std::size_t i = 0; i < mapping.quants.size(); ++i)
    layers.push_back({mapping.quants[i].node, mapping.sliced[i]});
  mapping.program = place::place(mapping.graph, mapping.arch(), layers);
  return mapping;
}

Mapping map_network(const MappingRequest& request) {
  arch::LoadedArch machine = arch::load_arch(request.arch, request.overrides);
  return map_network(std::move(machine), import_network(request.network));
}

Mapping slice_network(const MappingRequest& request) {
  arch::LoadedArch machine = arch::load_arch(request.arch, request.overrides);
  return sliced(std::move(machine), import_network(request.network), {});
}

arch::CostModel cost_model(const Mapping& mapping) {
  if (auto built = arch::built_adc_bits(mapping.arch())) return {mapping.arch(), std::move(*built)};
  std::vector<int> built;
  for (const auto& layer : mapping.sliced) {
    built.resize(std::max(built.size(), layer->slices.size()), 0);
    for (const std::vector<int>& block : layer->adc_bits)
      for (std::size_t s = 0; s < block.size(); ++s) built[s] = std::max(built[s], block[s]);
  }
  if (built.empty()) built = {0};
  return {mapping.arch(), std::move(built)};
}

}  // namespace bitline::sim
