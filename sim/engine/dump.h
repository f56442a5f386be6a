// SPDX-License-Identifier: Apache-2.0
// The pieces of dump_layers(), for one layer.
#pragma once

#include <string>

#include "sim/engine/engine.h"

namespace bitline::engine {

/// The integers of one layer on their way into files.
struct LayerDump {
  std::string name;  ///< file stem, unique within the folder
  const graph::Node* node = nullptr;
  const quantize::LayerQuant* quant = nullptr;
  const slice::SlicedLayer* sliced = nullptr;
  const std::vector<std::int64_t>* folded = nullptr;
};

/// Letters, digits and "._-" of a node name, everything else as "_".
[[nodiscard]] std::string file_stem(const std::string& node_name);
/// `layers.json`: one object per layer, keys of DESIGN section 5.
void write_layer_list(const std::string& directory, std::span<const LayerDump> layers);

}  // namespace bitline::engine
