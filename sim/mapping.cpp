// SPDX-License-Identifier: Apache-2.0
#include "sim/mapping.h"

#include <tbb/parallel_for.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <map>
#include <new>
#include <tuple>
#include <utility>

#include "mapper/graph/given_grid.h"
#include "mapper/graph/grouped.h"
#include "mapper/graph/shared_weights.h"
#include "mapper/graph/signs.h"
#include "mapper/graph/without_weights.h"
#include "mapper/onnx/import.h"
#include "mapper/place/partition.h"
#include "mapper/prune/compact.h"
#include "mapper/prune/paths.h"
#include "mapper/slice/resolution.h"
#include "models/arch/arch_loader.h"
#include "models/base/errors.h"
#include "models/base/memory_limit.h"
#include "sim/balanced.h"
#include "sim/cut_layers.h"
#include "sim/known_layers.h"

namespace bitline::sim {
namespace {

/// The codes of weights, which every layer has for itself, and of cells, which layers with the same weights
/// share.
void require_memory(const graph::Graph& graph, const arch::Arch& arch) {
  const std::int64_t arrays = arch.encoding.arrays();
  const std::vector<graph::NodeId> first = graph::first_with_weights(graph);
  std::int64_t weights = 0;
  std::int64_t codes = 0;
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
    const graph::Node& node = graph.nodes[n];
    if (!graph::on_crossbars(node)) continue;
    const slice::LayerShape shape = slice::layer_shape(node);
    const std::int64_t own = std::int64_t{shape.groups} * shape.rows_per_group * shape.outputs_per_group;
    weights += own;
    // Steps of a recurrence share the cells of the first.
    codes += own * (1 + (first[n] == static_cast<graph::NodeId>(n) ? arrays : 0));
  }
  const std::int64_t bytes = codes * static_cast<std::int64_t>(sizeof(std::uint32_t));
  if (bytes > base::memory_limit())
    throw base::MappingError(base::too_much_memory(
        graph.name, "mapping the " + std::to_string(weights) + " weights of its layers", bytes));
}

/// What `map` gives; memory that runs out while it works is an error of the network, not of the program.
template <class Map>
Mapping within_memory(const std::string& name, const Map& map) {
  try {
    return map();
  } catch (const std::bad_alloc&) {
    throw base::MappingError(base::too_much_memory(name, "mapping it", 0));
  }
}

/// Every layer that the machine names must be one of the network.
void require_layers(const graph::Graph& graph, const arch::Arch& arch) {
  std::vector<base::Problem> problems =
      quantize::unknown_layers(graph, "precision.layers", quantize::layer_names(arch.precision));
  std::vector<std::string> names;
  for (const periphery::LayerResolution& row : arch.adc.resolution.layers) names.push_back(row.layer);
  for (base::Problem& problem : quantize::unknown_layers(graph, "adc.resolution.layers", names))
    problems.push_back(std::move(problem));
  if (!problems.empty()) throw base::ConfigError(std::move(problems));
}

bool same_codes(const quantize::LayerQuant& a, const quantize::LayerQuant& b) {
  return a.input.bits == b.input.bits && a.input.is_signed == b.input.is_signed &&
         a.input.zero_point == b.input.zero_point && a.input.symmetric == b.input.symmetric &&
         a.weights.bits == b.weights.bits && a.weights.scheme == b.weights.scheme &&
         a.weights.codes == b.weights.codes;
}

/// By layer: the first one whose crossbars can serve it too; -1: it needs its own.
std::vector<int> shared_crossbars(const graph::Graph& graph, const std::vector<quantize::LayerQuant>& quants,
                                  const arch::Arch& arch) {
  const std::vector<graph::NodeId> first = graph::first_with_weights(graph);
  // By node; more than one where the same weights get other codes.
  std::vector<place::Few<int, 1>> owners(graph.nodes.size());
  std::vector<int> shares;
  shares.reserve(quants.size());
  const auto bits_of = [&](std::size_t i) {
    return layer_arch(arch, graph.node(quants[i].node).name).adc.resolution;
  };
  for (std::size_t i = 0; i < quants.size(); ++i) {
    auto& candidates = owners[static_cast<std::size_t>(first[static_cast<std::size_t>(quants[i].node)])];
    const auto found = std::find_if(candidates.begin(), candidates.end(), [&](int other) {
      const auto o = static_cast<std::size_t>(other);
      return same_codes(quants[o], quants[i]) && bits_of(o) == bits_of(i);
    });
    shares.push_back(found == candidates.end() ? -1 : *found);
    if (found == candidates.end()) candidates.push_back(static_cast<int>(i));
  }
  return shares;
}

std::shared_ptr<const graph::Graph> mapped_graph(std::shared_ptr<const graph::Graph> graph,
                                                 arch::Depthwise depthwise) {
  const bool grouped = std::any_of(graph->nodes.begin(), graph->nodes.end(), graph::is_grouped);
  if (!grouped || depthwise == arch::Depthwise::packed) return graph;
  return std::make_shared<const graph::Graph>(
      depthwise == arch::Depthwise::dense ? graph::spread_groups(*graph) : graph::digital_groups(*graph));
}

Unpruned unpruned(const graph::Node& node, const quantize::LayerQuant& quant) {
  const std::vector<std::int32_t>& codes = quant.weights.codes;
  std::int32_t zeros = 0;  // 32 bits: counted in vectors
  for (const std::int32_t code : codes) zeros += code == 0 ? 1 : 0;
  return {slice::layer_shape(node), std::ssize(codes), zeros};
}

void remove_paths(Mapping& mapping, std::vector<quantize::LayerQuant>& quants) {
  prune::Paths left = prune::remove_unused_paths(mapping.graph, std::move(quants));
  mapping.graph = std::move(left.graph);
  quants = std::move(left.layers);
  mapping.folded = std::move(left.folded);
}

/// Layers without cells. Those on others' crossbars stay null.
void slice_shapes(Mapping& mapping, const KnownLayers& known) {
  mapping.parts.resize(mapping.quants.size());
  for (std::size_t i = 0; i < mapping.quants.size(); ++i) {
    if (mapping.shares[i] >= 0) continue;
    const quantize::LayerQuant& quant = *mapping.quants[i];
    const KnownLayers::Cut cut = known.cut(mapping.graph->node(quant.node), quant);
    mapping.sliced[i] = cut.sliced;
    mapping.parts[i] = cut.parts;
  }
}

/// `known`: of this machine; null: with weights.
Mapping sliced(arch::LoadedArch machine, std::shared_ptr<const graph::Graph> graph,
               const std::vector<quantize::Range>& ranges, const KnownLayers* known = nullptr) {
  Mapping mapping;
  mapping.machine = std::move(machine);
  mapping.grouped = grouped_cost(*graph, mapping.arch());
  mapping.graph = mapped_graph(std::move(graph), mapping.arch().mapping.depthwise);
  const bool with_weights = known == nullptr;
  if (with_weights) require_memory(*mapping.graph, mapping.arch());
  require_layers(*mapping.graph, mapping.arch());
  const arch::PrecisionParams& precision = mapping.arch().precision;
  const std::vector<quantize::Range> unknown(ranges.empty() ? mapping.graph->values.size() : 0,
                                             quantize::Range{0.0, 1.0});
  std::vector<quantize::LayerQuant> quants =
      with_weights ? quantize::quantize(*mapping.graph, ranges.empty() ? unknown : ranges, precision)
                   : quantize::quantize_shapes(*mapping.graph, ranges.empty() ? unknown : ranges, precision);
  if (mapping.arch().mapping.oversize == arch::Oversize::reprogram) {
    CutNetwork cut = cut_layers(mapping.graph, std::move(quants), mapping.arch());
    mapping.graph = std::move(cut.graph);
    quants = std::move(cut.layers);
  }
  mapping.unpruned.reserve(quants.size());
  for (const quantize::LayerQuant& quant : quants)
    mapping.unpruned.push_back(unpruned(mapping.graph->node(quant.node), quant));
  mapping.folded.resize(quants.size());
  if (mapping.arch().mapping.prune == arch::Prune::paths) remove_paths(mapping, quants);
  mapping.shares = shared_crossbars(*mapping.graph, quants, mapping.arch());
  // Cells then take the place of real weights, unless others hold these.
  if (with_weights)
    mapping.graph = std::make_shared<const graph::Graph>(graph::without_weights(*mapping.graph));
  const graph::Graph& network = *mapping.graph;
  const auto layers = std::make_shared<const std::vector<quantize::LayerQuant>>(std::move(quants));
  mapping.quants.reserve(layers->size());
  for (const quantize::LayerQuant& layer : *layers) mapping.quants.emplace_back(layers, &layer);
  mapping.sliced.resize(mapping.quants.size());
  if (!with_weights) slice_shapes(mapping, *known);
  tbb::parallel_for(std::size_t{0}, mapping.quants.size(), [&](std::size_t i) {
    if (mapping.shares[i] >= 0 || mapping.sliced[i]) return;
    const quantize::LayerQuant& quant = *mapping.quants[i];
    const graph::Node& node = network.node(quant.node);
    const arch::Arch own = layer_arch(mapping.arch(), node.name);
    const slice::LayerShape shape = slice::layer_shape(node);
    mapping.sliced[i] = std::make_shared<const slice::SlicedLayer>(
        own.mapping.prune == arch::Prune::none ? slice::slice_layer(shape, quant, own)
                                               : prune::slice_compact(shape, quant, own));
  });
  for (std::size_t i = 0; i < mapping.sliced.size(); ++i) {
    if (mapping.shares[i] >= 0)
      mapping.sliced[i] = mapping.sliced[static_cast<std::size_t>(mapping.shares[i])];
  }
  return mapping;
}

std::map<std::string, std::int64_t> read_dimensions(const std::vector<std::string>& given) {
  std::map<std::string, std::int64_t> sizes;
  std::vector<base::Problem> problems;
  for (const std::string& text : given) {
    const std::size_t equals = text.rfind('=');
    const std::string name = text.substr(0, equals);
    std::int64_t size = 0;
    const char* end = text.data() + text.size();
    const char* digits = equals == std::string::npos ? end : text.data() + equals + 1;
    const auto [last, error] = std::from_chars(digits, end, size);
    if (name.empty() || digits == end || error != std::errc() || last != end || size < 1) {
      problems.push_back({"--dim " + text, "is no name and size", "name=size, a whole number from 1", ""});
    } else if (!sizes.emplace(name, size).second) {
      problems.push_back({"--dim " + text, "the name is given twice", "each name once", ""});
    }
  }
  if (!problems.empty()) throw base::UsageError(std::move(problems));
  return sizes;
}

}  // namespace

