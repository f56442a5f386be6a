// SPDX-License-Identifier: Apache-2.0
// The imported network as the mapper sees it, in three forms.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "mapper/graph/graph.h"
#include "sim/mapping.h"

namespace bitline::cli {

enum class Place { input, crossbars, digital, output };

/// A step of the layer pipeline: a node with the unary operators that run where its value is made.
struct ShownStage {
  std::string name;
  Place place = Place::digital;
  std::vector<std::string> operators;  ///< in order: "conv 3x3 /2", "relu"
  std::vector<int> inputs;             ///< stages, by index
  graph::Shape shape;                  ///< of the result
  std::int64_t macs = 0;
  std::int64_t parameters = 0;
  std::int64_t crossbars = 0;  ///< on the machine, where there is one
};

struct ShownNetwork {
  std::string name;
  std::vector<ShownStage> stages;  ///< in topological order
  int views = 0;                   ///< Flatten and Reshape: other names for the same values
  bool placed = false;             ///< on a machine
};

[[nodiscard]] ShownNetwork describe(const std::shared_ptr<const graph::Graph>& graph);
/// With the crossbars of each layer.
[[nodiscard]] ShownNetwork describe(const sim::Mapping& mapping);

[[nodiscard]] std::string to_table(const ShownNetwork& network);
[[nodiscard]] std::string to_json(const ShownNetwork& network);
/// For Graphviz: stages as boxes, those on crossbars filled, edges with shapes.
[[nodiscard]] std::string to_dot(const ShownNetwork& network);

}  // namespace bitline::cli
