// SPDX-License-Identifier: Apache-2.0
#include "sim/sparsity.h"

#include "mapper/place/partition.h"

namespace bitline::sim {
namespace {

std::int64_t crossbars(const slice::LayerShape& shape, const slice::SlicedLayer& sliced,
                       const arch::Arch& arch) {
  return place::crossbar_count(
      {shape.groups, shape.rows_per_group, shape.outputs_per_group, std::ssize(sliced.slices), sliced.arrays},
      arch);
}

}  // namespace

std::vector<LayerSparsity> sparsity(const Mapping& mapping) {
  const arch::Arch& arch = mapping.arch();
  std::vector<LayerSparsity> layers;
  for (std::size_t l = 0; l < mapping.quants.size(); ++l) {
    const Unpruned& unpruned = mapping.unpruned[l];
    const slice::SlicedLayer& sliced = *mapping.sliced[l];
    LayerSparsity layer;
    if (unpruned.weights > 0)
      layer.zero_weights = static_cast<double>(unpruned.zeros) / static_cast<double>(unpruned.weights);
    layer.before = unpruned.shape;
    layer.now = {sliced.groups, sliced.outputs_per_group, sliced.rows_per_group};
    layer.crossbars_before = crossbars(layer.before, sliced, arch);
    layer.crossbars = crossbars(layer.now, sliced, arch);
    layer.crossbars_without = layer.crossbars;
    if (arch.mapping.prune != arch::Prune::none) {
      const quantize::LayerQuant& quant = *mapping.quants[l];
      layer.nearly_empty = prune::nearly_empty(slice::layer_shape(mapping.graph->node(quant.node)),
                                               quant.weights.codes, arch.mapping.nearly_empty);
      layer.crossbars_without = crossbars(layer.nearly_empty.shape, sliced, arch);
    }
    layers.push_back(layer);
  }
  return layers;
}

}  // namespace bitline::sim