onnx::ImportOptions import_options(const std::vector<std::string>& dimensions) {
  onnx::ImportOptions options;
  options.allow_fixed_batch = false;
  options.max_total_elements = base::memory_limit() / static_cast<std::int64_t>(sizeof(float));
  options.max_value_elements = options.max_total_elements / 4;
  options.dimensions = read_dimensions(dimensions);
  return options;
}

std::shared_ptr<const graph::Graph> import_network(const std::string& path,
                                                   const std::vector<std::string>& dimensions,
                                                   bool shapes_only) {
  onnx::ImportOptions options = import_options(dimensions);
  options.shapes_only = shapes_only;
  try {
    std::error_code unknown;  // reported when the file is read
    const std::uintmax_t size = std::filesystem::file_size(path, unknown);
    if (!unknown && size > static_cast<std::uintmax_t>(base::memory_limit()))
      throw base::NetworkError(base::too_much_memory(path, "reading it", static_cast<std::int64_t>(size)));
    return std::make_shared<const graph::Graph>(onnx::import_onnx(path, options));
  } catch (const base::UsageError& unreadable) {
    throw base::NetworkError(unreadable.problems());
  } catch (const std::bad_alloc&) {
    throw base::NetworkError(base::too_much_memory(path, "reading it", 0));
  }
}

