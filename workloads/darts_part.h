// SPDX-License-Identifier: Apache-2.0
// One part of a DARTS network between a source and a sink: what tables of costs are made from.
#pragma once

#include <cstdint>
#include <string>

namespace bitline::workloads {

enum class DartsPartKind {
  nothing,            ///< the sink reads the source: what the others are compared with
  operation,          ///< an edge of a cell
  stem,               ///< from the network's input
  preprocess,         ///< ReLU, 1x1, normalisation
  preprocess_halved,  ///< the same with half of the pixels in each direction
  add,                ///< of two sources: a node
  concat,             ///< of four sources: a cell's output
  classifier          ///< pooling and the last layer; has no sink
};

struct DartsPart {
  DartsPartKind kind = DartsPartKind::nothing;
  std::string operation;          ///< of that kind: one of darts_operations() but none
  std::int64_t stride = 1;        ///< of an operation
  std::int64_t channels_in = 0;   ///< of what the part reads; of a stem: 3
  std::int64_t channels_out = 0;  ///< of what it makes; of a classifier: classes
  std::int64_t resolution = 32;   ///< of what it reads
};

/// The ONNX model: input, 1x1 convolutions "source*", the part's layers "part*", a 1x1 convolution "sink";
/// and "aside", another one that reads the first source, as other layers read the states of a cell. Weights
/// are seeded with 1.
[[nodiscard]] std::string make_darts_part(const DartsPart& part);

}  // namespace bitline::workloads
