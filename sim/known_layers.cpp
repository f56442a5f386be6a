// SPDX-License-Identifier: Apache-2.0
#include "sim/known_layers.h"

#include <utility>

#include "mapper/slice/slicer.h"
#include "models/base/errors.h"
#include "sim/mapping.h"

namespace bitline::sim {

KnownLayers::Cut KnownLayers::cut(const graph::Node& node, const quantize::LayerQuant& quant) const {
  // Where a layer has resolutions of its own, by its name, nothing else is like it.
  const bool by_name = !machine_.arch.adc.resolution.layers.empty();
  const slice::LayerShape shape = slice::layer_shape(node);
  const Shape key{shape.groups,          shape.outputs_per_group, shape.rows_per_group,
                  quant.weights.bits,    quant.weights.scheme,    quant.input.bits,
                  quant.input.is_signed, quant.input.zero_point,  quant.input.symmetric};
  {
    const std::lock_guard lock(mutex_);
    ++counts_.cuts_asked;
    if (const auto found = cuts_.find(key); found != cuts_.end() && !by_name) return found->second;
  }
  Cut made = make(node, quant);
  const std::lock_guard lock(mutex_);
  if (by_name) {
    ++counts_.cuts_made;
    return made;
  }
  forget_if_full();
  const auto [entry, is_new] = cuts_.emplace(key, std::move(made));
  if (is_new) ++counts_.cuts_made;
  return entry->second;
}

KnownLayers::Cut KnownLayers::make(const graph::Node& node, const quantize::LayerQuant& quant) const {
  const arch::Arch own = layer_arch(machine_.arch, node.name);
  Cut cut;
  cut.sliced =
      std::make_shared<const slice::SlicedLayer>(slice::slice_shape(slice::layer_shape(node), quant, own));
  try {
    cut.parts = std::make_shared<const place::Partition>(place::partition(node.name, *cut.sliced, own));
  } catch (const base::MappingError&) {
    // The mapping itself says so, when its turn comes, with the name of the layer of the time.
  }
  return cut;
}

std::shared_ptr<const engine::LayerActivity> KnownLayers::activity(
    const place::LayerPlacement& placement, const std::shared_ptr<const slice::SlicedLayer>& sliced,
    analytic::InputKind kind, double inside, const analytic::ActivityFactors& factors,
    std::int64_t images) const {
  const auto made = [&] {
    return std::make_shared<const engine::LayerActivity>(analytic::expected_activity(
        placement, *sliced, kind, inside, factors, analytic::missing_bits(machine_.arch),
        machine_.arch.ima.gate_zero_chunks, images));
  };
  // Its additions depend on which crossbars lie in the same IMA.
  const bool by_place = sliced->encoding == arch::WeightEncoding::centre_offset;
  std::array<double, std::size(analytic::kFactors)> shares{};
  for (std::size_t i = 0; i < shares.size(); ++i) shares[i] = factors.*analytic::kFactors[i].member;
  Use key{sliced, placement.windows, kind, inside, shares, images};
  {
    const std::lock_guard lock(mutex_);
    ++counts_.activities_asked;
    if (const auto found = activities_.find(key); found != activities_.end()) return found->second;
  }
  std::shared_ptr<const engine::LayerActivity> activity = made();
  const std::lock_guard lock(mutex_);
  if (by_place) {
    ++counts_.activities_made;
    return activity;
  }
  forget_if_full();
  const auto [entry, is_new] = activities_.emplace(std::move(key), std::move(activity));
  if (is_new) ++counts_.activities_made;
  return entry->second;
}

KnownLayers::Counts KnownLayers::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

void KnownLayers::forget_if_full() const {
  if (cuts_.size() + activities_.size() < most_) return;
  cuts_.clear();
  activities_.clear();
}

}  // namespace bitline::sim