namespace {

/// What the time of the layers depends on, without the images: signs of activations as far as the network
/// tells, so that the mapping does not depend on what it is calibrated with.
std::vector<cycle::LayerSource> assumed_timing(const Mapping& mapping) {
  std::vector<quantize::Range> ranges;
  for (const bool negative : graph::can_be_negative(*mapping.graph, false))
    ranges.push_back({negative ? -1.0 : 0.0, 1.0});
  arch::PrecisionParams precision = mapping.arch().precision;
  precision.layers.clear();  // bits of single layers, which are in mapping.quants
  const auto quants = quantize::quantize_shapes(*mapping.graph, ranges, precision);
  std::vector<cycle::LayerSource> layers;
  for (std::size_t i = 0; i < quants.size(); ++i)
    layers.push_back({mapping.sliced[i], mapping.quants[i]->input.bits, quants[i].input.is_signed});
  return layers;
}

void place_layers(Mapping& mapping, double limit_s = 0) {
  std::vector<place::LayerInput> layers;
  layers.reserve(mapping.quants.size());
  for (std::size_t i = 0; i < mapping.quants.size(); ++i)
    layers.push_back({mapping.quants[i]->node, mapping.sliced[i], mapping.shares[i],
                      mapping.parts.empty() ? nullptr : mapping.parts[i]});
  if (mapping.arch().mapping.replication == arch::Replication::balanced)
    mapping.program = place_balanced(mapping.graph, mapping.arch(), layers, assumed_timing(mapping), limit_s);
  else
    mapping.program = place::place(mapping.graph, mapping.arch(), layers);
}

}  // namespace

Mapping map_network(arch::LoadedArch machine, std::shared_ptr<const graph::Graph> graph,
                    const std::vector<quantize::Range>& ranges, double limit_s) {
  const std::string name = graph->name;
  return within_memory(name, [&] {
    Mapping mapping = sliced(std::move(machine), std::move(graph), ranges);
    place_layers(mapping, limit_s);
    return mapping;
  });
}

