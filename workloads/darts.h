// SPDX-License-Identifier: Apache-2.0
// The CIFAR network of DARTS (quark0/darts, NetworkCIFAR), without its auxiliary head.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "mapper/graph/graph.h"
#include "workloads/genotype.h"
#include "workloads/seed.h"

namespace bitline::workloads {

struct DartsShape {
  std::int64_t layers = 20;    ///< cells
  std::int64_t channels = 36;  ///< of an operation in the first cells; doubles at each reduction
  std::int64_t classes = 10;
  std::int64_t resolution = 32;
};

/// One cell of the network, whatever its genotype (if all four nodes are its output).
struct DartsCell {
  bool reduction = false;
  bool halved = false;            ///< the cell before was a reduction: preprocess0 halves its input
  std::int64_t channels = 0;      ///< of its operations
  std::int64_t channels_in0 = 0;  ///< of the cell before the last
  std::int64_t channels_in1 = 0;  ///< of the last cell
  std::int64_t resolution = 0;    ///< of states 0 and 1; of the nodes half in a reduction
};
inline constexpr std::int64_t kDartsNodes = 4;
inline constexpr std::int64_t kDartsStemMultiplier = 3;

[[nodiscard]] std::vector<DartsCell> darts_cells(const DartsShape& shape);

/// The ONNX model. Layers are named as the parameters of the PyTorch original. A state that several
/// operations read behind a ReLU has one ReLU for all. Throws base::UsageError for a cell that the network
/// does not have, or a resolution that cannot be halved twice.
[[nodiscard]] std::string make_darts(const std::string& name, Seed seed, const Genotype& genotype,
                                     const DartsShape& shape);

/// The graph of that model without its weights: as imported with ImportOptions::shapes_only. Throws the same.
[[nodiscard]] graph::Graph darts_shapes(const std::string& name, const Genotype& genotype,
                                        const DartsShape& shape);

}  // namespace bitline::workloads
