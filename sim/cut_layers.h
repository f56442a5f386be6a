// SPDX-License-Identifier: Apache-2.0
// Layers that are larger than the chip, for mapping.oversize: reprogram. Such a layer becomes several, each
// with some of its outputs, and a Concat of them: layers of their own, which the phases of mapper/place take
// one after another. Codes and scales of weights are those of the whole layer, so every value is too.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "mapper/graph/graph.h"
#include "mapper/quantize/quantize.h"
#include "models/arch/arch.h"

namespace bitline::sim {

struct CutNetwork {
  std::shared_ptr<const graph::Graph> graph;
  std::vector<quantize::LayerQuant> layers;
};

/// Cuts every crossbar layer of `graph` that needs more IMAs than the chip has into "<name> [i of k]", each
/// with as many outputs as the chip holds. Rows are not cut, for their partial sums would leave the chip; nor
/// are grouped convolutions, nor anything where mapping.replicas lists layers: mapper/place refuses these by
/// name. Values keep their numbers.
[[nodiscard]] CutNetwork cut_layers(std::shared_ptr<const graph::Graph> graph,
                                    std::vector<quantize::LayerQuant> layers, const arch::Arch& arch);

/// The name that a layer had before it was cut.
[[nodiscard]] std::string whole_layer(const std::string& name);

}  // namespace bitline::sim