bool needs_weights(const graph::Graph& graph, const arch::Arch& arch) {
  if (arch.mapping.prune != arch::Prune::none) return true;
  const periphery::AdcPolicy policy = arch.adc.resolution.policy;
  if (policy != periphery::AdcPolicy::fixed && policy != periphery::AdcPolicy::isaac) return true;
  return std::any_of(graph.nodes.begin(), graph.nodes.end(), [](const graph::Node& node) {
    return graph::is_dense(node) && graph::weight_grid(node) != nullptr;
  });
}

Mapping map_shapes(const KnownLayers& known, std::shared_ptr<const graph::Graph> graph,
                   const std::vector<quantize::Range>& ranges) {
  const std::string name = graph->name;
  return within_memory(name, [&] {
    Mapping mapping = sliced(known.machine(), std::move(graph), ranges, &known);
    place_layers(mapping);
    return mapping;
  });
}

Mapping map_network(const MappingRequest& request) {
  arch::LoadedArch machine = arch::load_arch(request.arch, request.overrides);
  return map_network(std::move(machine), import_network(request.network, request.dimensions));
}

Mapping slice_network(arch::LoadedArch machine, std::shared_ptr<const graph::Graph> graph,
                      const std::vector<quantize::Range>& ranges) {
  const std::string name = graph->name;
  return within_memory(name, [&] { return sliced(std::move(machine), std::move(graph), ranges); });
}

Mapping slice_network(const MappingRequest& request) {
  arch::LoadedArch machine = arch::load_arch(request.arch, request.overrides);
  return slice_network(std::move(machine), import_network(request.network, request.dimensions));
}

arch::Arch layer_arch(const arch::Arch& arch, const std::string& layer) {
  arch::Arch own = arch;
  own.adc.resolution = slice::layer_resolution(arch.adc.resolution, whole_layer(layer));
  return own;
}

namespace {

/// Bits and scheme of a layer's weights; their codes only where the bits depend on them.
quantize::WeightQuant weight_bits(const graph::Node& node, const arch::PrecisionParams& precision) {
  if (graph::weight_grid(node) != nullptr) return quantize::quantize_weights(node, precision);
  const arch::PrecisionParams::Weights own = quantize::layer_precision(precision, node.name).weights;
  return {.bits = own.bits, .scheme = own.scheme, .scale = {}, .codes = {}};
}

}  // namespace

GroupedCost grouped_cost(const graph::Graph& graph, const arch::Arch& arch) {
  GroupedCost cost;
  for (const graph::Node& node : graph.nodes) {
    if (!graph::is_grouped(node)) continue;
    const quantize::WeightQuant weights = weight_bits(node, arch.precision);
    const slice::LayerShape shape = slice::layer_shape(node);
    place::MatrixShape matrix;
    matrix.groups = shape.groups;
    matrix.rows = shape.rows_per_group;
    matrix.outputs = shape.outputs_per_group;
    matrix.arrays = arch.encoding.arrays();
    matrix.slices = static_cast<std::int64_t>(
        slice::make_slices(slice::code_bits(weights, arch.encoding.weights), arch).size());
    ++cost.layers;
    cost.packed += place::crossbar_count(matrix, arch);
    matrix = {1, matrix.rows * matrix.groups, matrix.outputs * matrix.groups, matrix.slices, matrix.arrays};
    cost.dense += place::crossbar_count(matrix, arch);
  }
  return cost;
}

std::vector<int> widest_adc_bits(const Mapping& mapping) {
  std::vector<int> widest_bits;
  for (const auto& layer : mapping.sliced) {
    // The least significant slices of all layers have the same ADCs.
    if (widest_bits.size() < layer->slices.size())
      widest_bits.insert(widest_bits.begin(), layer->slices.size() - widest_bits.size(), 0);
    for (const std::vector<int>& block : layer->adc_bits)
      for (std::size_t s = 0; s < block.size(); ++s) {
        int& widest = widest_bits[widest_bits.size() - block.size() + s];
        widest = std::max(widest, block[s]);
      }
  }
  return widest_bits;
}

std::vector<int> built_adc_bits(const Mapping& mapping) {
  if (auto built = arch::built_adc_bits(mapping.arch())) return std::move(*built);
  std::vector<int> built = widest_adc_bits(mapping);
  if (built.empty()) built = {0};
  return built;
}

arch::CostModel cost_model(const Mapping& mapping) {
  return {mapping.arch(), built_adc_bits(mapping)};
}

}  // namespace bitline::sim
