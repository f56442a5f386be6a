// SPDX-License-Identifier: Apache-2.0
// From files to a placed program: all that is known before the first image runs.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "mapper/graph/graph.h"
#include "mapper/onnx/import.h"
#include "mapper/place/partition.h"
#include "mapper/place/program.h"
#include "mapper/quantize/quantize.h"
#include "mapper/slice/slicer.h"
#include "models/arch/arch.h"
#include "models/arch/costs.h"

namespace bitline::sim {

/// A machine and a network, as files.
struct MappingRequest {
  std::string arch;                     ///< YAML
  std::vector<std::string> overrides;   ///< "key.path=value"
  std::string network;                  ///< ONNX; a leading dimension other than 1 is refused
  std::vector<std::string> dimensions;  ///< "name=size" of symbolic dimensions
};

/// What the grouped convolutions of a network cost by mapping.depthwise, one copy of each.
struct GroupedCost {
  std::int64_t layers = 0;
  std::int64_t packed = 0;  ///< crossbars
  std::int64_t dense = 0;   ///< crossbars; `digital` takes none
};

/// A crossbar layer before zeros left the crossbars.
struct Unpruned {
  slice::LayerShape shape;
  std::int64_t weights = 0;
  std::int64_t zeros = 0;  ///< of their codes
};

struct Mapping {
  arch::LoadedArch machine;
  std::shared_ptr<const graph::Graph> graph;  ///< as mapped: grouped convolutions as mapping.depthwise says,
                                              ///< and with mapping.prune paths without unused channels;
                                              ///< weights on crossbars without values, which `quants` has
  std::vector<std::shared_ptr<const quantize::LayerQuant>> quants;  ///< one per crossbar layer, in node order
  std::vector<std::shared_ptr<const slice::SlicedLayer>> sliced;    ///< the same
  std::vector<int> shares;  ///< by layer: the one before it whose crossbars it uses; -1: it has its own
  std::vector<Unpruned> unpruned;                 ///< by layer
  std::vector<std::vector<std::int64_t>> folded;  ///< by layer: engine::NetworkLayer::folded
  place::Partitions parts;  ///< by layer, where they are known before it is placed; else empty
  place::Program program;   ///< layers in the same order
  GroupedCost grouped;

  [[nodiscard]] const arch::Arch& arch() const { return machine.arch; }
};

/// How networks are imported: one image at a time, within the limit of memory. Throws base::UsageError for
/// dimensions that are not "name=size".
[[nodiscard]] onnx::ImportOptions import_options(const std::vector<std::string>& dimensions);

/// The network of a request, with every dimension known: batch 1, unless `dimensions` gives it. Throws
/// base::NetworkError, and base::UsageError for dimensions that are not "name=size". `shapes_only`: for
/// map_shapes(), as onnx::ImportOptions::shapes_only.
[[nodiscard]] std::shared_ptr<const graph::Graph> import_network(
    const std::string& path, const std::vector<std::string>& dimensions = {}, bool shapes_only = false);

/// Quantises, slices and places `graph` on `machine`. `ranges` of activations (quantize::calibrate) may be
/// empty: they have no part in what lies where. `limit_s`: for the simulations that balanced copies may need
/// (0: no limit). Throws base::ConfigError, NetworkError, MappingError, TimeoutError.
[[nodiscard]] Mapping map_network(arch::LoadedArch machine, std::shared_ptr<const graph::Graph> graph,
                                  const std::vector<quantize::Range>& ranges = {}, double limit_s = 0);
/// From the files. Throws what load_arch, import_network and the above do.
[[nodiscard]] Mapping map_network(const MappingRequest& request);

/// Whether what is measured in bits depends on the values of weights: resolutions that follow from column
/// sums, and weights on grids of the network's own.
[[nodiscard]] bool needs_weights(const graph::Graph& graph, const arch::Arch& arch);
class KnownLayers;
/// The same as map_network() of a network that does not need its weights, without reading them: the layers of
/// the result have no cells. The machine is that of the known layers.
[[nodiscard]] Mapping map_shapes(const KnownLayers& known, std::shared_ptr<const graph::Graph> graph,
                                 const std::vector<quantize::Range>& ranges);

/// Quantises and slices without placing, so also what is too large for the machine. `program` stays empty.
[[nodiscard]] Mapping slice_network(arch::LoadedArch machine, std::shared_ptr<const graph::Graph> graph,
                                    const std::vector<quantize::Range>& ranges = {});
[[nodiscard]] Mapping slice_network(const MappingRequest& request);

/// The machine as it is for one layer: with the resolution of its own conversions.
[[nodiscard]] arch::Arch layer_arch(const arch::Arch& arch, const std::string& layer);

/// The crossbars of the grouped convolutions of `graph` (as imported), whichever way `arch` has them.
[[nodiscard]] GroupedCost grouped_cost(const graph::Graph& graph, const arch::Arch& arch);

/// The widest conversion of each slice over all layers, most significant first.
[[nodiscard]] std::vector<int> widest_adc_bits(const Mapping& mapping);

/// What the ADCs of each slice are built for with this network: where the resolution policy looks at the
/// weights, the widest conversion over all layers.
[[nodiscard]] std::vector<int> built_adc_bits(const Mapping& mapping);

/// What the machine costs with such ADCs.
[[nodiscard]] arch::CostModel cost_model(const Mapping& mapping);

}  // namespace bitline::sim
