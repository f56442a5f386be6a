// SPDX-License-Identifier: Apache-2.0
#include "mapper/prune/paths.h"

#include <algorithm>
#include <utility>

#include "mapper/prune/channels.h"
#include "mapper/prune/constants.h"
#include "mapper/prune/shrink.h"

namespace bitline::prune {
namespace {

using graph::Graph;
using graph::Node;
using graph::ValueId;

/// Which sets of channels something needs.
class Needs {
 public:
  Needs(const Graph& graph, const Channels& channels, const Constants& constants,
        const std::vector<const quantize::LayerQuant*>& layers)
      : graph_(graph),
        channels_(channels),
        constants_(constants),
        layers_(layers),
        kept_(channels.size(), false) {
    for (std::size_t set = 0; set < kept_.size(); ++set) kept_[set] = channels.pinned(set);
  }

  Kept run() {
    do {
      while (read_weights()) {
      }
    } while (keep_one_of_each());
    Kept kept(graph_.values.size());
    for (std::size_t v = 0; v < kept.size(); ++v) {
      const auto value = static_cast<ValueId>(v);
      if (!channels_.tracked(value)) continue;
      for (std::int64_t c = 0; c < channels_.count(value); ++c)
        if (kept_[channels_.set_of(value, c)]) kept[v].push_back(c);
    }
    return kept;
  }

  /// What constant channels that are not kept give to the sums of a layer.
  [[nodiscard]] std::vector<std::int64_t> folded(const Node& node, const quantize::LayerQuant& quant) const {
    const ValueId in = node.inputs.front();
    const WeightMatrix weights(node, quant);
    std::vector<std::int64_t> sums(static_cast<std::size_t>(weights.outputs()), 0);
    for (std::int64_t i = 0; i < weights.inputs(); ++i) {
      if (kept_[channels_.set_of(in, i)]) continue;
      const std::optional<float> value = known(in, i);
      if (!value) continue;
      for (std::int64_t o = 0; o < weights.outputs(); ++o)
        sums[static_cast<std::size_t>(o)] += weights.contribution(o, i, quant.input.code(*value));
    }
    return sums;
  }

 private:
  [[nodiscard]] std::optional<float> known(ValueId v, std::int64_t channel) const {
    return constants_[static_cast<std::size_t>(v)][static_cast<std::size_t>(channel)];
  }

  /// Keeps what layers with weights read for the outputs that are kept. Whether there was anything new.
  bool read_weights() {
    bool grown = false;
    for (std::size_t n = graph_.nodes.size(); n-- > 0;) {
      const Node& node = graph_.nodes[n];
      const ValueId in = node.inputs.front();
      if (channels_.role(static_cast<graph::NodeId>(n)) != Role::dense || !channels_.tracked(in)) continue;
      const WeightMatrix weights(node, *layers_[n]);
      for (std::int64_t i = 0; i < weights.inputs(); ++i) {
        const std::size_t set = channels_.set_of(in, i);
        if (kept_[set]) continue;
        const std::optional<float> value = known(in, i);
        if ((value && weights.uniform(*value)) || !is_read(node, weights, i)) continue;
        kept_[set] = grown = true;
      }
    }
    return grown;
  }

  [[nodiscard]] bool is_read(const Node& node, const WeightMatrix& weights, std::int64_t input) const {
    for (std::int64_t o = 0; o < weights.outputs(); ++o)
      if (kept_[channels_.set_of(node.outputs.front(), o)] && weights.uses(o, input)) return true;
    return false;
  }

  bool keep_one_of_each() {
    bool grown = false;
    for (const Node& node : graph_.nodes) {
      const ValueId v = node.outputs.front();
      if (!channels_.tracked(v)) continue;
      bool any = false;
      for (std::int64_t c = 0; !any && c < channels_.count(v); ++c) any = kept_[channels_.set_of(v, c)];
      if (!any) kept_[channels_.set_of(v, 0)] = grown = true;
    }
    return grown;
  }

  const Graph& graph_;
  const Channels& channels_;
  const Constants& constants_;
  const std::vector<const quantize::LayerQuant*>& layers_;
  std::vector<bool> kept_;
};

}  // namespace

Paths remove_unused_paths(const std::shared_ptr<const Graph>& graph,
                          std::vector<quantize::LayerQuant> layers) {
  std::vector<const quantize::LayerQuant*> by_node(graph->nodes.size(), nullptr);
  for (const quantize::LayerQuant& layer : layers) by_node[static_cast<std::size_t>(layer.node)] = &layer;
  const Channels channels(*graph);
  const Constants constants = constant_channels(*graph, channels, by_node);
  Needs needs(*graph, channels, constants, by_node);
  const Kept kept = needs.run();

  Paths result;
  result.folded.resize(layers.size());
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const Node& node = graph->node(layers[l].node);
    if (channels.role(layers[l].node) != Role::dense || !channels.tracked(node.inputs.front())) continue;
    const std::vector<std::int64_t> sums = needs.folded(node, layers[l]);
    const std::vector<std::int64_t>& outputs = kept[static_cast<std::size_t>(node.outputs.front())];
    for (const std::int64_t o : outputs) result.folded[l].push_back(sums[static_cast<std::size_t>(o)]);
    if (std::all_of(result.folded[l].begin(), result.folded[l].end(), [](auto sum) { return sum == 0; }))
      result.folded[l].clear();
  }
  result.graph = std::make_shared<const Graph>(shrink(*graph, channels, kept, layers));
  result.layers = std::move(layers);
  return result;
}

}  // namespace bitline::prune
