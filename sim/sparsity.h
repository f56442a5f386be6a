// SPDX-License-Identifier: Apache-2.0
// How sparse the weights of a mapping are, and what of that the crossbars see.
#pragma once

#include <cstdint>
#include <vector>

#include "mapper/prune/compact.h"
#include "sim/mapping.h"

namespace bitline::sim {

struct LayerSparsity {
  double zero_weights = 0;             ///< of the layer as the network has it: share of codes that are 0
  slice::LayerShape before;            ///< of its matrix
  slice::LayerShape now;               ///< of what is mapped
  std::int64_t crossbars_before = 0;   ///< of one copy
  std::int64_t crossbars = 0;          ///< of one copy
  prune::NearlyEmpty nearly_empty;     ///< of what is mapped; nothing where mapping.prune is none
  std::int64_t crossbars_without = 0;  ///< of one copy without these rows and columns
};
/// By layer.
[[nodiscard]] std::vector<LayerSparsity> sparsity(const Mapping& mapping);

}  // namespace bitline::sim
