// SPDX-License-Identifier: Apache-2.0
// Well-known networks as ONNX files with seeded weights: the shapes and sizes of the published ones, without
// training. The same name and seed give the same bytes on any machine.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "mapper/graph/graph.h"
#include "workloads/seed.h"

namespace bitline::workloads {

struct Workload {
  std::string name;
  std::string description;  ///< one line
};

/// The networks that `make` knows, smallest first.
[[nodiscard]] std::vector<Workload> list();

/// What differs from the published network; a network refuses what it does not have.
struct Options {
  std::optional<std::string> genotype;  ///< of darts: a name, a JSON file or its text
  std::optional<std::int64_t> layers, channels;
  std::optional<std::int64_t> classes, resolution;  ///< also of the image networks
};

/// The ONNX model, with a symbolic batch. Weights: He-scaled (standard deviation sqrt(2 / inputs of a
/// neuron); sqrt(1 / inputs) where no ReLU stands before it), biases small, batch normalisation with
/// statistics near one. Throws base::UsageError for an unknown name or option.
/// With Seed::none() a file for ImportOptions::shapes_only, in a small part of the time.
[[nodiscard]] std::string make(const std::string& name, Seed seed, const Options& options = {});

/// The graph that such a model is imported as with ImportOptions::shapes_only. Throws what make() does.
[[nodiscard]] graph::Graph make_shapes(const std::string& name, const Options& options = {});

}  // namespace bitline::workloads
